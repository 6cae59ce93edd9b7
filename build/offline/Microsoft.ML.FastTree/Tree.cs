using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Trainers.FastTree;

/// <summary>A tree as it scores: at most the threshold goes left, anything else, missing values too, goes right; a negative child is a leaf.</summary>
internal sealed record Tree(int[] Left, int[] Right, int[] Features, float[] Thresholds, double[] Gains, double[] LeafValues)
{
    public double Score(ReadOnlySpan<float> row)
    {
        int node = 0;
        while (node >= 0)
        {
            node = row[Features[node]] <= Thresholds[node] ? Left[node] : Right[node];
        }

        return LeafValues[~node];
    }

    public double Score(in VBuffer<float> row)
    {
        int node = 0;
        while (node >= 0)
        {
            node = row.GetItemOrDefault(Features[node]) <= Thresholds[node] ? Left[node] : Right[node];
        }

        return LeafValues[~node];
    }

    public void Save(BinaryWriter writer)
    {
        writer.WriteSingles(Thresholds);
        for (int node = 0; node < Left.Length; node++)
        {
            writer.Write(Left[node]);
            writer.Write(Right[node]);
            writer.Write(Features[node]);
            writer.Write(Gains[node]);
        }

        foreach (double value in LeafValues)
        {
            writer.Write(value);
        }
    }

    public static Tree Load(BinaryReader reader)
    {
        float[] thresholds = reader.ReadSingles();
        int nodes = thresholds.Length;
        var tree = new Tree(new int[nodes], new int[nodes], new int[nodes], thresholds, new double[nodes], new double[nodes + 1]);
        for (int node = 0; node < nodes; node++)
        {
            tree.Left[node] = reader.ReadInt32();
            tree.Right[node] = reader.ReadInt32();
            tree.Features[node] = reader.ReadInt32();
            tree.Gains[node] = reader.ReadDouble();
        }

        for (int leaf = 0; leaf <= nodes; leaf++)
        {
            tree.LeafValues[leaf] = reader.ReadDouble();
        }

        return tree;
    }
}
