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

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Quantizer}, {Rounding}: {BytesBefore:N0} -> {BytesAfter:N0} bytes")
        + (Before is null ? "" : $", validation {Before} -> {After}")
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
