using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>Puts a branch of low rank beside every layer that lost weights, or fits the branch it has anew.</summary>
internal sealed class LowRankRecovery : Recovery
{
    private const string Name = $"{nameof(Recovery)}.{nameof(LowRank)}";
    private readonly int _rank;

    public LowRankRecovery(int rank)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
        _rank = rank;
    }

    public override string ToString() => Notation.Call(nameof(LowRank), _rank);

    internal override void Check(Granularity granularity)
    {
        if (granularity.Removes)
        {
            throw new ArgumentException($"{Name} fills weights that are set to zero; structures of granularity '{granularity}' are removed.", "Recovery");
        }
    }

    protected override PrunedNetwork RecoverCore(RecoveryStep step)
    {
        var (before, recovered) = (step.Before.Network, step.After);
        foreach (var layer in recovered.Network.Layers.Where(layer =>
            LayerInputs.Has(recovered.Network, layer) && before.TryGetParameter(layer.Weights[0], out _) && step.HasLost(layer)).ToArray())
        {
            var weight = before[layer.Weights[0]];
            var matrix = WeightMatrix.Of(weight, layer.Axes(weight))!.Value;
            var branch = new LowRankBranch(layer.Node, weight.Name, matrix);
            var mask = recovered.Masks[weight.Name];
            if (LowRankBranch.Has(recovered.Network, weight.Name) || (long)_rank * (matrix.Rows + matrix.Columns) >= mask.Count - mask.Kept)
            {
                continue;
            }

            if (new[] { branch.U, branch.V }.FirstOrDefault(recovered.Masks.ContainsKey) is { } masked)
            {
                throw new InvalidOperationException($"{Name} would fit '{masked}' anew, which was pruned itself: leave it out of the scope.");
            }

            var target = weight.Values.ToArray();
            if (branch.Read(before) is var (rows, columns))
            {
                ForEach(matrix, (place, row, column) => target[place] += Product(rows[row], columns[column]));
            }

            var (u, v) = LowRankFit.Fit(matrix, target, mask, _rank, step.CancellationToken);
            ForEach(matrix, (place, row, column) => target[place] = mask[place] ? target[place] - Product(u[row], v[column]) : 0);
            var silent = Array.ConvertAll(u, row => new float[row.Length]);
            // Earlier weights compute what they computed, and can learn to use the branch.
            recovered = recovered.Changed(recovered.Masks, branch.Put(recovered.Network.WithParameters([weight.WithValues(target)]), u, v),
                earlier => branch.Put(earlier, silent, v));
        }

        return recovered;
    }

    private static float Product(float[] a, float[] b)
    {
        var sum = 0f;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    private static void ForEach(WeightMatrix matrix, Action<int, int, int> visit)
    {
        for (var row = 0; row < matrix.Rows; row++)
        {
            for (var column = 0; column < matrix.Columns; column++)
            {
                visit(matrix.Place(row, column), row, column);
            }
        }
    }
}
