namespace MLNet.Pruning.Messages;

/// <summary>Suggestions for a name that does not exist.</summary>
internal static class NearestNames
{
    private const int Shown = 3;

    /// <summary>" Nearest: 'a', 'b'." or nothing where there are no names at all.</summary>
    public static string Suggest(string name, IEnumerable<string> existing)
    {
        var nearest = existing.Distinct().OrderBy(other => Distance(name, other)).ThenBy(other => other, StringComparer.Ordinal).Take(Shown).ToArray();
        return nearest.Length == 0 ? "" : $" Nearest: {string.Join(", ", nearest.Select(other => $"'{other}'"))}.";
    }

    /// <summary>Levenshtein's edit distance.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[b.Length];
    }
}
