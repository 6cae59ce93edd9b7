using System.Numerics.Tensors;

namespace MLNet.Pruning.Networks.Graph;

/// <summary>
/// The few values that the weights of a layer lie on, zero among them, and between which weights each is chosen: the nearest, or with a price a bit the one
/// whose squared error and bits together cost least (Chou, Lookabaugh &amp; Gray 1989, "Entropy-Constrained Vector Quantization").
/// </summary>
internal sealed class Codebook
{
    private Codebook(float[] values, int[] places, float[] breaks) => (Values, Places, Breaks) = (values, places, breaks);

    /// <summary>The values that some weight may go to, ascending.</summary>
    public float[] Values { get; }

    /// <summary>Their places among the values given, 0 for zero and from 1 the others.</summary>
    public int[] Places { get; }

    /// <summary>Up to which weight the value of the same place is chosen; the last has no such end.</summary>
    public float[] Breaks { get; }

    /// <summary>The nearest is chosen.</summary>
    /// <param name="values">The values besides zero.</param>
    public static Codebook Of(ReadOnlySpan<float> values) => Of(values, null, 0);

    /// <summary>What costs least is chosen.</summary>
    /// <param name="values">The values besides zero.</param>
    /// <param name="counts">How many weights chose each when the nearest was, zero first: that makes its bits.</param>
    /// <param name="price">Squared error that a bit is worth.</param>
    public static Codebook Of(ReadOnlySpan<float> values, ReadOnlySpan<long> counts, double price)
    {
        float[] all = [0, .. values];
        double total = counts.IsEmpty ? 0 : TensorPrimitives.Sum(counts) + all.Length;
        var costs = new double[all.Length];
        for (var i = 0; i < costs.Length && !counts.IsEmpty; i++)
        {
            costs[i] = price * Math.Log2(total / (counts[i] + 1));
        }

        var order = Enumerable.Range(0, all.Length).OrderBy(i => all[i]).ThenBy(i => costs[i]).ToArray();
        var (chosen, breaks) = (new List<int>(), new List<double>());
        foreach (var next in order)
        {
            // Costs are parabolas of the same width: each is the lowest in one interval, or nowhere.
            var from = double.NegativeInfinity;
            while (chosen.Count > 0 && (from = Break(all, costs, chosen[^1], next)) <= (breaks.Count > 0 ? breaks[^1] : double.NegativeInfinity))
            {
                chosen.RemoveAt(chosen.Count - 1);
                if (breaks.Count > 0)
                {
                    breaks.RemoveAt(breaks.Count - 1);
                }
            }

            if (from == double.PositiveInfinity)
            {
                continue;
            }

            if (chosen.Count > 0)
            {
                breaks.Add(from);
            }

            chosen.Add(next);
        }

        return new([.. chosen.Select(i => all[i])], [.. chosen], [.. breaks.Select(value => (float)value)]);
    }

    /// <summary>The place of what is chosen for a weight.</summary>
    public int Choose(float weight)
    {
        var place = Array.BinarySearch(Breaks, weight);
        return place < 0 ? ~place : place;
    }

    /// <summary>What weights become; a weight of zero stays that.</summary>
    public float[] Round(ReadOnlySpan<float> weights)
    {
        var rounded = GC.AllocateUninitializedArray<float>(weights.Length, pinned: true);
        for (var i = 0; i < rounded.Length; i++)
        {
            rounded[i] = weights[i] == 0 ? 0 : Values[Choose(weights[i])];
        }

        return rounded;
    }

    /// <summary>How many weights choose each of the values given, zero first.</summary>
    public long[] Count(ReadOnlySpan<float> weights)
    {
        var counts = new long[Places.Max() + 1];
        foreach (var weight in weights)
        {
            counts[weight == 0 ? 0 : Places[Choose(weight)]]++;
        }

        return counts;
    }

    /// <summary>The weight from which on a value costs less than one below it: nowhere where they are equal.</summary>
    private static double Break(float[] values, double[] costs, int below, int above)
    {
        double a = values[below], b = values[above];
        return a == b ? double.PositiveInfinity : (a + b) / 2 + (costs[above] - costs[below]) / (2 * (b - a));
    }
}
