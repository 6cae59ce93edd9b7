using Microsoft.ML.Data;

namespace Microsoft.ML.Trainers.FastTree;

/// <summary>Every feature as the number of the bin its value lies in: bins of single values where there are few, of equal mass where there are many.</summary>
internal sealed class BinnedRows
{
    public BinnedRows(TrainingSet rows, int maximumBins)
    {
        Bins = new ushort[rows.FeatureCount][];
        Bounds = new float[rows.FeatureCount][];
        var values = new float[rows.FeatureCount][];
        for (int feature = 0; feature < values.Length; feature++)
        {
            values[feature] = new float[rows.Count];
        }

        for (int row = 0; row < rows.Count; row++)
        {
            foreach ((int feature, float value) in rows.Features[row].Items())
            {
                values[feature][row] = value;
            }
        }

        for (int feature = 0; feature < values.Length; feature++)
        {
            Bounds[feature] = FindBounds(values[feature], Math.Min(maximumBins, ushort.MaxValue));
            Bins[feature] = Array.ConvertAll(values[feature], value => Find(Bounds[feature], value));
        }
    }

    /// <summary>The bin of each row, feature by feature.</summary>
    public ushort[][] Bins { get; }

    /// <summary>Largest value of each bin but the last, feature by feature.</summary>
    public float[][] Bounds { get; }

    private static ushort Find(float[] bounds, float value)
    {
        int index = Array.BinarySearch(bounds, value);
        return (ushort)(index < 0 ? ~index : index);
    }

    private static float[] FindBounds(float[] values, int maximumBins)
    {
        var distinct = values.GroupBy(value => value).OrderBy(group => group.Key).Select(group => (Value: group.Key, Count: group.Count())).ToArray();
        var bounds = new List<float>();
        double remaining = values.Length, inBin = 0;
        for (int i = 0; i + 1 < distinct.Length; i++)
        {
            inBin += distinct[i].Count;
            int binsLeft = maximumBins - bounds.Count;
            if (distinct.Length <= maximumBins || (binsLeft > 1 && inBin >= remaining / binsLeft))
            {
                bounds.Add(Between(distinct[i].Value, distinct[i + 1].Value));
                remaining -= inBin;
                inBin = 0;
            }
        }

        return [.. bounds];
    }

    /// <summary>Half way, or the lower one where there is no number in between.</summary>
    private static float Between(float low, float high)
    {
        float middle = (float)((double)low / 2 + (double)high / 2);
        return middle < high ? middle : low;
    }
}
