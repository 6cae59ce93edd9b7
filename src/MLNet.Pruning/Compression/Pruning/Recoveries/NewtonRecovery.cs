using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>Weights and biases of the layers that lost something, in the order of the graph, by what the network puts out some layers further on.</summary>
internal sealed class NewtonRecovery : Recovery
{
    private const string Name = $"{nameof(Recovery)}.{nameof(Newton)}";

    private readonly int _rows;
    private readonly int _layersOn;
    private readonly double _ridge;
    private readonly int _steps;

    public NewtonRecovery(int rows, int layersOn, double ridge, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(layersOn);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        (_rows, _layersOn, _steps) = (rows, layersOn, steps);
        _ridge = ridge is > 0 and < double.PositiveInfinity ? ridge
            : throw new ArgumentOutOfRangeException(nameof(ridge), ridge, "The ridge is a finite number above 0.");
    }

    public override string ToString() => Notation.Call(nameof(Newton), _rows, _layersOn, _ridge, _steps);

    protected override PrunedNetwork RecoverCore(RecoveryStep step)
    {
        var (before, recovered, shortened) = (step.Before.Network, step.After, step.IsShortened);
        string[] layers = [.. recovered.Network.Layers.Where(layer => layer.Weights.Length > 0 && before.TryGetParameter(layer.Weights[0], out _)
            && (shortened || step.HasLost(layer))).Select(layer => layer.Node.Name)];
        if (layers.Length == 0)
        {
            return recovered;
        }

        using var run = step.Start(Name, step.Before, _rows);
        foreach (var name in layers)
        {
            var network = recovered.Network;
            var layer = network.Layers.First(one => one.Node.Name == name);
            string[] parameters = [.. Fitted(network, layer)];
            if (parameters.Length > 0 && RegionOutput.Of(step, network, layer.Node, _layersOn) is { } output)
            {
                using var fit = new RegionFit(run, step.RowsAtOnce(run), recovered, parameters, output);
                recovered = recovered.WithWeights(network.WithParameters(fit.Solve(_ridge, _steps)));
            }
        }

        return recovered;
    }

    /// <summary>The trained parameters that the layer alone reads, and what shifts its units behind it.</summary>
    private static IEnumerable<string> Fitted(Network network, LayerInfo layer)
    {
        var own = layer.Weights.Concat(layer.Parameters).Distinct().Where(name => LayerShift.HasOwn(network, name, trained: true));
        if (network.Graph.Outputs.Contains(layer.Node.Outputs[0]) || network.Consumers(layer.Node.Outputs[0]).Take(2).ToArray() is not [{ Domain: "" } next])
        {
            return own;
        }

        string? shift = next.Operator switch
        {
            "Add" => next.Inputs.FirstOrDefault(input => input != layer.Node.Outputs[0]),
            "BatchNormalization" => next.Inputs[2],
            _ => null,
        };
        return shift is not null && network.Parameter(shift) is not null && LayerShift.HasOwn(network, shift, trained: true) ? own.Append(shift) : own;
    }
}
