using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Threading;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Input by input; later ones make up for what rounding the earlier ones did.</summary>
internal sealed class GptqRounding(double damping) : WeightRounding
{
    public override string ToString() => Notation.Call(nameof(Gptq), damping);

    internal override long[] Round(WeightToRound weight, QuantizationStep step)
    {
        if (!LayerInputs.Has(weight.Network, weight.Layer))
        {
            return Nearest.Round(weight, step);
        }

        using var scope = NewDisposeScope();
        using var run = step.Start(weight.Network);
        var moments = InputMoments.Of(weight.Network, run.Device, layer => layer.Node == weight.Layer.Node);
        InputMoments.Measure(run, moments);
        var (inputs, measured) = (moments[weight.Layer.Node].Inputs, moments[weight.Layer.Node].Read(run.Count, damping, step.CancellationToken));
        // What is rounded first has all others to make up for it.
        int[] order = [.. Enumerable.Range(0, inputs.Count).OrderByDescending(j => measured[j][j])];
        double[][] ordered = [.. order.Select(i => Array.ConvertAll(order, j => measured[i][j]))];
        var inverse = PositiveDefinite.Invert(PositiveDefinite.Factor(ordered, step.CancellationToken), step.CancellationToken);
        var columns = PositiveDefinite.Columns(PositiveDefinite.Factor(inverse, step.CancellationToken), step.CancellationToken);
        var (integers, scales) = (new long[weight.Parameter.Count], weight.Grid.Grid.ScalesOf(weight.Parameter.Shape));
        PartLoop.Run(inputs.Units, unit =>
        {
            var row = Array.ConvertAll(order, j => (double)weight.Parameter.Array[inputs.Place(unit, j)]);
            for (var j = 0; j < row.Length; j++)
            {
                var place = inputs.Place(unit, order[j]);
                var scale = scales(place);
                // A weight that was pruned is one that has no other integer.
                integers[place] = weight.Parameter.Array[place] == 0 ? weight.Grid.Grid.ZeroPoints[scale] : weight.Grid.Nearest(row[j], scale);
                PositiveDefinite.Subtract(row.AsSpan(j), columns[j], (row[j] - weight.Grid.Value(integers[place], scale)) / columns[j][0]);
            }
        }, step.CancellationToken);
        return integers;
    }
}
