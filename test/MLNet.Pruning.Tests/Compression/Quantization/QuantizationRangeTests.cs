using MLNet.Pruning.Compression.Quantization;

namespace MLNet.Pruning.Tests.Compression.Quantization;

/// <summary>Ranges of values, against sorting and trying all.</summary>
[TestClass]
public class QuantizationRangeTests
{
    private const int Levels = 256;

    [TestMethod]
    public void Percentiles_clip_as_many_at_either_end_as_sorting_says()
    {
        var values = Normal(20_000);
        Array.Sort(values);
        foreach (var share in new[] { 0.9, 0.99, 0.999 })
        {
            var (low, high) = QuantizationRange.Percentile(share).Of(Histogram.Of(values), Levels, false);
            var clipped = (int)((1 - share) / 2 * values.Length);
            // To a part of the histogram.
            var part = (values[^1] - values[0]) / 2048;
            Assert.AreEqual(values[clipped], low, 2 * part);
            Assert.AreEqual(values[^(clipped + 1)], high, 2 * part);
        }
    }

    [TestMethod]
    [DataRow(4)]
    [DataRow(16)]
    [DataRow(256)]
    public void The_squared_error_is_no_larger_than_that_of_any_other_clipping(int levels)
    {
        var values = Normal(5_000);
        values[7] = 30;
        var (low, high) = QuantizationRange.MeanSquaredError.Of(Histogram.Of(values), levels, false);
        var least = Enumerable.Range(1, 200).Min(i => Error(values, Math.Max(values.Min(), -30.0 * i / 200), 30.0 * i / 200, levels));
        // Candidates differ, and a histogram knows values to a part.
        Assert.IsLessThanOrEqualTo(1.02 * least + 1e-9, Error(values, low, high, levels));
        Assert.IsLessThan(Error(values, values.Min(), values.Max(), levels) * 1.0001, Error(values, low, high, levels));
    }

    [TestMethod]
    public void Entropy_clips_a_lonely_outlier_and_keeps_an_even_spread()
    {
        var values = Normal(20_000);
        values[3] = 60;
        var (_, high) = QuantizationRange.Entropy.Of(Histogram.Of(values), Levels, false);
        Assert.IsLessThan(30, high);
        var even = Enumerable.Range(0, 20_000).Select(i => i / 10_000f - 1).ToArray();
        var (low, top) = QuantizationRange.Entropy.Of(Histogram.Of(even), Levels, true);
        Assert.AreEqual(1, top, 0.05);
        Assert.AreEqual(-1, low, 0.05);
    }

    private static double Error(float[] values, double low, double high, int levels)
    {
        var scale = (high - low) / (levels - 1);
        var zero = Math.Round(-low / scale);
        return values.Sum(value => Math.Pow(value - (Math.Clamp(Math.Round(value / scale) + zero, 0, levels - 1) - zero) * scale, 2));
    }

    private static float[] Normal(int count)
    {
        var random = new Random(11);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()))
            * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}
