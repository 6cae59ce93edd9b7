using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning.Record;

/// <summary>What became of the candidates of one parameter, of one width, or of the blocks of a network: six bytes each.</summary>
/// <param name="name">Name of the parameter or of the layer.</param>
/// <param name="layer">Name of the layer.</param>
/// <param name="shape">Of the parameter; of groups and blocks their number.</param>
/// <param name="layout">Which weights are a candidate.</param>
internal sealed class CandidateTable(string name, string layer, IReadOnlyList<int> shape, StructureLayout layout)
{
    /// <summary>Stands for candidates that were gone before.</summary>
    public const ushort Earlier = ushort.MaxValue;

    public string Name => name;

    public string Layer => layer;

    public IReadOnlyList<int> Shape => shape;

    public StructureLayout Layout => layout;

    /// <summary>Of N:M, the inputs that are compared with each other and the weights between one and the next.</summary>
    public (int Size, int Stride)? Pattern { get; init; }

    /// <summary>Of groups, the number of the group for each index of every parameter that is cut with them; -1 for none.</summary>
    public IReadOnlyList<CandidateSlices> Slices { get; init; } = [];

    /// <summary>Of blocks, their names.</summary>
    public IReadOnlyList<string>? Names { get; init; }

    /// <summary>What each was worth when it was last compared.</summary>
    public float[] Scores { get; private set; } = [];

    /// <summary>In which comparison of the pool, from 1, each went; 0 for those that stayed.</summary>
    public ushort[] Went { get; private set; } = [];

    /// <summary>Where they do not follow from the scores: each candidate's rank when it was last compared.</summary>
    public int[]? Ranks { get; private set; }

    /// <summary>Bins of the first comparison's scores, and what lies in them.</summary>
    public (double[] Edges, long[] Counts)? Before { get; private set; }

    /// <summary>Candidates that stayed.</summary>
    public long Left => Went.LongCount(went => went == 0);

    /// <summary>Fills in what was read from a file.</summary>
    public CandidateTable With(float[] scores, ushort[] went, int[]? ranks, (double[], long[])? before)
    {
        (Scores, Went, Ranks, Before) = (scores, went, ranks, before);
        return this;
    }

    /// <summary>Takes in a comparison.</summary>
    /// <param name="scores">The importance score of each candidate; of those that are gone, anything.</param>
    /// <param name="remained">Whether it was there to be compared.</param>
    /// <param name="remains">Whether it is still there.</param>
    /// <param name="comparison">The comparison's number in the pool, from 1.</param>
    /// <param name="ranks">The rank of each, where it does not follow from the scores.</param>
    public void Compare(ReadOnlySpan<float> scores, bool[] remained, bool[] remains, ushort comparison, int[]? ranks)
    {
        if (Went.Length == 0)
        {
            (Scores, Went, Ranks) = (new float[scores.Length], new ushort[scores.Length], ranks is null ? null : new int[scores.Length]);
            for (var i = 0; i < Went.Length; i++)
            {
                (Went[i], Scores[i]) = remained[i] ? ((ushort)0, scores[i]) : (Earlier, float.NaN);
            }

            var edges = ImportanceHistogram.EdgesOf(Scores);
            Before = (edges, Count(edges, went => went == 0));
        }

        for (var i = 0; i < Went.Length; i++)
        {
            if (Went[i] == 0)
            {
                Went[i] = remains[i] ? (ushort)0 : comparison;
                // The last of a width is there, but not compared any more.
                if (remained[i])
                {
                    Scores[i] = scores[i];
                    if (Ranks is not null)
                    {
                        Ranks[i] = ranks![i];
                    }
                }
            }
        }
    }

    /// <summary>Gives back what went in a comparison and those after it.</summary>
    public void TakeBack(ushort first)
    {
        for (var i = 0; i < Went.Length; i++)
        {
            Went[i] = Went[i] >= first && Went[i] != Earlier ? (ushort)0 : Went[i];
        }
    }

    public ImportanceHistogram Histogram() => Before is var (edges, counts) ? new(Name, edges, counts, Count(edges, went => went == 0))
        : new(Name, [0, 0], [0], [0]);

    private long[] Count(double[] edges, Func<ushort, bool> counts)
    {
        var bins = new long[edges.Length - 1];
        for (var i = 0; i < Went.Length; i++)
        {
            if (counts(Went[i]))
            {
                bins[ImportanceHistogram.Bin(edges, Scores[i])]++;
            }
        }

        return bins;
    }
}

/// <summary>Which group each index of a dimension of a parameter goes with.</summary>
/// <param name="Parameter">Its name.</param>
/// <param name="Dimension">The dimension.</param>
/// <param name="Groups">One an index; -1 for none.</param>
internal sealed record CandidateSlices(string Parameter, int Dimension, int[] Groups);
