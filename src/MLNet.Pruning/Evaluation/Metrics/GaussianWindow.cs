namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>A Gaussian cut off on both sides, as weights that sum to 1.</summary>
internal sealed class GaussianWindow
{
    /// <summary>A window that is wider than any image says nothing more.</summary>
    public const int MostDeviation = 100;

    private const double Truncation = 4;

    private readonly double[] _weights;

    /// <param name="deviation">Standard deviation, in pixels.</param>
    /// <param name="radius">Pixels on either side of the middle.</param>
    public GaussianWindow(double deviation, int radius)
    {
        _weights = [.. Enumerable.Range(-radius, 2 * radius + 1).Select(place => Math.Exp(-place * place / (2 * deviation * deviation)))];
        var sum = _weights.Sum();
        _weights = Array.ConvertAll(_weights, weight => weight / sum);
    }

    /// <summary>Its weights, from one side to the other.</summary>
    public ReadOnlySpan<double> Weights => _weights;

    /// <summary>A window that ends at four deviations.</summary>
    public static GaussianWindow Of(double deviation) => new(deviation, (int)(Truncation * deviation + 0.5));

    /// <summary>Blurs a plane of pixels where it is; pixels beyond the edge are those at the edge. Two passes, one for each direction.</summary>
    /// <param name="plane">Its pixels, line by line.</param>
    /// <param name="width">Pixels in a line.</param>
    public void Blur(Span<float> plane, int width)
    {
        var height = plane.Length / width;
        for (var line = 0; line < height; line++)
        {
            Pass(plane[(line * width)..], width, 1);
        }

        for (var column = 0; column < width; column++)
        {
            Pass(plane[column..], height, width);
        }
    }

    private void Pass(Span<float> values, int count, int stride)
    {
        var (before, radius) = (new double[count], _weights.Length / 2);
        for (var i = 0; i < count; i++)
        {
            before[i] = values[i * stride];
        }

        for (var i = 0; i < count; i++)
        {
            double sum = 0;
            for (var w = 0; w < _weights.Length; w++)
            {
                sum += _weights[w] * before[Math.Clamp(i + w - radius, 0, count - 1)];
            }

            values[i * stride] = (float)sum;
        }
    }
}
