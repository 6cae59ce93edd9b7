using MLNet.Pruning.Training;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>
/// Training that rounds in each forward pass what is to be rounded in the end, and passes gradients as if it did not (Bengio, L&#233;onard &amp; Courville
/// 2013, "Estimating or Propagating Gradients Through Stochastic Neurons"), with steps between integers that are learned (Esser et al. 2020, "Learned Step Size
/// Quantization").
/// </summary>
internal static class FakeQuantization
{
    /// <summary>What training gave, and the plan with weights and scales as it leaves them.</summary>
    /// <param name="plan">What is rounded to what.</param>
    /// <param name="train">Trains a network; measures beside it what it is without rounding.</param>
    /// <exception cref="NotSupportedException">Weights have zero points, or scales for blocks, or ranges are those of each batch.</exception>
    public static (TrainingResult Result, QuantizationPlan Plan) Train(QuantizationPlan plan, Func<Network, Func<Network, Network>, TrainingResult> train)
    {
        if (plan.Weights.FirstOrDefault(weight => weight.Grid.ZeroPoints.Any(zero => zero != 0)) is { } affine)
        {
            throw new NotSupportedException($"Weight '{affine.Name}' has zero points: weights that are trained are symmetric.");
        }

        if (plan.Weights.FirstOrDefault(weight => weight.Grid.Block > 0) is { } blocked)
        {
            throw new NotSupportedException($"Weight '{blocked.Name}' has a scale for each {blocked.Grid.Block} inputs: weights that are trained have one a "
                + "channel.");
        }

        if (plan.DynamicTensors.Count > 0)
        {
            throw new NotSupportedException($"'{plan.DynamicTensors[0]}' is rounded with the range of each batch: what is trained has ranges of its own.");
        }

        var writer = new QuantizedGraph(plan.Network);
        var changes = new Dictionary<string, string>();
        foreach (var (tensor, root) in plan.Tensors)
        {
            var (scale, zero) = plan.Ranges[root];
            changes[root] = writer.RoundInTraining(tensor, root, [scale], -1, byte.MinValue - zero, byte.MaxValue - zero);
        }

        foreach (var (name, grid, lowest, highest) in plan.Weights)
        {
            changes[name] = writer.RoundInTraining(name, name, grid.Scales, grid.Axis, lowest, highest);
        }

        var result = train(writer.Build(), network => Floats(plan.Network, network));
        var trained = result.Network;
        return (result, plan with
        {
            Network = Floats(plan.Network, trained),
            Ranges = plan.Ranges.ToImmutableDictionary(range => range.Key,
                range => (QuantizationPlan.Changed(range.Value.Scale, trained[changes[range.Key]].Values[0]), range.Value.Zero)),
            Weights = [.. plan.Weights.Select(weight => weight with
            {
                Grid = weight.Grid with
                {
                    Scales = [.. weight.Grid.Scales.Select((scale, i) => QuantizationPlan.Changed(scale, trained[changes[weight.Name]].Values[i]))],
                },
            })],
        });
    }

    /// <summary>A network with the weights of one that was trained with rounding.</summary>
    public static Network Floats(Network network, Network trained)
        => network.WithParameters(network.Parameters.Select(parameter => parameter.WithValues(trained[parameter.Name].Array)));
}
