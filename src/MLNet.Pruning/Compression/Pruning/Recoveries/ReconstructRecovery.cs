using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Operators;
using MLNet.Pruning.Threading;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>Least-squares weights and biases for the layers that lost inputs or weights, in the order of the graph.</summary>
internal sealed class ReconstructRecovery : Recovery
{
    private const string Name = $"{nameof(Recovery)}.{nameof(Reconstruct)}";
    private readonly int _rows;
    private readonly double _damping;

    public ReconstructRecovery(int rows, double damping)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        (_rows, _damping) = (rows, damping is > 0 and < double.PositiveInfinity ? damping
            : throw new ArgumentOutOfRangeException(nameof(damping), damping, "The damping is a finite number above 0."));
    }

    public override string ToString() => Notation.Call(nameof(Reconstruct), _rows, _damping);

    protected override PrunedNetwork RecoverCore(RecoveryStep step)
    {
        var (before, recovered) = (step.Before.Network, step.After);
        // Without a block all that comes behind it reads something else.
        var shortened = before.Layers.Any(layer => layer.Weights.Length > 0
            && recovered.Network.Nodes.All(node => node.Name != layer.Node.Name || node.Operator == "Identity"));
        var layers = recovered.Network.Layers.Where(layer => LayerInputs.Has(recovered.Network, layer) && before.TryGetParameter(layer.Weights[0], out _)
            && IsOwn(recovered.Network, layer.Weights[0]) && layer.Node.Float("alpha", 1) != 0 && (shortened || step.HasLost(layer)))
                .Select(layer => layer.Node.Name).ToArray();
        if (layers.Length == 0)
        {
            return recovered;
        }

        using var original = step.Start(Name, step.Before, _rows);
        foreach (var layer in layers)
        {
            recovered = Refit(step, original, recovered, recovered.Network.Layers.First(one => one.Node.Name == layer));
        }

        return recovered;
    }

    /// <summary>Whether a parameter is trained and read by one node alone.</summary>
    private static bool IsOwn(Network network, string parameter) => network[parameter].Trainable && network.Consumers(parameter).Count() == 1;

    private PrunedNetwork Refit(RecoveryStep step, CalibrationRun original, PrunedNetwork recovered, LayerInfo layer)
    {
        var network = recovered.Network;
        using var run = step.Start(Name, recovered, _rows);
        var inputs = LayerInputs.Of(network, layer, run.Device);
        var (bias, factor) = Bias(network, layer.Node, inputs.Units);
        // Where the layer was given a branch beside it, what counts is the sum of both.
        var output = layer.Node.Outputs[0] is var own && step.Before.Network.Tensors.ContainsKey(own) ? own
            : network.Consumers(own).First().Outputs[0];
        var size = inputs.Count + (bias is null ? 0 : 1);
        var moments = zeros([size, size], ScalarType.Float64, run.Device);
        var errors = zeros([inputs.Units, size], ScalarType.Float64, run.Device);
        var axes = layer.Axes(step.Before.Network[inputs.Weight]);
        var units = step.Kept.Of(inputs.Weight, axes.Output) is { } kept ? tensor(Array.ConvertAll(kept, index => (long)index), device: run.Device) : null;
        using (no_grad())
        {
            run.ForEachBatch((rows, _, _) =>
            {
                Tensor? target = null, read = null;
                original.Graph.Forward(rows, visit: (node, find) => target = node.Outputs.Contains(output) ? inputs.Outputs(find(output)) : target);
                run.Graph.Forward(rows, visit: (node, find) =>
                {
                    if (node.Name == layer.Node.Name)
                    {
                        read = inputs.Read(find);
                        read = bias is null ? read : cat([read, ones([1, read.shape[1]], ScalarType.Float64, run.Device)]);
                    }

                    if (node.Outputs.Contains(output))
                    {
                        Add(moments, errors, read!, (units is null ? target! : target!.index_select(0, units)) - inputs.Outputs(find(output)));
                    }
                });
            }, inputs.RowsAtOnce(run.BatchSize));
        }

        var (values, shifts) = Solve(recovered, inputs, bias, Read(moments), Read(errors), step.CancellationToken);
        var changed = new List<Parameter> { network[inputs.Weight].WithValues(Sum(network[inputs.Weight].Values, values, layer.Node.Float("alpha", 1))) };
        if (bias is not null)
        {
            changed.Add(network[bias].WithValues(Sum(network[bias].Values, shifts, factor)));
        }

        return recovered.WithWeights(network.WithParameters(changed));

        double[][] Read(Tensor matrix) => InputMoments.Rows(matrix, 1, step.CancellationToken);
    }

    private static void Add(Tensor moments, Tensor errors, Tensor read, Tensor error)
    {
        using TorchSharp.Scalar one = 1.0;
        moments.add_(read.matmul(read.t()), one);
        errors.add_(error.matmul(read.t()), one);
    }

    /// <summary>The parameter that shifts the layer's units, in the layer itself or right behind it, and what it is multiplied with.</summary>
    private static (string? Name, double Factor) Bias(Network network, Node node, int units)
    {
        bool Shifts(string? name) => name is not null && network.TryGetParameter(name, out var parameter) && parameter.Count == units && parameter.Shape[^1]
            == units && IsOwn(network, name);
        if (node.Input(2) is { } own)
        {
            return Shifts(own) && node.Float("beta", 1) != 0 ? (own, node.Float("beta", 1)) : (null, 1);
        }

        var next = node.Operator == "Conv" ? [] : network.Consumers(node.Outputs[0]).Take(2).ToArray();
        return next is [{ Operator: "Add", Domain: "" } add] && add.Inputs.FirstOrDefault(input => input != node.Outputs[0]) is var behind && Shifts(behind)
            ? (behind, 1) : (null, 1);
    }

    /// <summary>
    /// The change of each unit's weights that makes the error least, (A + damping) d = b over the inputs the unit keeps; units that keep the same
    /// share a factor. The bias is held by nothing.
    /// </summary>
    private (double[] Weights, double[] Biases) Solve(PrunedNetwork network, LayerInputs inputs, string? bias, double[][] moments, double[][] errors,
        CancellationToken cancellation)
    {
        var mean = Enumerable.Range(0, inputs.Count).Select(i => moments[i][i]).Average();
        for (var i = 0; i < inputs.Count; i++)
        {
            moments[i][i] += _damping * (mean > 0 ? mean : 1);
        }

        var (mask, shift) = (network.Masks.GetValueOrDefault(inputs.Weight), bias is null ? null : network.Masks.GetValueOrDefault(bias));
        int[] Free(int unit)
        {
            cancellation.ThrowIfCancellationRequested();
            return
            [
                .. Enumerable.Range(0, inputs.Count).Where(input => mask?[inputs.Place(unit, input)] != false),
                .. bias is not null && shift?[unit] != false ? [inputs.Count] : Array.Empty<int>(),
            ];
        }

        var (weights, biases) = (new double[inputs.Units * inputs.Count], new double[inputs.Units]);
        var alike = mask is null && shift is null ? [[.. Enumerable.Range(0, inputs.Units)]]
            : Enumerable.Range(0, inputs.Units).GroupBy(unit => string.Join(",", Free(unit))).Select(group => group.ToArray()).ToArray();
        PartLoop.Run(alike.Length, group =>
        {
            var units = alike[group];
            var free = Free(units[0]);
            var lower = PositiveDefinite.Factor([.. free.Select(i => Array.ConvertAll(free, j => moments[i][j]))], cancellation);
            PartLoop.Run(units.Length, one =>
            {
                var unit = units[one];
                var change = Array.ConvertAll(free, i => errors[unit][i]);
                PositiveDefinite.Solve(lower, change, cancellation);
                for (var i = 0; i < free.Length; i++)
                {
                    (free[i] < inputs.Count ? ref weights[inputs.Place(unit, free[i])] : ref biases[unit]) = change[i];
                }
            }, cancellation);
        }, cancellation);
        return (weights, biases);
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
