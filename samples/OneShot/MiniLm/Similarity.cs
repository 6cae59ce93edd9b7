using System.Numerics.Tensors;

namespace MLNet.Pruning.Samples.OneShot;

/// <summary>How alike embeddings of length 1 are.</summary>
internal static class Similarity
{
    public static double Of(float[] one, float[] other) => TensorPrimitives.Dot<float>(one, other);

    /// <summary>Of each two that follow each other.</summary>
    public static double[] Pairs(float[][] embeddings) => [.. embeddings.Chunk(2).Select(pair => Of(pair[0], pair[1]))];

    /// <summary>Of any two.</summary>
    public static double[] Any(float[][] embeddings) => [.. embeddings.SelectMany((one, i) => embeddings.Skip(i + 1).Select(other => Of(one, other)))];

    /// <summary>Spearman's rank correlation; of equal values the first ranks lower.</summary>
    public static double Rank(double[] values, double[] others)
    {
        var (one, other) = (Ranks(values), Ranks(others));
        var n = (double)values.Length;
        return 1 - 6 * one.Zip(other, (a, b) => (double)(a - b) * (a - b)).Sum() / (n * (n * n - 1));
    }

    private static int[] Ranks(double[] values)
    {
        var ranks = new int[values.Length];
        foreach (var (rank, i) in Enumerable.Range(0, values.Length).OrderBy(i => values[i]).Index())
        {
            ranks[i] = rank;
        }

        return ranks;
    }
}
