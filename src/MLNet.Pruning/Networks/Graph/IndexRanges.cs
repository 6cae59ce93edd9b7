namespace MLNet.Pruning.Networks.Graph;

/// <summary>Ascending indices as text: "0-5,7,9-11".</summary>
internal static class IndexRanges
{
    public static string Format(IReadOnlyList<int> indices)
        => string.Join(",", Runs(indices).Select(run => run.Length == 1 ? Text(run.First) : $"{Text(run.First)}-{Text(run.First + run.Length - 1)}"));

    /// <summary>Neighbouring indices together.</summary>
    public static IEnumerable<(int First, int Length)> Runs(IReadOnlyList<int> indices)
    {
        for (var (i, end) = (0, 0); i < indices.Count; i = end)
        {
            for (end = i + 1; end < indices.Count && indices[end] == indices[end - 1] + 1; end++)
            {
            }

            yield return (indices[i], end - i);
        }
    }

    /// <exception cref="FormatException">The text is something else.</exception>
    public static int[] Parse(string text) => [.. Ranges(text).SelectMany(range => Enumerable.Range(range.First, range.Last - range.First + 1))];

    /// <summary>
    /// How many indices the text names, and the last; none and -1 where it is empty. A few letters can name any number, so they are not listed.
    /// </summary>
    /// <exception cref="FormatException">The text is something else, or the indices do not ascend.</exception>
    public static (long Count, int Last) Measure(string text)
    {
        var (count, end) = (0L, -1);
        foreach (var (first, last) in Ranges(text))
        {
            count += first > end ? last - (long)first + 1 : throw new FormatException($"{first} comes after {end}; expected ascending indices.");
            end = last;
        }

        return (count, end);
    }

    private static IEnumerable<(int First, int Last)> Ranges(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(range =>
    {
        var dash = range.IndexOf('-');
        return int.TryParse(dash < 0 ? range : range[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && int.TryParse(dash < 0 ? range : range[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var last) && last >= first && last
            < int.MaxValue
            ? (first, last) : throw new FormatException($"'{range}' is no range of indices.");
    });

    private static string Text(int index) => index.ToString(CultureInfo.InvariantCulture);
}
