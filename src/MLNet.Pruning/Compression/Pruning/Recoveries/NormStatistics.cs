using MLNet.Pruning.Networks;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>The running mean and variance of a batch normalisation, measured anew.</summary>
internal sealed class NormStatistics
{
    /// <summary>Running standard deviations by which the mean of a channel may differ on the rows before the step.</summary>
    private const double MostShift = 3;

    /// <summary>Times that the variance of a channel may differ on the rows before the step.</summary>
    private const double MostSpread = 10;

    private readonly Node _node;
    private readonly Network _dense;
    private readonly Network _network;
    private readonly ChannelMoments _before;
    private readonly ChannelMoments _after;
    private readonly int[] _kept;
    private ChannelMoments? _batch;

    private NormStatistics(RecoveryStep step, Node node)
    {
        (_node, _dense, _network) = (node, step.Before.Network, step.After.Network);
        _kept = step.Kept.All(node.Inputs[3], 0);
        (_before, _after) = (new(_dense[node.Inputs[3]].Count, 1), new(_network[node.Inputs[3]].Count, 1));
    }

    /// <summary>Those of normalisations that alone read their statistics, by name.</summary>
    public static Dictionary<string, NormStatistics> Of(RecoveryStep step) => step.After.Network.Nodes.Where(node =>
        node is { Domain: "", Operator: "BatchNormalization", IsTraining: false }
        && step.Before.Network.Nodes.Any(before => before.Name == node.Name && before.Operator == node.Operator)
        && node.Inputs.Skip(1).All(name => step.After.Network.Parameter(name) is not null && step.Before.Network.Parameter(name) is not null)
        && node.Inputs.Skip(3).All(name => LayerShift.HasOwn(step.After.Network, name, trained: false)))
        .ToDictionary(node => node.Name, node => new NormStatistics(step, node));

    public void Before(Func<string, Tensor> find) => _batch = _before.Add(find(_node.Inputs[0]));

    /// <summary>Adds up what the normalisation reads, and normalises that by itself for the layers behind.</summary>
    public void After(Func<string, Tensor> find)
    {
        var values = find(_node.Inputs[0]);
        var batch = _after.Add(values);
        if (Changed(_batch!, batch) is var (means, variances))
        {
            using var scope = NewDisposeScope();
            using TorchSharp.Scalar one = 1.0;
            var (factors, biases) = (_network[_node.Inputs[1]].Values.ToArray(), _network[_node.Inputs[2]].Values.ToArray());
            double[] scales = [.. variances.Select((variance, channel) => factors[channel] / Math.Sqrt(variance + Epsilon))];
            find(_node.Outputs[0]).copy_((values * batch.Wide(scales, values))
                .add(batch.Wide(means.Select((mean, channel) => biases[channel] - mean * scales[channel]), values), one));
        }
    }

    /// <summary>The statistics; none where they did not change.</summary>
    public IEnumerable<Parameter> Result() => Changed(_before, _after) is var (means, variances)
        ? [_network[_node.Inputs[3]].WithValues(Array.ConvertAll(means, mean => (float)mean)),
            _network[_node.Inputs[4]].WithValues(Array.ConvertAll(variances, variance => (float)variance))] : [];

    /// <summary>How far the statistics of the network before the step, on the same rows, are from its running ones; null where they are near.</summary>
    public string? Warning()
    {
        var (mean, variance) = (_dense[_node.Inputs[3]].Values.ToArray(), _dense[_node.Inputs[4]].Values.ToArray());
        var (measured, spreads) = (_before.Mean, _before.Variance);
        for (var channel = 0; channel < mean.Length && _before.Count > 1; channel++)
        {
            var shift = Math.Abs(measured[channel] - mean[channel]) / Math.Sqrt(variance[channel] + Epsilon);
            var spread = (spreads[channel] + Epsilon) / (variance[channel] + Epsilon);
            if (shift > MostShift || spread > MostSpread || spread < 1 / MostSpread)
            {
                return string.Create(CultureInfo.InvariantCulture,
                    $"The calibration rows are not like those that the network was trained on: before the step, channel {channel} of "
                    + $"'{_node.Name}' reads a mean of {measured[channel]:g3} and a variance of {spreads[channel]:g3} on them, its running statistics "
                    + $"are {mean[channel]:g3} and {variance[channel]:g3}. Prepare the rows as those of the training were.");
            }
        }

        return null;
    }

    private double Epsilon => _node.Float("epsilon", 1e-5f);

    /// <summary>
    /// Mean and variance of each channel; null where all are as before. Those of a channel that reads what it read stay, and so does the variance of one
    /// that is constant: another row's values would be divided by nothing.
    /// </summary>
    private (double[] Means, double[] Variances)? Changed(ChannelMoments before, ChannelMoments after)
    {
        var (means, variances, measured) = (_network[_node.Inputs[3]].Values.ToArray(), _network[_node.Inputs[4]].Values.ToArray(), after.Variance);
        var same = _kept.Select((channel, i) => after.IsNear(i, before, channel)).ToArray();
        return same.All(stays => stays) ? null
            : ([.. same.Select((stays, i) => stays ? means[i] : after.Mean[i])],
                [.. same.Select((stays, i) => stays || measured[i] == 0 ? variances[i] : measured[i])]);
    }
}
