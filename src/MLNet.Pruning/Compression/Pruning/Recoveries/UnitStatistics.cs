using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>
/// The weight and bias of a layer without batch normalisation right behind it, scaled and shifted so that each unit has the mean and the variance that it had
/// before the step, as REPAIR does it (Jordan et al. 2023). Both at once: of a unit that lost weights the mean alone drowns what is left of the rest.
/// </summary>
internal sealed class UnitStatistics
{
    /// <summary>A unit is scaled by no more than this, or by no less than its inverse: what is left of it may be mere noise.</summary>
    private const double MostScale = 5;

    private readonly LayerShift _shift;
    private readonly string _weight;
    private readonly int _dimension;
    private readonly int[] _kept;
    private readonly ChannelMoments _before;
    private readonly ChannelMoments _after;
    private readonly WeightMask? _mask;
    private ChannelMoments? _batch;

    private UnitStatistics(RecoveryStep step, LayerInfo layer, LayerShift shift, string tensor)
    {
        (_shift, _weight, Tensor) = (shift, layer.Weights[0], tensor);
        var units = layer.Node.Operator == "Conv" ? 1 : -1;
        var before = step.Before.Network[_weight];
        var axes = layer.Axes(before);
        (_dimension, _kept, _mask) = (axes.Output, step.Kept.All(_weight, axes.Output), step.After.Masks.GetValueOrDefault(shift.Parameter));
        (_before, _after) = (new(before.Shape[axes.Output], units), new(_kept.Length, units));
    }

    /// <summary>Name of the tensor of the units, biases added.</summary>
    public string Tensor { get; }

    /// <summary>Those of the dense layers and convolutions with a weight and a bias of their own, in the order of the graph.</summary>
    /// <param name="step">The step.</param>
    /// <param name="norms">Names of the normalisations that are measured.</param>
    public static IEnumerable<UnitStatistics> Of(RecoveryStep step, IReadOnlyCollection<string> norms)
    {
        var (before, after) = (step.Before.Network, step.After.Network);
        foreach (var layer in after.Layers.Where(layer => layer.Weights.Length == 1 && layer.Node.Operator is "Conv" or "Gemm" or "MatMul"
            && layer.Operand(layer.Weights[0]).Input == 1 && before.TryGetParameter(layer.Weights[0], out _)))
        {
            var weight = after[layer.Weights[0]];
            if (LayerShift.HasOwn(after, weight.Name, trained: true)
                && LayerShift.Of(after, layer.Node, weight.Shape[layer.Axes(weight).Output]) is { Factor: > 0 } shift
                && after.Consumers(shift.Parameter).First().Outputs[0] is var tensor && before.Tensors.ContainsKey(tensor)
                && !after.Consumers(tensor).Any(node => norms.Contains(node.Name)))
            {
                yield return new(step, layer, shift, tensor);
            }
        }
    }

    public void Before(Func<string, Tensor> find) => _batch = _before.Add(find(Tensor));

    /// <summary>Adds up what the units give, and corrects it for the layers behind.</summary>
    public void After(Func<string, Tensor> find)
    {
        var values = find(Tensor);
        var batch = _after.Add(values);
        var (scales, shifts) = Change(_batch!, batch);
        if (scales.Any(scale => scale != 1) || shifts.Any(shift => shift != 0))
        {
            using var scope = NewDisposeScope();
            using TorchSharp.Scalar one = 1.0;
            values.copy_((values * batch.Wide(scales, values)).add(batch.Wide(shifts, values), one));
        }
    }

    /// <summary>The weight and the bias; none where they did not change.</summary>
    public IEnumerable<Parameter> Result(Network network)
    {
        var (scales, shifts) = Change(_before, _after);
        if (scales.All(scale => scale == 1) && shifts.All(shift => shift == 0))
        {
            return [];
        }

        var (weight, bias) = (network[_weight], network[_shift.Parameter]);
        var values = weight.Values.ToArray();
        foreach (var (unit, start, length) in SliceRuns.Of(weight.Shape, _dimension))
        {
            for (var i = start; i < start + length; i++)
            {
                values[i] = (float)(values[i] * scales[unit]);
            }
        }

        return [weight.WithValues(values),
            bias.WithValues([.. bias.Values.ToArray().Select((value, unit) => (float)(value * scales[unit] + shifts[unit] / _shift.Factor))])];
    }

    /// <summary>What takes the moments after to those before; of a unit whose bias is held at zero, nothing.</summary>
    private (double[] Scales, double[] Shifts) Change(ChannelMoments before, ChannelMoments after)
    {
        var (was, now) = (before.Variance, after.Variance);
        var same = _kept.Select((unit, i) => _mask?[i] == false || after.IsNear(i, before, unit)).ToArray();
        double[] scales = [.. _kept.Select((unit, i) => same[i] || !(was[unit] > 0 && now[i] > 0) ? 1
            : Math.Clamp(Math.Sqrt(was[unit] / now[i]), 1 / MostScale, MostScale))];
        return (scales, [.. _kept.Select((unit, i) => same[i] ? 0 : before.Mean[unit] - scales[i] * after.Mean[i])]);
    }
}
