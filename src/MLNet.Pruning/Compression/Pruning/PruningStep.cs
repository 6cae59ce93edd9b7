using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Compression.Pruning.Record;
using MLNet.Pruning.Files;
using MLNet.Pruning.Messages.Reports;

namespace MLNet.Pruning;

/// <summary>What one step of a pruning schedule gave.</summary>
public sealed record PruningStep
{
    [JsonConstructor]
    internal PruningStep(int step, int steps, double sparsity, long nonZeros, ValidationResult? pruned, ValidationResult? fineTuned, bool kept)
        => (Step, Steps, Sparsity, NonZeros, Pruned, FineTuned, Kept) = (step, steps, sparsity, nonZeros, pruned, fineTuned, kept);

    /// <summary>Number of the step, from 1.</summary>
    public int Step { get; }

    /// <summary>Steps planned.</summary>
    public int Steps { get; }

    /// <summary>Share of the weights in scope that are zero, or of the groups in scope that are gone, in [0, 1).</summary>
    public double Sparsity { get; }

    /// <summary>Weights in scope that are left; where groups are removed, parameters of the network that are left.</summary>
    public long NonZeros { get; }

    /// <summary>Measured on the validation rows right after pruning; null without such rows.</summary>
    public ValidationResult? Pruned { get; internal init; }

    /// <summary>Measured after the step's fine-tuning; null without fine-tuning or without validation rows.</summary>
    public ValidationResult? FineTuned { get; }

    /// <summary>False where the metric fell by more than the tolerance, so that the step was taken back.</summary>
    public bool Kept { get; }

    /// <summary>What its loss of metric is at most; null unless the tolerance asks for a confidence.</summary>
    [JsonInclude]
    public LossBound? Bound { get; internal init; }

    /// <summary>The step's last measurement.</summary>
    public ValidationResult? Validation => FineTuned ?? Pruned;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"step {Step}/{Steps}: sparsity {Sparsity:0.0000}, {NonZeros} weights left")
        + (Pruned is null ? "" : $", validation {Pruned}") + (FineTuned is null ? "" : $", fine-tuned {FineTuned}") + (Bound is null ? "" : $", {Bound}")
        + (Kept ? "" : ", taken back");
}

/// <summary>What a pruning gave.</summary>
public sealed record PruningReport : StepReport
{
    [JsonConstructor]
    internal PruningReport(ValidationResult? before, IReadOnlyList<PruningStep> steps)
        => (Before, Steps) = (before, steps);

    /// <summary>The network before pruning on the validation rows; null without such rows.</summary>
    public ValidationResult? Before { get; }

    /// <summary>The steps in turn; only the last may be one that was taken back.</summary>
    public IReadOnlyList<PruningStep> Steps { get; internal init; }

    /// <summary>Width by width what was removed; empty where weights were set to zero.</summary>
    [JsonInclude]
    public IReadOnlyList<LayerWidth> Widths { get; internal init; } = [];

    /// <summary>Names of the nodes whose place the identity took.</summary>
    [JsonInclude]
    public IReadOnlyList<string> Bypassed { get; internal init; } = [];

    /// <summary>What made up for each step before it was measured, such as <c>Recalibrate(256)</c>; null for nothing.</summary>
    [JsonInclude]
    public string? Recovery { get; internal init; }

    /// <summary>
    /// What went otherwise than one would expect of the options, and why: layers that are left with nothing, outputs that became constant, an
    /// amount that was not reached or that leaves out a part of the network, a pruning that took nothing, calibration rows unlike those of the training.
    /// Empty where nothing did. The same lines go to <c>MLContext.Log</c> as warnings.
    /// </summary>
    [JsonInclude]
    public IReadOnlyList<string> Warnings { get; internal init; } = [];

    /// <summary>The ways that <c>PruneOneShot</c> tried, in turn; the steps are those of the best. Empty after any other pruning.</summary>
    [JsonInclude]
    public IReadOnlyList<OneShotCandidate> Candidates { get; internal init; } = [];

    /// <summary>What became of the weights or structures; null in a report that was made without a pruning.</summary>
    internal CandidateRecord? Record { get; init; }

    /// <summary>Importance, layer by layer, before the pruning and of what stayed.</summary>
    [JsonIgnore]
    public IReadOnlyList<ImportanceHistogram> Histograms => [.. (Record?.All() ?? []).Select(table => table.Histogram())];

    /// <summary>Whether a step was taken back because the metric fell by more than the tolerance.</summary>
    public bool StoppedEarly => Steps.Any(step => !step.Kept);

