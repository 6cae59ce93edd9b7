using System.Numerics.Tensors;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>How often values of a tensor lie in each of equal parts between the least and the largest of them.</summary>
internal sealed class Histogram
{
    private const int Bins = 2048;
    private readonly long[] _counts = new long[Bins];

    /// <param name="low">The least value; zero where all are above.</param>
    /// <param name="high">The largest; zero where all are below.</param>
    public Histogram(float low, float high) => (Low, High, Width) = (low, high, ((double)high - low) / Bins);

    public double Low { get; }

    public double High { get; }

    /// <summary>Length of a part.</summary>
    public double Width { get; }

    public ReadOnlySpan<long> Counts => _counts;

    /// <summary>A histogram of these values alone.</summary>
    public static Histogram Of(ReadOnlySpan<float> values)
    {
        var (low, high) = values.IsEmpty ? (0, 0) : (Math.Min(0, TensorPrimitives.Min(values)), Math.Max(0, TensorPrimitives.Max(values)));
        var histogram = new Histogram(low, high);
        histogram.Add(values);
        return histogram;
    }

    public void Add(ReadOnlySpan<float> values)
    {
        if (Width == 0)
        {
            _counts[0] += values.Length;
            return;
        }

        foreach (var value in values)
        {
            _counts[Math.Clamp((int)((value - Low) / Width), 0, Bins - 1)]++;
        }
    }

    /// <summary>The value in the middle of a part.</summary>
    public double Centre(int bin) => Low + (bin + 0.5) * Width;

    /// <summary>Where a part begins.</summary>
    public double Edge(int bin) => Low + bin * Width;
}
