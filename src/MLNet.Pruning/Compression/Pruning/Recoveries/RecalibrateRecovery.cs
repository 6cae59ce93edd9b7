using MLNet.Pruning.Compression.Pruning.Importances;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>
/// Statistics of batch normalisation, and weights and biases of other layers, by what calibration rows give. All rows, or as many as memory is kept for, pass
/// both networks at once, and each layer is corrected before the next one reads it: one pass for all layers.
/// </summary>
internal sealed class RecalibrateRecovery : Recovery
{
    private const string Name = $"{nameof(Recovery)}.{nameof(Recalibrate)}";

    private readonly int _rows;

    public RecalibrateRecovery(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        _rows = rows;
    }

    public override string ToString() => Notation.Call(nameof(Recalibrate), _rows);

    protected override PrunedNetwork RecoverCore(RecoveryStep step)
    {
        var norms = NormStatistics.Of(step);
        var layers = UnitStatistics.Of(step, norms.Keys).ToDictionary(layer => layer.Tensor);
        if (norms.Count == 0 && layers.Count == 0)
        {
            return step.After;
        }

        using var noGrad = no_grad();
        using var original = step.Start(Name, step.Before, _rows);
        using var run = step.Start(Name, step.After, _rows);
        run.ForEachBatch((rows, _, _) =>
        {
            original.Graph.Forward(rows, visit: (node, find) =>
            {
                norms.GetValueOrDefault(node.Name)?.Before(find);
                node.Outputs.Select(layers.GetValueOrDefault).FirstOrDefault()?.Before(find);
            });
            run.Graph.Forward(rows, visit: (node, find) =>
            {
                run.CancellationToken.ThrowIfCancellationRequested();
                norms.GetValueOrDefault(node.Name)?.After(find);
                node.Outputs.Select(layers.GetValueOrDefault).FirstOrDefault()?.After(find);
            });
        }, step.RowsAtOnce(run));
        foreach (var warning in norms.Values.Select(norm => norm.Warning()).OfType<string>())
        {
            step.Warn(warning);
        }

        var network = step.After.Network;
        return step.After.WithWeights(network.WithParameters([.. norms.Values.SelectMany(norm => norm.Result()),
            .. layers.Values.SelectMany(layer => layer.Result(network))]));
    }
}
