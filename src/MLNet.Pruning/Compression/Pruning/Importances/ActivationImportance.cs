using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Criteria that look at what a unit puts out, behind its activation, over all rows and positions. Cost: one forward pass a row.</summary>
internal abstract class ActivationImportance(string maker, int rows) : CalibratedImportance(maker, rows)
{
    private readonly int _rows = Rows(rows);

    protected sealed override ImportanceScores MeasureCore(ImportanceContext context)
    {
        using var run = context.Start(Name, _rows);
        var units = UnitOutputs.Of(context.Network).ToLookup(unit => unit.Tensor);
        var sums = new Dictionary<string, (double[][] Moments, double Count)>();
        using (no_grad())
        {
            run.ForEachBatch((rows, _, _) => run.Graph.Forward(rows, visit: (node, find) =>
            {
                foreach (var unit in node.Outputs.SelectMany(output => units[output]).Take(1))
                {
                    using var scope = NewDisposeScope();
                    var tensor = find(unit.Tensor);
                    var values = tensor.transpose(unit.Axis, 0).flatten(1).to(ScalarType.Float64);
                    double[][] moments = [.. Moments(values).Select(moment => moment.cpu().contiguous().data<double>().ToArray())];
                    sums[unit.Tensor] = sums.TryGetValue(unit.Tensor, out var before)
                        ? ([.. moments.Zip(before.Moments, (now, then) => now.Zip(then, (a, b) => a + b).ToArray())], before.Count + values.shape[1])
                        : (moments, values.shape[1]);
                }
            }));
        }

        return new UnitScores(Name, units.SelectMany(unit => unit).Where(unit => sums.ContainsKey(unit.Tensor)).DistinctBy(unit => unit.Weight)
            .ToDictionary(unit => unit.Weight, unit =>
            {
                var (moments, count) = sums[unit.Tensor];
                return (unit.Dimension, Enumerable.Range(0, moments[0].Length).Select(i => Score([.. moments.Select(moment => moment[i] / count)])).ToArray());
            }));
    }

    /// <summary>Sums over the values of each unit.</summary>
    /// <param name="values">Units x values, in double precision.</param>
    protected abstract IEnumerable<Tensor> Moments(Tensor values);

    /// <summary>The score of a unit, from the means that the sums come to.</summary>
    protected abstract double Score(double[] means);
}
