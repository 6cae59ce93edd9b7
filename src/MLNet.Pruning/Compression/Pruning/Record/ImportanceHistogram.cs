using System.Text;
using MLNet.Pruning.Messages.Reports;

namespace MLNet.Pruning;

/// <summary>
/// How many weights or structures of a layer had which importance before a pruning, and how many of those that stayed at its last comparison.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed record ImportanceHistogram : IHtmlDisplay
{
    internal ImportanceHistogram(string layer, IReadOnlyList<double> edges, IReadOnlyList<long> before, IReadOnlyList<long> after)
        => (Layer, Edges, Before, After) = (layer, edges, before, after);

    /// <summary>Name of the layer's weight, or of the layer where groups or blocks were removed.</summary>
    public string Layer { get; }

    /// <summary>Where bins begin and end, rising: one more than there are bins. The last bin includes its end.</summary>
    public IReadOnlyList<double> Edges { get; }

    /// <summary>Weights or structures by bin at the first comparison, those gone before left out.</summary>
    public IReadOnlyList<long> Before { get; }

    /// <summary>
    /// Weights or structures by bin that stayed, by their importance when last compared; what lies outside counts in the first and the last bin.
    /// </summary>
    public IReadOnlyList<long> After { get; }

    /// <summary>Bins of every histogram.</summary>
    internal const int Bins = 20;

    private const int Width = 40;

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => [Before.Count > 0 ? Picture : new ReportText(ToString())];

    /// <summary>Bars, where anything was compared.</summary>
    internal ReportPicture Picture => new(BeforeAfterBars.Draw(Edges, Before, After), $"Importance in {Layer}: all (light), those that stayed (dark)");

    /// <summary>A line a bin: # for weights or structures that stayed, - for those that went.</summary>
    public override string ToString()
    {
        var most = Math.Max(1, Before.Concat(After).DefaultIfEmpty(0).Max());
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"{Layer}: {Before.Sum()} weights or structures before, {After.Sum()} after"));
        for (var bin = 0; bin < Before.Count; bin++)
        {
            var (after, before) = (Length(After[bin]), Length(Before[bin]));
            text.AppendLine().Append(string.Create(CultureInfo.InvariantCulture,
                $"{Edges[bin],11:G4} {new string('#', after)}{new string('-', Math.Max(0, before - after))} {After[bin]}/{Before[bin]}"));
        }

        return text.ToString();

        int Length(long count) => (int)((count * Width + most - 1) / most);
    }

    /// <summary>The number of the bin that a value belongs to.</summary>
    internal static int Bin(IReadOnlyList<double> edges, double value)
    {
        var (low, high) = (edges[0], edges[^1]);
        return high > low ? (int)Math.Clamp((value - low) / (high - low) * (edges.Count - 1), 0, edges.Count - 2) : 0;
    }

    /// <summary>Bins of equal width from the smallest to the largest finite value.</summary>
    internal static double[] EdgesOf(IEnumerable<float> values)
    {
        var (low, high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values)
        {
            (low, high) = float.IsFinite(value) ? (Math.Min(low, value), Math.Max(high, value)) : (low, high);
        }

        (low, high) = low <= high ? (low, high) : (0, 0);
        return [.. Enumerable.Range(0, Bins + 1).Select(i => low + (high - low) * i / Bins)];
    }
}
