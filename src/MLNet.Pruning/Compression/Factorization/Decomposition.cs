using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>A weight as a product of smaller ones, at any rank.</summary>
internal abstract class Decomposition
{
    /// <summary>The greatest rank of each mode: one for a matrix, two for Tucker-2.</summary>
    public abstract ImmutableArray<int> Full { get; }

    /// <summary>Whether it makes the layer add a constant to its outputs.</summary>
    public virtual bool Shifts => false;

    /// <summary>The layers for one of the nodes that read the weight, in order.</summary>
    public abstract IReadOnlyList<LayerPart> Parts(Node node, ImmutableArray<int> ranks);

    /// <summary>Share of the energy that is lost at a rank, at most or about.</summary>
    public abstract double Lost(ImmutableArray<int> ranks);

    /// <summary>Their weights.</summary>
    public abstract Factors Compute(ImmutableArray<int> ranks, CancellationToken cancellation);

    /// <summary>The ranks that rise above noise in the weight; null where none does.</summary>
    public abstract ImmutableArray<int>? AboveNoise();

    /// <summary>The least ranks of which every mode keeps that share of its energy.</summary>
    public abstract ImmutableArray<int> Keeping(double energy);

    /// <summary>Ranks from the greatest of which the layers are smaller to the least, the better of those that are as large.</summary>
    /// <param name="isSmaller">Whether they are.</param>
    public virtual IReadOnlyList<ImmutableArray<int>> Path(Func<ImmutableArray<int>, bool> isSmaller)
    {
        var (none, some) = (Full[0] + 1, 0);
        while (none - some > 1)
        {
            var rank = (none + some) / 2;
            (none, some) = isSmaller([rank]) ? (none, rank) : (rank, some);
        }

        return [.. Enumerable.Range(1, some).Reverse().Select(rank => ImmutableArray.Create(rank))];
    }

    /// <summary>The same rank in every mode, where a mode has so many.</summary>
    public ImmutableArray<int> Of(int rank) => [.. Full.Select(full => Math.Min(full, rank))];

    /// <summary>A share of the greatest rank of every mode, rounded up.</summary>
    public ImmutableArray<int> Fraction(double share) => [.. Full.Select(full => Math.Clamp((int)Math.Ceiling(share * full - 1e-9), 1, full))];

    /// <summary>The least number of leading values whose squares are that share of all; at least 1.</summary>
    protected static int Leading(IReadOnlyList<double> values, double energy)
    {
        var (all, sum) = (values.Sum(value => value * value), 0.0);
        for (var i = 0; i < values.Count; i++)
        {
            sum += values[i] * values[i];
            if (sum >= energy * all)
            {
                return i + 1;
            }
        }

        return Math.Max(1, values.Count);
    }

    /// <summary>Share of the squares that all but so many leading values are.</summary>
    protected static double Tail(IReadOnlyList<double> values, int rank)
    {
        var all = values.Sum(value => value * value);
        return all > 0 ? values.Skip(rank).Sum(value => value * value) / all : 0;
    }
}
