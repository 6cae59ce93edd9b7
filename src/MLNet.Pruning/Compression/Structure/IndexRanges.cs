using System.Globalization;

namespace MLNet.Pruning;

/// <summary>Ascending indices as text: "0-5,7,9-11".</summary>
internal static class IndexRanges
{
    public static string Format(IReadOnlyList<int> indices)
    {
        var ranges = new List<string>();
        for (var i = 0; i < indices.Count;)
        {
            var end = i;
            while (end + 1 < indices.Count && indices[end + 1] == indices[end] + 1)
            {
                end++;
            }

            ranges.Add(end == i ? Text(indices[i]) : $"{Text(indices[i])}-{Text(indices[end])}");
            i = end + 1;
        }

        return string.Join(",", ranges);
    }

    /// <exception cref="FormatException">The text is something else.</exception>
    public static int[] Parse(string text) =>
    [
        .. text.Split(',', StringSplitOptions.RemoveEmptyEntries).SelectMany(range =>
        {
            var dash = range.IndexOf('-');
            var first = int.Parse(dash < 0 ? range : range[..dash], NumberStyles.None, CultureInfo.InvariantCulture);
            var last = dash < 0 ? first : int.Parse(range[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture);
            return last >= first && last - first < 1 << 24 ? Enumerable.Range(first, last - first + 1)
                : throw new FormatException($"'{range}' is no range of indices.");
        }),
    ];

    private static string Text(int index) => index.ToString(CultureInfo.InvariantCulture);
}
