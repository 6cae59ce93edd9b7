using System.Globalization;
using System.Text.Json.Serialization;

namespace MLNet.Pruning;

/// <summary>What one step of a pruning schedule gave.</summary>
/// <param name="Step">Number of the step, from 1.</param>
/// <param name="Steps">Steps planned.</param>
/// <param name="Sparsity">Share of the weights in scope that are zero, or of the groups in scope that are gone, in [0, 1).</param>
/// <param name="NonZeros">Weights in scope that are left; where groups are removed, parameters of the network that are left.</param>
/// <param name="Pruned">Measured on the validation rows right after pruning; null without such rows.</param>
/// <param name="FineTuned">Measured after the step's fine-tuning; null without fine-tuning or without validation rows.</param>
/// <param name="Kept">False where the metric fell by more than the tolerance, so that the step was taken back.</param>
public sealed record PruningStep(int Step, int Steps, double Sparsity, long NonZeros, ValidationResult? Pruned, ValidationResult? FineTuned, bool Kept)
{
    /// <summary>The step's last measurement.</summary>
    public ValidationResult? Validation => FineTuned ?? Pruned;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"step {Step}/{Steps}: sparsity {Sparsity:0.0000}, {NonZeros} weights left")
        + (Pruned is null ? "" : $", validation {Pruned}") + (FineTuned is null ? "" : $", fine-tuned {FineTuned}") + (Kept ? "" : ", taken back");
}

/// <summary>What a pruning gave.</summary>
/// <param name="Before">The network before pruning on the validation rows; null without such rows.</param>
/// <param name="Steps">The steps in turn; only the last may be one that was taken back.</param>
public sealed record PruningReport(ValidationResult? Before, IReadOnlyList<PruningStep> Steps)
{
    /// <summary>Width by width what was removed; empty where weights were set to zero.</summary>
    public IReadOnlyList<LayerWidth> Widths { get; init; } = [];

    /// <summary>Names of the nodes whose place the identity took.</summary>
    public IReadOnlyList<string> Bypassed { get; init; } = [];

    /// <summary>
    /// What went otherwise than one would expect of the options, and why: layers that are left with nothing, outputs that became constant, an
    /// amount that was not reached or that leaves out a part of the network, a pruning that took nothing. Empty where nothing did. The same
    /// lines go to <c>MLContext.Log</c> as warnings.
    /// </summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What became of the pieces; null in a report that was made without a pruning.</summary>
    internal PieceRecord? Record { get; init; }

    /// <summary>Importance, layer by layer, before the pruning and of what stayed.</summary>
    [JsonIgnore]
    public IReadOnlyList<ImportanceHistogram> Histograms => [.. (Record?.All() ?? []).Select(table => table.Histogram())];

    /// <summary>Whether a step was taken back because the metric fell by more than the tolerance.</summary>
    public bool StoppedEarly => Steps.Any(step => !step.Kept);

    /// <summary>Why a piece went, or stayed.</summary>
    /// <param name="piece">
    /// A weight (<c>fc1.weight[3,17]</c>), a slice, a filter or neuron by what makes it (<c>conv2.weight[5]</c>, <c>conv2.bias[5]</c>) or reads it
    /// (<c>conv3.weight[:,5]</c>), a block by its name; indices from 0, in the numbering of the network before this pruning, however many steps it took.
    /// Any weight names the block of weights it is part of.
    /// </param>
    /// <exception cref="ArgumentException">No such piece was compared; the message says which there are.</exception>
    public PieceVerdict Why(string piece) => (Record ?? new()).Why(piece);

    /// <summary>Importance before the pruning and of what stayed.</summary>
    /// <param name="layer">Name of a layer or of its weight.</param>
    /// <exception cref="ArgumentException">No pieces of that layer were compared; the message names the nearest.</exception>
    public ImportanceHistogram Histogram(string layer) => (Record ?? new()).Find(layer).Histogram();

    /// <summary>
    /// Draws what is left of each layer, with the histograms of importance beneath: an SVG of its own, which any browser, editor or slide shows.
    /// Of weights, a grid of the first dimension (down) by the others (across), in at most 64 x 64 cells that are the darker the more is left; of
    /// what was removed, a cell a piece.
    /// </summary>
    /// <param name="path">The file; written beside and renamed.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveSvg(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        PruningMap.Save(this, path);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(Environment.NewLine,
        Steps.Select(step => step.ToString()).Concat(Widths.Select(width => width.ToString())).Concat(Warnings.Select(warning => $"warning: {warning}")));
}

/// <summary>The width of a layer before and after a removal.</summary>
/// <param name="Layer">Name of the layer that makes it.</param>
/// <param name="Kind">What its groups are.</param>
/// <param name="Before">Groups before.</param>
/// <param name="After">Groups after.</param>
/// <param name="Exact">Groups that the target alone would have left.</param>
/// <param name="Alignment">The multiple it was rounded to; 1 where it was not.</param>
public sealed record LayerWidth(string Layer, StructureKind Kind, int Before, int After, int Exact, int Alignment)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Layer}: {Before} -> {After}")
        + (Alignment > 1 ? string.Create(CultureInfo.InvariantCulture, $" ({Exact} rounded to a multiple of {Alignment})") : "");
}
