using MLNet.Pruning.Messages.Reports;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning;

/// <summary>What computes the scores of a network, and why; prints as a table of layers for single rows and one for batches, where these were timed.</summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed record RuntimeReport : IHtmlDisplay
{
    [JsonConstructor]
    internal RuntimeReport(ScoringRuntime requested, RuntimeChoice single, RuntimeChoice batch, string? machine = null)
        => (Requested, Single, Batch, Machine) = (requested, single, batch, machine);

    /// <summary>What was asked for.</summary>
    public ScoringRuntime Requested { get; }

    /// <summary>What scores single rows, as a <c>PredictionEngine</c> asks for them.</summary>
    public RuntimeChoice Single { get; }

    /// <summary>What scores batches, as <c>Transform</c> does.</summary>
    public RuntimeChoice Batch { get; }

    /// <summary>What it was timed on, such as "X64, vectors of 512 bits"; null where nothing was timed.</summary>
    public string? Machine { get; }

    /// <summary>Both choices, and the layers of those that were timed.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Parts);

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => Parts;

    private IReadOnlyList<ReportPart> Parts => [.. Of("Single rows", Single), .. Of($"Batches of {Batch.BatchSize:N0}", Batch)];

    /// <summary>Nothing timed: the same for all batches.</summary>
    internal static RuntimeReport Untimed(Network network, ScoringRuntime requested, string reason)
    {
        var isFixed = network.Inputs.All(input => input.IsKnown && input.Shape.Skip(1).All(size => size >= 0));
        var batch = BatchSizes.Of(isFixed ? Math.Max(1, network.RowSize) : 1);
        return new(requested, new(requested, 1) { Reason = reason }, new(requested, batch) { Reason = reason });
    }

    private static IEnumerable<ReportPart> Of(string rows, RuntimeChoice choice)
    {
        yield return new ReportText($"{rows}: {choice}");
        if (choice.Layers.Count > 0)
        {
            yield return new ReportTable(["layer", "kernel", "us", "ONNX Runtime us"],
                [.. choice.Layers.Select(layer => new[] { layer.Layer, layer.Kernel, Text(layer.Microseconds), Text(layer.OnnxRuntimeMicroseconds) })]);
        }
    }

    internal static string Text(double? microseconds) => microseconds?.ToString(microseconds < 100 ? "N1" : "N0", CultureInfo.InvariantCulture) ?? "";
}

/// <summary>What computes the scores of batches of a size.</summary>
public sealed record RuntimeChoice
{
    [JsonConstructor]
    internal RuntimeChoice(ScoringRuntime runtime, int batchSize) => (Runtime, BatchSize) = (runtime, batchSize);

    /// <summary>
    /// The runtime; <see cref="ScoringRuntime.Auto"/> where nothing was timed: ONNX Runtime, or libtorch where that does not run the network.
    /// </summary>
    public ScoringRuntime Runtime { get; }

    /// <summary>Rows at a time.</summary>
    public int BatchSize { get; }

    /// <summary>Why, where it was not by time.</summary>
    [JsonInclude]
    public string? Reason { get; internal init; }

    /// <summary>
    /// Median time of a batch on each candidate that was timed, in microseconds, by its name: <c>OnnxRuntime</c>, <c>Sparse</c> with every layer that has a
    /// kernel in it, <c>Sparse and OnnxRuntime</c> with those layers in ONNX Runtime that are faster there. Empty where none was.
    /// </summary>
    [JsonInclude]
    public IReadOnlyDictionary<string, double> Microseconds { get; internal init; } = ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>What each layer was timed at in managed code and by itself in ONNX Runtime; empty where none was.</summary>
    [JsonInclude]
    public IReadOnlyList<LayerRuntime> Layers { get; internal init; } = [];

    /// <inheritdoc/>
    public override string ToString() => Runtime + (Microseconds.Count > 0
        ? $" ({string.Join(", ", Microseconds.OrderBy(time => time.Value).Select(time => $"{time.Key} {RuntimeReport.Text(time.Value)} us"))})" : "")
        + (Reason is null ? "" : $": {Reason}");

    /// <summary>Layers that ONNX Runtime computes though they have a kernel.</summary>
    [JsonIgnore]
    internal IReadOnlySet<string> Elsewhere
        => Layers.Where(layer => layer is { Kernel: LayerRuntime.OnnxRuntime, OnnxRuntimeMicroseconds: not null }).Select(layer => layer.Layer)
            .ToImmutableHashSet();
}

/// <summary>What computes a layer, and how long it takes.</summary>
public sealed record LayerRuntime
{
    internal const string OnnxRuntime = "ONNX Runtime";

    [JsonConstructor]
    internal LayerRuntime(string layer, string kernel, double microseconds, double? onnxRuntimeMicroseconds)
        => (Layer, Kernel, Microseconds, OnnxRuntimeMicroseconds) = (layer, kernel, microseconds, onnxRuntimeMicroseconds);

    /// <summary>Name of the layer; what is computed along with it, such as a ReLU, is not named.</summary>
    public string Layer { get; }

    /// <summary>What computes it.</summary>
    public string Kernel { get; internal init; }

    /// <summary>Median time of a batch in managed code.</summary>
    public double Microseconds { get; }

    /// <summary>Median time of a batch in ONNX Runtime, the layer by itself; null where it was not timed.</summary>
    public double? OnnxRuntimeMicroseconds { get; }
}
