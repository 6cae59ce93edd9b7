using MLNet.Pruning.Messages.Reports;

namespace MLNet.Pruning;

/// <summary>The decision on a weight or structure: why it went, or stayed.</summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed record PruningDecision : IHtmlDisplay
{
    internal PruningDecision(string name, bool removed, int round, double importance, long rank, long of, double threshold, double sparsity)
        => (Name, Removed, Round, Importance, Rank, Of, Threshold, Sparsity) = (name, removed, round, importance, rank, of, threshold, sparsity);

    /// <summary>Its name, such as <c>fc1.weight[3,17]</c> or <c>conv2.weight[5]</c>, in the numbering before the pruning.</summary>
    public string Name { get; internal init; }

    /// <summary>Whether it went: was removed, or set to zero.</summary>
    public bool Removed { get; }

    /// <summary>
    /// The step that took it, from 1; of a weight or structure that stayed, the step in which it was last compared, be it one that was taken back; 0 where it
    /// was not compared.
    /// </summary>
    public int Round { get; }

    /// <summary>Its importance in that step, as it was compared: normalised or layer-adaptive where the options say so. NaN where it was not.</summary>
    public double Importance { get; }

    /// <summary>Its place among the weights or structures it was compared with, from 1, the least important.</summary>
    public long Rank { get; }

    /// <summary>Weights or structures that were compared: those of its pool, or of its N:M group, that were still there.</summary>
    public long Of { get; }

    /// <summary>Importance of the most important weight or structure that went in that comparison; NaN where none did.</summary>
    public double Threshold { get; }

    /// <summary>Share of all weights or structures in scope that were gone after that step, in [0, 1).</summary>
    public double Sparsity { get; internal init; }

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => [new ReportText(ToString())];

    /// <inheritdoc/>
    public override string ToString()
    {
        if (Round == 0)
        {
            return Removed ? $"{Name} was gone before this pruning" : $"{Name} stays; the pruning ended before the turn of its layer came";
        }

        var threshold = double.IsNaN(Threshold) ? "nothing went"
            : string.Create(CultureInfo.InvariantCulture, $"what had an importance of up to {Threshold:G4} went");
        return string.Create(CultureInfo.InvariantCulture, $"{Name} {(Removed ? "went" : "stays; last compared")} in round {Round} (sparsity "
            + $"{Sparsity:0.####}): importance {Importance:G4}, number {Rank} of {Of} from the least; {threshold}");
    }
}
