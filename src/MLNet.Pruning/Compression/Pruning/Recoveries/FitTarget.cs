using MLNet.Pruning.Networks;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>
/// Where a layer is compared with the network before the step: behind it, or behind the sums that it alone adds to of what is still to be fitted, so that
/// it makes up for what their other branches lost too.
/// </summary>
/// <param name="Tensor">Name of the tensor, of the same shape as the layer's output.</param>
/// <param name="Factors">What each unit is multiplied by on the way there; null for 1.</param>
internal sealed record FitTarget(string Tensor, double[]? Factors)
{
    /// <summary>The farthest one.</summary>
    /// <param name="before">The network before the step.</param>
    /// <param name="after">What is left of it.</param>
    /// <param name="layer">The layer there.</param>
    /// <param name="later">Names of the layers that are fitted after it.</param>
    public static FitTarget Of(Network before, Network after, Node layer, IReadOnlySet<string> later)
    {
        var (tensor, factors) = (layer.Outputs[0], (double[]?)null);
        var target = new FitTarget(tensor, null);
        while (!after.Graph.Outputs.Contains(tensor) && after.Consumers(tensor).Take(2).ToArray() is [{ Domain: "" } next]
            && after.Find(next.Outputs[0]) is { } output && after.Find(tensor) is { } input && output.Shape.SequenceEqual(input.Shape))
        {
            if (next.Operator == "BatchNormalization" && next.Inputs[0] == tensor && Scales(after, next) is { } scales)
            {
                factors = [.. scales.Select((scale, unit) => scale * (factors?[unit] ?? 1))];
            }
            else if (next.Operator == "Add")
            {
                var other = next.Inputs[next.Inputs[0] == tensor ? 1 : 0];
                var isSum = after.Parameter(other) is null && after.Graph.Constant(other) is null;
                if (isSum && (other == tensor || after.Nodes.TakeWhile(node => node != next).Any(node => later.Contains(node.Name))))
                {
                    break;
                }

                // A layer that was given a branch has its old output behind the sum of both.
                target = isSum && before.Tensors.ContainsKey(next.Outputs[0]) ? new(next.Outputs[0], factors) : target;
            }
            else if (next.Operator is not ("Identity" or "Dropout"))
            {
                break;
            }

            tensor = next.Outputs[0];
        }

        return target;
    }

    /// <summary>What batch normalisation multiplies each channel by; null where that is computed.</summary>
    private static double[]? Scales(Network network, Node norm) => norm.IsTraining || network.Parameter(norm.Inputs[1]) is not { } scale
        || network.Parameter(norm.Inputs[4]) is not { } variance ? null
        : [.. scale.Values.ToArray().Zip(variance.Values.ToArray(), (value, spread) => value / Math.Sqrt(spread + (double)norm.Float("epsilon", 1e-5f)))];
}
