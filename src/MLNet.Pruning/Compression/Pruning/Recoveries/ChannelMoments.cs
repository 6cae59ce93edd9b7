using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>Mean and variance of each channel of a tensor, over rows and positions of all batches.</summary>
/// <param name="channels">How many there are.</param>
/// <param name="dimension">Their dimension in the tensor; negative ones count from the last.</param>
internal sealed class ChannelMoments(int channels, int dimension)
{
    /// <summary>Of sums of floats in other orders.</summary>
    private const double Rounding = 1e-5;

    private readonly double[] _squares = new double[channels];

    /// <summary>Values of a channel so far.</summary>
    public double Count { get; private set; }

    public double[] Mean { get; } = new double[channels];

    public double[] Variance => Array.ConvertAll(_squares, sum => sum / Count);

    /// <summary>Adds a batch, by the formula of Chan, Golub &amp; LeVeque (1979).</summary>
    /// <returns>The batch's own moments.</returns>
    public ChannelMoments Add(Tensor values)
    {
        using var scope = NewDisposeScope();
        var own = (dimension + values.dim()) % values.dim();
        var (variances, means) = var_mean(values, [.. Enumerable.Range(0, (int)values.dim()).Select(d => (long)d).Where(d => d != own)], unbiased: false);
        var batch = new ChannelMoments(channels, dimension) { Count = values.numel() / Math.Max(1, channels) };
        Numbers(means).CopyTo(batch.Mean, 0);
        Array.ConvertAll(Numbers(variances), variance => variance * batch.Count).CopyTo(batch._squares, 0);
        var whole = Count + batch.Count;
        for (var channel = 0; channel < channels; channel++)
        {
            var difference = batch.Mean[channel] - Mean[channel];
            Mean[channel] += difference * batch.Count / whole;
            _squares[channel] += batch._squares[channel] + difference * difference * Count * batch.Count / whole;
        }

        Count = whole;
        return batch;
    }

    /// <summary>Whether a channel has the moments that another has elsewhere, up to rounding.</summary>
    public bool IsNear(int channel, ChannelMoments other, int otherChannel)
    {
        double one = _squares[channel] / Count, two = other._squares[otherChannel] / other.Count;
        return Math.Abs(one - two) <= Rounding * Math.Max(one, two) && Math.Abs(Mean[channel] - other.Mean[otherChannel]) <= Rounding * Math.Sqrt(one);
    }

    /// <summary>One number a channel in a shape that goes with the tensor.</summary>
    public Tensor Wide(IEnumerable<double> values, Tensor like)
    {
        long[] shape = [.. Enumerable.Repeat(1L, (int)like.dim())];
        shape[(dimension + shape.Length) % shape.Length] = channels;
        return tensor([.. values.Select(value => (float)value)], shape, device: like.device);
    }

    private static double[] Numbers(Tensor values) => values.to(ScalarType.Float64).cpu().data<double>().ToArray();
}
