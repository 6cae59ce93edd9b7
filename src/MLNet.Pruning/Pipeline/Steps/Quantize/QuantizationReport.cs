using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Files;

namespace MLNet.Pruning;

/// <summary>What a quantisation did; prints a line of sizes and measures, and one for each layer that stayed as it was.</summary>
public sealed record QuantizationReport : StepReport
{
    [JsonConstructor]
    internal QuantizationReport(string quantizer, string rounding, ValidationResult? before, ValidationResult? after, long bytesBefore, long bytesAfter,
        IReadOnlyList<UnquantizedLayer> unquantized, IReadOnlyList<EpochResult> epochs)
        => (Quantizer, Rounding, Before, After, BytesBefore, BytesAfter, Unquantized, Epochs)
            = (quantizer, rounding, before, after, bytesBefore, bytesAfter, unquantized, epochs);

    /// <summary>To what, as <see cref="MLNet.Pruning.Quantizer"/> prints.</summary>
    public string Quantizer { get; }

    /// <summary>Which integers weights became, as <see cref="WeightRounding"/> prints.</summary>
    public string Rounding { get; }

    /// <summary>What was done to the floats first, as <see cref="QuantizationPreparation"/> prints; null for nothing.</summary>
    [JsonInclude]
    public string? Preparation { get; internal init; }

    /// <summary>The network of floats on the validation rows; null without such rows.</summary>
    public ValidationResult? Before { get; }

    /// <summary>The quantised network on the validation rows, as ONNX Runtime computes it with its integers; null without such rows.</summary>
    public ValidationResult? After { get; }

    /// <summary>Bytes of the ONNX file of the network of floats.</summary>
    public long BytesBefore { get; }

    /// <summary>Bytes of the ONNX file of the quantised network.</summary>
    public long BytesAfter { get; }

    /// <summary>The layers with weights that stayed as they were.</summary>
    public IReadOnlyList<UnquantizedLayer> Unquantized { get; }

    /// <summary>The epochs of its training, each measured with and without rounding; empty where nothing was trained.</summary>
    public IReadOnlyList<EpochResult> Epochs { get; }

    /// <summary>What each layer became, by name, where a budget chose; empty elsewhere.</summary>
    [JsonInclude]
    public IReadOnlyDictionary<string, string> Layers { get; internal init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>
    /// Draws the validation metric of each epoch of its training, with and without rounding, and of the network of floats before them: an SVG of its own, which
    /// any browser, editor or slide shows.
    /// </summary>
    /// <param name="path">The file; written beside and renamed.</param>
    /// <exception cref="InvalidOperationException">Nothing was trained, or there are no validation rows.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveSvg(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var chart = Chart();
        AtomicFile.Write(path, chart.Save);
    }

    /// <summary>Draws the same where a stream is, which stays open. It need not be one that can seek.</summary>
    /// <param name="stream">The stream.</param>
    /// <exception cref="InvalidOperationException">Nothing was trained, or there are no validation rows.</exception>
    /// <exception cref="ArgumentException">The stream cannot be written.</exception>
    public void SaveSvg(Stream stream)
    {
        var open = OpenStream.Writable(stream);
        Chart().Save(open);
    }

    private LineChart Chart()
    {
        const int Marks = 10;
        if (Before is null || Epochs.Count == 0)
        {
            throw new InvalidOperationException($"There are no measured epochs to draw: {(Before is null ? "the rows have no validation rows"
                : "nothing was trained; set QuantizationOptions.Epochs")}.");
        }

        var every = (Epochs.Count + Marks - 1) / Marks;
        (double, double) At(EpochResult epoch, ValidationResult? result) => (epoch.Epoch, result?.Metric ?? double.NaN);
        return new($"Validation {Before.Name} by epoch ({Quantizer})", "epoch", Before.Name,
            [.. Enumerable.Range(0, Epochs.Count + 1).Where(epoch => epoch % every == 0 || epoch == Epochs.Count).Select(epoch => (double)epoch)],
            [
                new("floats", "without rounding", [(0, Before.Metric), .. Epochs.Select(epoch => At(epoch, epoch.Floats))]),
                new("quantised", $"rounded to {Quantizer}", [.. Epochs.Select(epoch => At(epoch, epoch.Validation))]),
            ]);
    }

    /// <summary>What is likely not meant, such as a tensor that was zero in all calibration rows.</summary>
    [JsonInclude]
    public IReadOnlyList<string> Warnings { get; internal init; } = [];

    /// <inheritdoc/>
    public override string ToString() => $"{Quantizer}, {Rounding}" + (Preparation is null ? "" : $", {Preparation}")
        + string.Create(CultureInfo.InvariantCulture, $": {BytesBefore:N0} -> {BytesAfter:N0} bytes")
        + (Before is null ? "" : $", validation {Before} -> {After}")
        + string.Concat(Layers.Select(layer => $"{Environment.NewLine}{layer.Key}: {layer.Value}"))
        + string.Concat(Warnings.Select(warning => $"{Environment.NewLine}warning: {warning}"))
        + string.Concat(Epochs.Select(epoch => $"{Environment.NewLine}{epoch}")) + string.Concat(Unquantized.Select(layer => $"{Environment.NewLine}{layer}"));
}

/// <summary>A layer that was not quantised.</summary>
public sealed record UnquantizedLayer
{
    [JsonConstructor]
    internal UnquantizedLayer(string layer, string reason) => (Layer, Reason) = (layer, reason);

    /// <summary>Its name.</summary>
    public string Layer { get; }

    /// <summary>Why not.</summary>
    public string Reason { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Layer} stays as it was: {Reason}";
}
