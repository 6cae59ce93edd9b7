using System.Numerics.Tensors;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>
/// Steps between integers that are learned on calibration rows, layer after layer, against what the layer makes in floats. A layer's are taken where the
/// outputs of the network, as ONNX Runtime computes it with its integers, are no farther from those of floats than they were.
/// </summary>
internal static class LearnedSteps
{
    private static readonly QuantizationRange[] s_starts = [QuantizationRange.MeanSquaredError, QuantizationRange.MinMax];

    /// <summary>What is rounded to what, with steps that are learned where a range says so.</summary>
    /// <param name="step">How.</param>
    /// <param name="measure">What is rounded to what by ranges that are measured.</param>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    /// <exception cref="NotSupportedException">The network cannot be run.</exception>
    public static QuantizationPlan Of(QuantizationStep step, Func<QuantizationStep, QuantizationPlan> measure)
    {
        if (step.Learning is not { } learning)
        {
            return measure(step);
        }

        var nearest = step with { Rounding = WeightRounding.Nearest };
        var (plan, error) = Start(nearest, measure);
        var roots = new HashSet<string>();
        foreach (var name in plan.Weights.Select(weight => weight.Name).ToArray())
        {
            step.CancellationToken.ThrowIfCancellationRequested();
            var layer = plan.Network.Layers.First(layer => layer.Weights.Contains(name));
            if (Refusal(layer, name) is { } reason)
            {
                step.Warnings.Add($"'{layer.Node.Name}' keeps the steps that its learning would start from: {reason}");
                continue;
            }

            // A range that several layers read is learned with the first of them.
            var root = step.Range is LearnedRange ? plan.Root(layer.Node) : null;
            var learned = LayerSteps.Learn(plan, layer, name, root is not null && roots.Add(root) ? root : null, nearest, learning.Iterations);
            if (Error(learned, nearest) is var after && after <= error)
            {
                (plan, error) = (learned, after);
            }
        }

        return plan;
    }

    /// <summary>Of measured ranges those whose outputs are nearest to those of floats.</summary>
    private static (QuantizationPlan Plan, double Error) Start(QuantizationStep step, Func<QuantizationStep, QuantizationPlan> measure)
    {
        var (best, least) = ((QuantizationPlan?)null, double.NaN);
        foreach (var range in s_starts)
        {
            // What stays in floats is noted once.
            var plan = measure(best is null ? step.From(range) : step.From(range) with { Floats = [], Warnings = [] });
            if (Error(plan, step) is var error && (best is null || error < least))
            {
                (best, least) = (plan, error);
            }
        }

        return (best!, least);
    }

    private static string? Refusal(LayerInfo layer, string weight)
        => layer.Node is not { Domain: "", Operator: "Conv" or "ConvTranspose" or "Gemm" or "MatMul" } ? $"{layer.Node.Operator} is not run by itself"
            : layer.Weights.Length > 1 || !layer.Node.Inputs.Take(2).Contains(weight) ? "its weight is not one of two operands as it is" : null;

    /// <summary>Squared error of the outputs, summed over the rows.</summary>
    private static double Error(QuantizationPlan plan, QuantizationStep step)
    {
        var (floats, quantized) = (plan.Network, plan.Write(step));
        string[] outputs = [.. floats.Graph.Outputs.Where(output => floats.Find(output)!.Type == TensorType.Float)];
        if (outputs.Length == 0)
        {
            // Behind what tells the largest alone, its place changes late.
            outputs = [floats.Layers.Last(layer => layer.Weights.Length > 0).Node.Outputs[0]];
        }

        using TensorProbe exact = new(floats, outputs), rounded = new(quantized, outputs);
        var (sum, expected) = (0.0, new Dictionary<string, float[]>());
        foreach (var (rows, count) in step.Batches(floats))
        {
            exact.Run(rows, count, (tensor, values) => expected[tensor] = values.ToArray());
            rounded.Run(rows, count, (tensor, values) => sum += TensorPrimitives.Distance<float>(values, expected[tensor]) is var distance
                ? (double)distance * distance : 0);
        }

        return sum;
    }
}
