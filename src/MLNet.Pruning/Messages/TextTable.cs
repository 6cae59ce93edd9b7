using System.Text;

namespace MLNet.Pruning.Messages;

/// <summary>A plain-text table: first column left-aligned, the others right-aligned.</summary>
internal static class TextTable
{
    /// <summary>One line a row under the heading; <paramref name="totals"/>, where given, under a rule.</summary>
    public static string Format(string[] heading, IReadOnlyList<string[]> rows, string[]? totals = null)
    {
        var all = new List<string[]> { heading };
        all.AddRange(rows);
        if (totals is not null)
        {
            all.Add(totals);
        }

        var widths = heading.Select((_, column) => all.Max(row => row[column].Length)).ToArray();
        var rule = new string('-', widths.Sum() + 2 * (widths.Length - 1));
        var text = new StringBuilder();
        for (var r = 0; r < all.Count; r++)
        {
            if (r == 1 || (totals is not null && r == all.Count - 1))
            {
                text.AppendLine(rule);
            }

            var cells = all[r].Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]));
            text.AppendLine(string.Join("  ", cells).TrimEnd());
        }

        return text.ToString().TrimEnd();
    }
}
