using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>Adds the weights that read a removed unit to those that read its most similar neighbour.</summary>
internal sealed class MergeNearestRecovery : Recovery
{
    private const string Name = $"{nameof(Recovery)}.{nameof(MergeNearest)}";
    private readonly int _rows;

    public MergeNearestRecovery(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        _rows = rows;
    }

    public override string ToString() => Notation.Call(nameof(MergeNearest), _rows);

    internal override void Check(Granularity granularity)
    {
        if (granularity.Structure is null)
        {
            throw new ArgumentException($"{Name} merges units that are removed; structures of granularity '{granularity}' are "
                + $"{(granularity.IsDepth ? "whole layers" : "set to zero")}.", "Recovery");
        }
    }

    protected override PrunedNetwork RecoverCore(RecoveryStep step)
    {
        var (before, after) = (step.Before.Network, step.After.Network);
        bool Reads(LayerInfo layer) => step.Kept.Of(layer.Weights[0], layer.Axes(before[layer.Weights[0]]).Input) is not null;
        if (!before.Layers.Any(layer => LayerInputs.Has(before, layer) && Reads(layer)))
        {
            return step.After;
        }

        using var run = step.Start(Name, step.Before, _rows);
        var moments = InputMoments.Of(before, run.Device, Reads);
        InputMoments.Measure(run, moments);
        var coupling = before.Groups(step.Structure).Coupling;
        var changed = new List<Parameter>();
        foreach (var moment in moments.Values.DistinctBy(moment => moment.Inputs.Weight))
        {
            var inputs = moment.Inputs;
            var axis = coupling.Axes.First(axis => axis.Parameter == inputs.Weight && axis.Role == AxisRole.Input);
            var kept = step.Kept.All(inputs.Weight, axis.Dimension);
            var units = Enumerable.Range(0, axis.Classes.Length).GroupBy(index => coupling.Classes.Find(axis.Classes[index])).Select(unit => unit.ToArray())
                .ToLookup(unit => Array.BinarySearch(kept, unit[0]) >= 0);
            var values = after[inputs.Weight].Values.ToArray();
            var second = moment.Read(run.Count, 0, run.CancellationToken);
            foreach (var removed in units[false])
            {
                run.CancellationToken.ThrowIfCancellationRequested();
                Merge(removed, units[true].Where(unit => unit.Length == removed.Length), second, inputs, step, kept, values);
            }

            changed.Add(after[inputs.Weight].WithValues(values));
        }

        return step.After.WithWeights(after.WithParameters(changed));
    }

    /// <param name="removed">Indices of the removed unit along the weight's inputs.</param>
    /// <param name="others">Those of the units that stay.</param>
    /// <param name="moments">Second moments of what the layer reads.</param>
    /// <param name="inputs">The layer before the removal.</param>
    /// <param name="step">The step.</param>
    /// <param name="kept">Indices that stay.</param>
    /// <param name="values">The weight after the removal.</param>
    private static void Merge(int[] removed, IEnumerable<int[]> others, double[][] moments, LayerInputs inputs, RecoveryStep step, int[] kept, float[] values)
    {
        var weight = step.Before.Network[inputs.Weight];
        // Of a convolution, an index stands for a kernel's worth of inputs.
        var taps = inputs.Count / weight.Shape[inputs.IsTransposed ? 0 : 1];
        double Product(int[] a, int[] b) => a.Zip(b).Sum(pair =>
            Enumerable.Range(0, taps).Sum(tap => moments[pair.First * taps + tap][pair.Second * taps + tap]));
        var nearest = others.Select(unit => (Unit: unit, Both: Product(removed, unit), Own: Product(unit, unit))).Where(unit => unit.Own > 0)
            .OrderByDescending(unit => unit.Both * unit.Both / unit.Own).FirstOrDefault();
        if (nearest.Unit is null)
        {
            return;
        }

        var scale = nearest.Both / nearest.Own;
        var rows = step.Kept.All(inputs.Weight, inputs.IsTransposed ? 1 : 0);
        for (var row = 0; row < rows.Length; row++)
        {
            foreach (var (from, to) in removed.Zip(nearest.Unit))
            {
                for (var tap = 0; tap < taps; tap++)
                {
                    var column = Array.BinarySearch(kept, to) * taps + tap;
                    var place = inputs.IsTransposed ? column * rows.Length + row : row * kept.Length * taps + column;
                    values[place] += (float)(scale * weight.Values[inputs.Place(rows[row], from * taps + tap)]);
                }
            }
        }
    }
}
