using MLNet.Pruning.Data;
using MLNet.Pruning.Evaluation.Metrics;

namespace MLNet.Pruning;

public sealed partial class Metric
{
    private const string NoiseName = "PSNR";
    private const string SimilarityName = "SSIM";

    private static Metric[] OfImages => [PeakSignalToNoiseRatio(), StructuralSimilarity()];

    /// <summary>
    /// The peak signal-to-noise ratio of the network's output and the image that it should be, the mean over rows of
    /// 10 log10(peak^2 / mean squared difference), in decibels; infinite where they are the same.
    /// </summary>
    /// <param name="peak">The range of the values: 1 of pixels in [0, 1], 255 of those in [0, 255]; above 0.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="peak"/> is out of range.</exception>
    public static Metric PeakSignalToNoiseRatio(double peak = 1)
    {
        Setting.Positive(peak, nameof(peak));
        return Compared(Numbered(NoiseName, (peak, 1)), "Peak signal-to-noise ratio of the output and the image it should be, mean over rows.", "dB",
            MetricDirection.HigherIsBetter, images => images.Mean((_, row) =>
            {
                var found = images.FoundIn(row);
                var expected = images.ExpectedIn(row);
                double sum = 0;
                for (var i = 0; i < found.Length; i++)
                {
                    sum += Math.Pow((double)found[i] - expected[i], 2);
                }

                return 10 * Math.Log10(peak * peak * found.Length / sum);
            }));
    }

    /// <summary>
    /// The structural similarity of the network's output and the image that it should be, the mean over rows and channels, in [-1, 1], 1 where they are the
    /// same (Wang, Bovik, Sheikh and Simoncelli 2004: a Gaussian window of 11 x 11 pixels with a deviation of 1.5, constants of 0.01 and 0.03).
    /// </summary>
    /// <param name="peak">The range of the values: 1 of pixels in [0, 1], 255 of those in [0, 255]; above 0.</param>
    /// <param name="height">
    /// Rows of pixels, for a network that gives plain vectors [channels x height x width]; 0 for one that gives [channels, height, width]. At least 11.
    /// </param>
    /// <param name="width">Pixels in a row, likewise.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Metric StructuralSimilarity(double peak = 1, int height = 0, int width = 0)
    {
        Setting.Positive(peak, nameof(peak));
        ImageRows.CheckSize(height, width);
        const int Least = Evaluation.Metrics.StructuralSimilarity.Window;
        return Compared(Numbered(SimilarityName, (peak, 1), (height, 0), (width, 0)),
            "Structural similarity of the output and the image it should be, mean over rows and channels.", "", MetricDirection.HigherIsBetter, images =>
            {
                var size = ImageRows.Size(images.Tensor, height, width, "SSIM compares images", "the network gives", "Metric.StructuralSimilarity");
                return size.Height >= Least && size.Width >= Least ? images.Mean((_, row)
                    => Evaluation.Metrics.StructuralSimilarity.Of(images.FoundIn(row), images.ExpectedIn(row), size.Height, size.Width, peak))
                    : throw new ArgumentException($"SSIM looks through a window of {Least} x {Least} pixels, but the network gives images of "
                        + $"{size.Height} x {size.Width}.");
            });
    }

    /// <summary>
    /// The Frechet distance of two sets of images by the features that a network of yours finds in them (Heusel et al. 2017, where it is Inception's last
    /// pooling): |m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)) of their means and covariances, at least 0. The images that the network at hand puts out are
    /// one set, those of the target column the other; they need not belong together row by row. It is biased upward for few rows: compare equal numbers.
    /// </summary>
    /// <param name="features">A network that reads such images, as they are; its output is the features.</param>
    /// <exception cref="ArgumentException">The network has parameters without values, or several outputs or inputs.</exception>
    public static Metric FrechetInceptionDistance(Network features)
    {
        ArgumentNullException.ThrowIfNull(features);
        if (!features.IsInitialized || features.Inputs.Length != 1 || features.Outputs.Length != 1)
        {
            throw new ArgumentException($"A network of features has values, one input and one output; this one has {features.Inputs.Length} inputs and "
                + $"{features.Outputs.Length} outputs{(features.IsInitialized ? "" : ", and parameters without values")}.", nameof(features));
        }

        return new("FID", "Frechet distance of the features of the images put out and of those expected.", "", MetricDirection.LowerIsBetter, trial =>
        {
            var images = trial.Images ?? throw new ArgumentException("The metric 'FID' needs a target column of images.");
            if (features.RowSize != images.RowSize || images.Rows < 2)
            {
                throw new ArgumentException($"The network of features reads {features.RowSize} values of at least 2 images, but there are {images.Rows} images "
                    + $"of {images.RowSize} values.");
            }

            float[] Features(float[] rows)
                => OutputImages.Run(features, features.Output.Name, features.Output.RowSize, rows, images.Rows, trial.Cancellation);
            return new(FrechetDistance.Of(Features(images.Found), Features(images.Expected), features.Output.RowSize));
        }, []);
    }

    /// <summary>One of those that take numbers, such as "PSNR(255)"; null where it is none.</summary>
    private static Metric? ImageNamed(string name)
    {
        var parts = name.TrimEnd(')').Split('(');
        if (parts.Length != 2 || !name.EndsWith(')') || !TryNumbers(parts[1], out var numbers))
        {
            return null;
        }

        var (height, width) = (Pixels(1), Pixels(2));
        return string.Equals(parts[0], NoiseName, StringComparison.OrdinalIgnoreCase) && numbers.Length == 1 ? PeakSignalToNoiseRatio(numbers[0])
            : string.Equals(parts[0], SimilarityName, StringComparison.OrdinalIgnoreCase) && numbers.Length <= 3 && height is not null && width is not null
            ? StructuralSimilarity(numbers[0], height.Value, width.Value) : null;

        int? Pixels(int place) => At(numbers, place, 0) is 0 ? 0 : Whole(At(numbers, place, 0));
    }

    private static Metric Compared(string name, string legend, string unit, MetricDirection direction, Func<OutputImages, double> measure)
    {
        Metric metric = null!;
        return metric = new(name, legend, unit, direction,
            trial => new(measure(trial.Images ?? throw Trial.Lacks(metric, "a target column of images that outputs are compared with"))), []);
    }
}
