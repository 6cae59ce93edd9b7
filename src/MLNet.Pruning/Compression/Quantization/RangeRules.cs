namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Nothing is clipped.</summary>
internal sealed class MinMaxRange : QuantizationRange
{
    public override string ToString() => nameof(MinMax);

    internal override (double Low, double High) Of(Histogram histogram, int levels, bool isSymmetric) => (histogram.Low, histogram.High);
}

/// <summary>As many values are clipped at either end.</summary>
internal sealed class PercentileRange(double share) : QuantizationRange
{
    public override string ToString() => Notation.Call(nameof(Percentile), share);

    internal override (double Low, double High) Of(Histogram histogram, int levels, bool isSymmetric)
    {
        var counts = histogram.Counts;
        long total = 0;
        foreach (var count in counts)
        {
            total += count;
        }

        var clipped = (long)((1 - share) / 2 * total);
        var (first, last) = (0, counts.Length);
        for (var below = 0L; first < counts.Length && below + counts[first] <= clipped; first++)
        {
            below += counts[first];
        }

        for (var above = 0L; last > first + 1 && above + counts[last - 1] <= clipped; last--)
        {
            above += counts[last - 1];
        }

        return (Math.Min(0, histogram.Edge(first)), Math.Max(0, histogram.Edge(last)));
    }
}

/// <summary>Learned from what a measured range starts with, which it is where nothing is learned.</summary>
internal sealed class LearnedRange(int iterations) : QuantizationRange
{
    /// <summary>Steps of gradient descent for each layer.</summary>
    public int Iterations => iterations;

    public override string ToString() => Notation.Call(nameof(Learned), iterations);

    internal override (double Low, double High) Of(Histogram histogram, int levels, bool isSymmetric) => MeanSquaredError.Of(histogram, levels, isSymmetric);
}
