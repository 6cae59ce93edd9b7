using MLNet.Pruning.Messages.Reports;

namespace MLNet.Pruning;

/// <summary>
/// What a step of a chain did: <see cref="TrainingReport"/>, <see cref="PruningReport"/>, <see cref="AutoPruneReport"/>,
/// <see cref="QuantizationReport"/>, <see cref="FactorizationReport"/> or <see cref="TreePruningReport"/>. Prints as text.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public abstract record StepReport : IHtmlDisplay
{
    private protected StepReport()
    {
    }

    /// <summary>
    /// The step's options that are not as they are by default, by name, and its seed: what repeats the run on the same rows. Functions and other code of the
    /// user's are named and not told. Empty in files from before they were noted.
    /// </summary>
    [JsonInclude]
    public IReadOnlyDictionary<string, string> Settings { get; internal init; } = ImmutableSortedDictionary<string, string>.Empty;

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => Parts;

    /// <summary>What notebooks show: its lines, where a report has no tables.</summary>
    internal virtual IReadOnlyList<ReportPart> Parts => [.. ToString().Split(Environment.NewLine).Select(line => new ReportText(line))];

    /// <summary>What the step did, as text of several lines.</summary>
    public abstract override string ToString();
}