    /// <summary>The decision on a weight or structure: why it went, or stayed.</summary>
    /// <param name="name">
    /// A weight (<c>fc1.weight[3,17]</c>), a slice, a filter or neuron by what makes it (<c>conv2.weight[5]</c>, <c>conv2.bias[5]</c>) or reads it
    /// (<c>conv3.weight[:,5]</c>), a block by its name; indices from 0, in the numbering of the network before this pruning, however many steps it took.
    /// Any weight names the block of weights it is part of.
    /// </param>
    /// <exception cref="ArgumentException">No such weight or structure was compared; the message says which there are.</exception>
    public PruningDecision Decision(string name) => (Record ?? new()).Decision(name);

    /// <summary>Importance before the pruning and of what stayed.</summary>
    /// <param name="layer">Name of a layer or of its weight.</param>
    /// <exception cref="ArgumentException">No weights or structures of that layer were compared; the message names the nearest.</exception>
    public ImportanceHistogram Histogram(string layer) => (Record ?? new()).Find(layer).Histogram();

    /// <summary>
    /// Draws what is left of each layer, with the histograms of importance beneath: an SVG of its own, which any browser, editor or slide shows.
    /// Of weights, a grid of the first dimension (down) by the others (across), in at most 64 x 64 cells that are the darker the more is left; of
    /// what was removed, a cell each.
    /// </summary>
    /// <param name="path">The file; written beside and renamed.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveSvg(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.Write(path, stream => PruningMap.Save(this, stream));
    }

    /// <summary>Draws the same where a stream is, which stays open. It need not be one that can seek.</summary>
    /// <param name="stream">The stream.</param>
    /// <exception cref="ArgumentException">The stream cannot be written.</exception>
    public void SaveSvg(Stream stream) => PruningMap.Save(this, OpenStream.Writable(stream));

    /// <inheritdoc/>
    public override string ToString() => string.Join(Environment.NewLine,
        Steps.Select(step => step.ToString()).Concat(Made).Concat(Widths.Select(width => width.ToString()))
            .Concat(Warnings.Select(warning => $"warning: {warning}")).Concat(Candidates.Select(candidate => $"tried {candidate}")));

    internal override IReadOnlyList<ReportPart> Parts =>
    [
        new ReportTable(["step", "sparsity", "weights left", "validation", "fine-tuned", ""], [.. Steps.Select(step => (string[])[$"{step.Step}/{step.Steps}",
            step.Sparsity.ToString("0.0000", CultureInfo.InvariantCulture), step.NonZeros.ToString("N0", CultureInfo.InvariantCulture),
            step.Pruned?.ToString() ?? "", step.FineTuned?.ToString() ?? "", step.Kept ? "" : "taken back"])]),
        .. Widths.Count == 0 ? Array.Empty<ReportPart>() : [new ReportTable(["layer", "kind", "before", "after"], [.. Widths.Select(width => (string[])[
            width.Layer, width.Kind.ToString(), width.Before.ToString("N0", CultureInfo.InvariantCulture),
            width.After.ToString("N0", CultureInfo.InvariantCulture)])])],
        .. Made.Select(made => new ReportText(made)),
        .. Candidates.Count == 0 ? Array.Empty<ReportPart>() : [new ReportTable(["importance", "recovery", "schedule", "validation"],
            [.. Candidates.Select(candidate => (string[])[candidate.Importance, candidate.Recovery ?? "", candidate.Schedule,
                candidate.Validation?.ToString() ?? candidate.Reason ?? ""])])],
        .. Warnings.Select(warning => new ReportText($"warning: {warning}")),
        .. Histograms.Where(layer => layer.Before.Count > 0).Take(MostPictures).Select(layer => layer.Picture),
    ];

    private IEnumerable<string> Made => Recovery is null ? [] : [$"made up for by {Recovery}"];

    /// <summary>Layers of which notebooks show how importance is spread.</summary>
    private const int MostPictures = 12;
}

/// <summary>The width of a layer before and after a removal.</summary>
public sealed record LayerWidth
{
    [JsonConstructor]
    internal LayerWidth(string layer, StructureKind kind, int before, int after, int exact, int alignment)
        => (Layer, Kind, Before, After, Exact, Alignment) = (layer, kind, before, after, exact, alignment);

    /// <summary>Name of the layer that makes it.</summary>
    public string Layer { get; }

    /// <summary>What its groups are.</summary>
    public StructureKind Kind { get; }

    /// <summary>Groups before.</summary>
    public int Before { get; }

    /// <summary>Groups after.</summary>
    public int After { get; }

    /// <summary>Groups that the target alone would have left.</summary>
    public int Exact { get; }

    /// <summary>The multiple it was rounded to; 1 where it was not.</summary>
    public int Alignment { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Layer}: {Before} -> {After}")
        + (Alignment > 1 ? string.Create(CultureInfo.InvariantCulture, $" ({Exact} rounded to a multiple of {Alignment})") : "");
}
