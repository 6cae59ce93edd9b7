using System.Text.RegularExpressions;
using MLNet.Pruning.Benchmarks;

namespace MLNet.Pruning.Pages;

/// <summary>
/// A page of docs/ whose tables are made from code. A table whose first heading is the name of options, such as <c>`PruningOptions`</c>, lists them. One with
/// an empty first heading whose rows are named after variables, such as <c>`pruned`</c>, has the figures of these models, which the C# block above it makes.
/// A line that begins with "Times:" behind it names the machine.
/// </summary>
internal sealed partial class Page
{
    private readonly string[] _lines;

    /// <param name="lines">Its text.</param>
    public Page(string[] lines)
    {
        _lines = lines;
        for (var first = 0; first < lines.Length; first++)
        {
            if (!lines[first].StartsWith('|') || (first > 0 && lines[first - 1].StartsWith('|')))
            {
                continue;
            }

            var end = first + lines.Skip(first).TakeWhile(line => line.StartsWith('|')).Count();
            if (OptionTable.Names(Cells(lines[first])[0]) || IsOfFigures(first, end))
            {
                Tables.Add(first..end);
            }
        }
    }

    /// <summary>The lines of its tables that are made from code.</summary>
    public List<Range> Tables { get; } = [];

    /// <summary>The page with its tables made anew.</summary>
    /// <param name="times">Whether times are measured.</param>
    public string[] Renewed(bool times)
    {
        var renewed = new List<string>();
        var done = 0;
        foreach (var table in Tables)
        {
            renewed.AddRange(_lines[done..table.Start]);
            var lines = _lines[table];
            renewed.AddRange(Cells(lines[0])[0] is { Length: > 0 } options ? OptionTable.Of(options) : Figures(lines, table.Start.Value, times));
            done = table.End.Value;
        }

        return [.. renewed.Concat(_lines[done..]).Select(line => times && line.StartsWith("Times:", StringComparison.Ordinal) ? Times : line)];
    }

    private static string Times => $"Times: ONNX Runtime, or ML.NET for trees, on one thread; median of rounds in turns. {Machine.Kind}.";

    private static string[] Cells(string row) => [.. row.Split('|')[1..^1].Select(cell => cell.Trim())];

    private bool IsOfFigures(int first, int end) => end - first > 2 && Cells(_lines[first])[0] == ""
        && Enumerable.Range(first + 2, end - first - 2).All(row => Variable().IsMatch(Cells(_lines[row])[0]));

    private IEnumerable<string> Figures(string[] table, int start, bool times)
    {
        var begin = Array.FindLastIndex(_lines, start, line => line == "```csharp") + 1;
        string[] names = [.. table.Skip(2).Select(row => Cells(row)[0].Trim('`'))];
        using var example = new Example(string.Join('\n', _lines[begin..Array.IndexOf(_lines, "```", begin)]), names);
        return [table[0], table[1], .. names.Select((name, row)
            => $"| `{name}` | {string.Join(" | ", Cells(table[0]).Skip(1).Select(heading => Figure.Of(heading, example, row, times)))} |")];
    }

    [GeneratedRegex(@"^`[a-z]\w*`$")]
    private static partial Regex Variable();
}
