namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>
/// The structural similarity of two images (Wang, Bovik, Sheikh and Simoncelli 2004): luminance, contrast and structure within a Gaussian window of 11 x 11
/// pixels with a deviation of 1.5, the mean over all places where the whole window lies within the image.
/// </summary>
internal static class StructuralSimilarity
{
    public const int Window = 11;
    private const double Deviation = 1.5;
    private const double K1 = 0.01;
    private const double K2 = 0.03;

    private static readonly double[] s_weights = [.. new GaussianWindow(Deviation, Window / 2).Weights];

    /// <summary>The mean over planes.</summary>
    /// <param name="a">Planes of pixels, line by line.</param>
    /// <param name="b">The other image's.</param>
    /// <param name="height">Lines of a plane; at least those of the window.</param>
    /// <param name="width">Pixels in a line; at least those of the window.</param>
    /// <param name="peak">The range of the pixels: 1 of [0, 1].</param>
    public static double Of(ReadOnlySpan<float> a, ReadOnlySpan<float> b, int height, int width, double peak)
    {
        var (c1, c2, size) = (Math.Pow(K1 * peak, 2), Math.Pow(K2 * peak, 2), height * width);
        double sum = 0;
        for (var plane = 0; plane < a.Length; plane += size)
        {
            var (x, y) = (Doubles(a.Slice(plane, size)), Doubles(b.Slice(plane, size)));
            var (meanX, meanY) = (Filter(x, height, width), Filter(y, height, width));
            var squareX = Filter(Products(x, x), height, width);
            var squareY = Filter(Products(y, y), height, width);
            var product = Filter(Products(x, y), height, width);
            for (var i = 0; i < product.Length; i++)
            {
                var (means, varianceX, varianceY) = (meanX[i] * meanY[i], squareX[i] - meanX[i] * meanX[i], squareY[i] - meanY[i] * meanY[i]);
                sum += (2 * means + c1) * (2 * (product[i] - means) + c2)
                    / ((meanX[i] * meanX[i] + meanY[i] * meanY[i] + c1) * (varianceX + varianceY + c2)) / product.Length;
            }
        }

        return sum / (a.Length / size);
    }

    private static double[] Doubles(ReadOnlySpan<float> values) => Array.ConvertAll(values.ToArray(), value => (double)value);

    private static double[] Products(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x * y)];

    /// <summary>The weighted means of all windows within a plane: along lines first, then along columns.</summary>
    private static double[] Filter(double[] plane, int height, int width)
    {
        var (lines, columns) = (height - Window + 1, width - Window + 1);
        var across = new double[height * columns];
        for (var i = 0; i < across.Length; i++)
        {
            var start = i / columns * width + i % columns;
            for (var w = 0; w < Window; w++)
            {
                across[i] += s_weights[w] * plane[start + w];
            }
        }

        var means = new double[lines * columns];
        for (var i = 0; i < means.Length; i++)
        {
            for (var w = 0; w < Window; w++)
            {
                means[i] += s_weights[w] * across[i + w * columns];
            }
        }

        return means;
    }
}
