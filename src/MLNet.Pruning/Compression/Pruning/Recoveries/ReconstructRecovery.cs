using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Operators;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>Least-squares weights and biases for the layers that lost inputs or weights, in the order of the graph.</summary>
internal sealed class ReconstructRecovery : Recovery
{
    private const string Name = $"{nameof(Recovery)}.{nameof(Reconstruct)}";

    /// <summary>
    /// A unit whose output is multiplied by less than this share of what the most important unit's is, is left alone: to move the sum it would need huge
    /// weights.
    /// </summary>
    private const double LeastFactor = 0.01;

    private readonly int _rows;
    private readonly double? _damping;
    private readonly int _mostInputs;

    public ReconstructRecovery(int rows, double? damping, int mostInputs = OptimalBrainSurgeonImportance.MostInputs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        _mostInputs = mostInputs;
        (_rows, _damping) = (rows, damping is null or (> 0 and < double.PositiveInfinity) ? damping
            : throw new ArgumentOutOfRangeException(nameof(damping), damping, "The damping is a finite number above 0, or null."));
    }

    public override string ToString() => Notation.Call(nameof(Reconstruct), _rows, _damping);

    protected override PrunedNetwork RecoverCore(RecoveryStep step)
    {
        var (before, recovered) = (step.Before.Network, step.After);
        var shortened = step.IsShortened;
        var layers = recovered.Network.Layers.Where(layer => LayerInputs.Has(recovered.Network, layer, inGroups: true)
            && before.TryGetParameter(layer.Weights[0], out _) && LayerShift.HasOwn(recovered.Network, layer.Weights[0], trained: true)
            && layer.Node.Float("alpha", 1) != 0 && (shortened || step.HasLost(layer))).Select(layer => layer.Node.Name).ToArray();
        if (layers.Length == 0)
        {
            return recovered;
        }

        using var original = step.Read(Name, step.Before, _rows);
        Tell(step, layers);
        for (var i = 0; i < layers.Length; i++)
        {
            // A layer of too many inputs is fitted part by part, each to what those before it leave.
            for (var (part, parts) = (0, 1); part < parts; part++)
            {
                (recovered, parts) = Refit(step, original, recovered, recovered.Network.Layers.First(layer => layer.Node.Name == layers[i]),
                    layers[(i + 1)..].ToHashSet(), part);
            }
        }

        return recovered;
    }

    /// <summary>The most that is held at a time: of one part of a layer the second moments, of rows that are fitted and held back, and their factor.</summary>
    private void Tell(RecoveryStep step, string[] layers)
    {
        long Bytes(LayerInfo layer)
        {
            var (weight, groups) = (step.After.Network[layer.Weights[0]], layer.Node.Operator == "Conv" ? layer.Node.Int("group", 1) : 1);
            var inputs = 1L + Math.Min(_mostInputs, weight.Count / Math.Max(1, weight.Shape[layer.Axes(weight).Output]));
            return sizeof(double) * inputs * inputs * (groups * (_damping is null ? 2 : 1) + 2);
        }

        step.Check(Name, step.After.Network.Layers.Where(layer => layers.Contains(layer.Node.Name)).Max(Bytes));
    }

    private (PrunedNetwork Network, int Parts) Refit(RecoveryStep step, CalibrationRun original, PrunedNetwork recovered, LayerInfo layer,
        HashSet<string> later, int part)
    {
        using var scope = NewDisposeScope();
        var network = recovered.Network;
        using var run = step.Read(Name, recovered, _rows);
        LayerInputs[] parts = [.. LayerInputs.Of(network, layer, run.Device).Parts(_mostInputs, LayerInputs.Taps(network[layer.Weights[0]]))];
        var inputs = parts[part];
        var shift = LayerShift.Of(network, layer.Node, inputs.Units);
        var target = FitTarget.Of(step.Before.Network, network, layer.Node, later);
        var factors = target.Factors is null ? null : Inverse(target.Factors, inputs.Groups, run.Device);
        var fit = new LayerFit(inputs, recovered.Masks.GetValueOrDefault(inputs.Weight), shift is not null,
            shift is null ? null : recovered.Masks.GetValueOrDefault(shift.Parameter), _damping, run.Device, step.CancellationToken);
        var axes = layer.Axes(step.Before.Network[inputs.Weight]);
        var units = step.Kept.Of(inputs.Weight, axes.Output) is { } kept ? tensor(Array.ConvertAll(kept, index => (long)index), device: run.Device) : null;
        // Dimension of the units in the tensors.
        var dimension = layer.Node.Operator == "Conv" ? 1 : -1;
        using (no_grad())
        {
            run.ForEachBatch((rows, _, _) =>
            {
                var (aim, read) = (original.Graph.Forward(rows, last: target.Tensor), (Tensor?)null);
                run.Graph.Forward(rows, visit: (node, find) =>
                {
                    if (node.Name == layer.Node.Name)
                    {
                        read = inputs.ReadGroups(find);
                    }

                    if (node.Outputs.Contains(target.Tensor))
                    {
                        var lacking = inputs.OutputGroups(units is null ? aim : aim.index_select(dimension, units))
                            - inputs.OutputGroups(find(target.Tensor));
                        fit.Add(read!, factors is null ? lacking : lacking * factors, (int)rows.shape[0]);
                    }
                }, last: target.Tensor);
            }, inputs.RowsAtOnce(run.BatchSize));
        }

        var (values, shifts) = fit.Solve();
        var changed = new List<Parameter> { network[inputs.Weight].WithValues(Sum(network[inputs.Weight].Values, values, layer.Node.Float("alpha", 1))) };
        if (shift is not null)
        {
            changed.Add(network[shift.Parameter].WithValues(Sum(network[shift.Parameter].Values, shifts, shift.Factor)));
        }

        return (recovered.WithWeights(network.WithParameters(changed)), parts.Length);
    }

    /// <summary>Groups x units x 1: what makes of an error behind the factors one of the layer.</summary>
    private static Tensor Inverse(double[] factors, int groups, Device device)
    {
        var least = LeastFactor * factors.Max(Math.Abs);
        return tensor(Array.ConvertAll(factors, factor => Math.Abs(factor) > least ? 1 / factor : 0), [groups, factors.Length / groups, 1], device: device);
    }

    private static float[] Sum(ReadOnlySpan<float> values, double[] changes, double factor)
    {
        var sum = values.ToArray();
        for (var i = 0; i < sum.Length; i++)
        {
            sum[i] = (float)(sum[i] + changes[i] / factor);
        }

        return sum;
    }
}
