using MLNet.Pruning.Evaluation.Metrics;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning;

public sealed partial class Metric
{
    /// <summary>Share of the weights that are zero, in [0, 1]; <see cref="LayerCost.Sparsity"/> of the whole network.</summary>
    public static Metric Sparsity { get; } = Counted("sparsity", "Share of the weights that are zero.", "", MetricDirection.HigherIsBetter,
        trial => new(trial.Cost.Total.Sparsity, double.IsNaN(trial.Cost.Total.Sparsity) ? "undefined: the network has no weights" : null));

    /// <summary>Values that the network learns: weights, biases, scales and shifts.</summary>
    public static Metric Parameters { get; } = Counted("parameters", "Values that the network learns.", "values", MetricDirection.LowerIsBetter,
        trial => new(trial.Cost.Total.Parameters));

    /// <summary>
    /// Multiplications with a weight, or within a product of two tensors, for one row, zeros among them; not a number where they depend on sizes that the
    /// network leaves open.
    /// </summary>
    public static Metric MultiplyAdds { get; } = Counted("multiply-adds", "Multiplications with weights for one row.", "a row", MetricDirection.LowerIsBetter,
        trial => trial.Cost.Total.MultiplyAdds is { } count ? new(count) : new(double.NaN, $"undefined: {trial.Cost.Total.MultiplyAddsFormula}"));

    /// <summary>Bytes on disk of the ONNX file that <see cref="Network.SaveOnnx(string, bool, string)"/> writes, as it writes it by default.</summary>
    public static Metric FileSize { get; } = Counted("file-size", "Bytes on disk of the network as an ONNX file.", "bytes", MetricDirection.LowerIsBetter,
        trial => new(OnnxWriter.Write(trial.Network).CalculateSize()));

    private static Metric[] OfNetworks => [Sparsity, Parameters, MultiplyAdds, FileSize];

    private static Metric Counted(string name, string legend, string unit, MetricDirection direction, Func<Trial, Measured> count)
        => new(name, legend, unit, direction, count, LearningTask.All) { NeedsRows = false, IsCount = true };
}
