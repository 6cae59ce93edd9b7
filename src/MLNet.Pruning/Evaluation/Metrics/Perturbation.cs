using MLNet.Pruning.Data;
using MLNet.Pruning.Evaluation.Metrics;

namespace MLNet.Pruning;

/// <summary>
/// A change of the rows that a network is measured on, to tell how robust it is: <c>Metric.Accuracy.Under(Perturbation.GaussianNoise(0.1))</c>. What changes
/// are the values that the network reads, behind whatever a chain does to its columns before. All is drawn by seeds: the same rows are changed in the same
/// way.
/// </summary>
public sealed class Perturbation
{
    private readonly string _text;
    private readonly Func<Network, LearningTask, (float Low, float High)?, IRowChange> _start;
    private readonly (float Low, float High)? _range;

    private Perturbation(string text, Func<Network, LearningTask, (float Low, float High)?, IRowChange> start, (float Low, float High)? range = null)
        => (_text, _start, _range) = (text, start, range);

    /// <summary>Adds to every value an independent number from a normal distribution around 0.</summary>
    /// <param name="deviation">Its standard deviation, in units of the values; above 0.</param>
    /// <param name="seed">Seed of the numbers.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="deviation"/> is out of range.</exception>
    public static Perturbation GaussianNoise(double deviation, int seed = 0)
    {
        Setting.Positive(deviation, nameof(deviation));
        return new(Notation.Call(nameof(GaussianNoise), deviation, seed), (network, _, range) =>
        {
            var random = new Random(seed);
            return new ValueChange(network.RowSize, row =>
            {
                foreach (ref var value in row)
                {
                    // Box and Muller 1958.
                    var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
                    value += (float)(deviation * normal);
                }
            }, range);
        });
    }

    /// <summary>
    /// Blurs images: each pixel becomes the mean of those around it, weighted by a Gaussian cut off at four deviations; pixels beyond the edge are those at
    /// the edge. That is <c>scipy.ndimage.gaussian_filter(mode="nearest")</c> of each channel.
    /// </summary>
    /// <param name="deviation">Standard deviation of the Gaussian, in pixels; above 0, and at most 100.</param>
    /// <param name="height">
    /// Rows of pixels, for a network that reads images as plain vectors [channels x height x width]; 0 for one that reads [channels, height, width].
    /// </param>
    /// <param name="width">Pixels in a row, likewise.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Perturbation Blur(double deviation, int height = 0, int width = 0)
    {
        if (!(deviation is > 0 and <= GaussianWindow.MostDeviation))
        {
            throw new ArgumentOutOfRangeException(nameof(deviation), deviation, $"A deviation in pixels lies above 0 and is at most "
                + $"{GaussianWindow.MostDeviation}.");
        }

        ImageRows.CheckSize(height, width);
        return new(Notation.Call(nameof(Blur), deviation, height, width), (network, _, range) =>
        {
            var size = ImageRows.Size(network, height, width, "Perturbation blurs", "Perturbation.Blur");
            var window = GaussianWindow.Of(deviation);
            return new ValueChange(network.RowSize, row =>
            {
                for (var plane = 0; plane < row.Length; plane += size.Height * size.Width)
                {
                    window.Blur(row.Slice(plane, size.Height * size.Width), size.Width);
                }
            }, range);
        });
    }

    /// <summary>Moves images by whole pixels; what comes in is 0.</summary>
    /// <param name="down">Pixels down; negative for up. Fewer than the image is high.</param>
    /// <param name="right">Pixels to the right; negative for the left. Fewer than it is wide.</param>
    /// <param name="height">
    /// Rows of pixels, for a network that reads images as plain vectors [channels x height x width]; 0 for one that reads [channels, height, width].
    /// </param>
    /// <param name="width">Pixels in a row, likewise.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Perturbation Shift(int down, int right, int height = 0, int width = 0)
    {
        // Whoever moves further than an array is long moves out of any image.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Abs((long)down), Array.MaxLength, nameof(down));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Math.Abs((long)right), Array.MaxLength, nameof(right));
        ImageRows.CheckSize(height, width);
        return new(Notation.Call(nameof(Shift), down, right, height, width), (network, _, range) =>
        {
            var size = ImageRows.Size(network, height, width, "Perturbation shifts", "Perturbation.Shift");
            if (Math.Abs(down) >= size.Height || Math.Abs(right) >= size.Width)
            {
                throw new ArgumentException($"A shift by {down} and {right} pixels moves images of {size.Height} x {size.Width} pixels out of sight.");
            }

            var before = new float[network.RowSize];
            return new ValueChange(network.RowSize, row =>
            {
                row.CopyTo(before);
                ImageRows.Move(before, row, size.Height, size.Width, down, right);
            }, range);
        });
    }

    /// <summary>
    /// The fast gradient sign method (Goodfellow, Shlens and Szegedy 2015): every value moves by epsilon in the direction in which the loss of the true label
    /// rises, by the gradient of the network at hand. The network must be one that can be trained, which one in integers cannot.
    /// </summary>
    /// <param name="epsilon">How far each value moves, in units of the values; above 0.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="epsilon"/> is out of range.</exception>
    public static Perturbation Fgsm(double epsilon)
    {
        Setting.Positive(epsilon, nameof(epsilon));
        return new(Notation.Call(nameof(Fgsm), epsilon), (network, task, range)
            => new GradientAttack(network, task, new(epsilon, epsilon, 1, null, range)));
    }

    /// <summary>
    /// Projected gradient descent (Madry et al. 2018): from a random place within epsilon of each value, steps in the direction of the sign of the loss's
    /// gradient, each brought back to within epsilon. The network must be one that can be trained, which one in integers cannot.
    /// </summary>
    /// <param name="epsilon">How far each value may move, in units of the values; above 0.</param>
    /// <param name="step">How far it moves in a step; above 0.</param>
    /// <param name="iterations">Steps; at least 1. Each runs the network forward and back.</param>
    /// <param name="seed">Seed of the places to start from.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Perturbation Pgd(double epsilon, double step, int iterations = 10, int seed = 0)
    {
        Setting.Positive(epsilon, nameof(epsilon));
        Setting.Positive(step, nameof(step));
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, 1);
        return new(Notation.Call(nameof(Pgd), epsilon, step, iterations, seed), (network, task, range)
            => new GradientAttack(network, task, new(epsilon, step, iterations, seed, range)));
    }

    /// <summary>The same, with values kept in the range that they can have, such as that of pixels.</summary>
    /// <param name="low">Least value.</param>
    /// <param name="high">Largest value; above the least.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty, or a number is not finite.</exception>
    public Perturbation Within(double low, double high)
    {
        Setting.NotNegative(Math.Abs(low), nameof(low));
        Setting.NotNegative(Math.Abs(high), nameof(high));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(high, low);
        return new($"{Bare}.{Notation.Call(nameof(Within), low, high)}", _start, ((float)low, (float)high));
    }

    /// <inheritdoc/>
    public override string ToString() => _text;

    /// <summary>The perturbation that a text stands for.</summary>
    /// <exception cref="ArgumentException">It stands for none; the message tells the nearest.</exception>
    internal static Perturbation Named(string text)
    {
        try
        {
            return Notation.Parse<Perturbation>(text);
        }
        catch (FormatException e)
        {
            throw new ArgumentException(e.Message, nameof(text), e);
        }
    }

    /// <summary>What changes rows for a network.</summary>
    /// <exception cref="ArgumentException">The network reads integers, or no images of the size.</exception>
    internal IRowChange Start(Network network, LearningTask task)
        => network.Inputs.FirstOrDefault(NetworkInputs.IsIntegerInput) is { } ids
            ? throw new ArgumentException($"{this} changes numbers a little, but the network reads '{ids.Name}' as {ids.Type}, of which there is no little.")
            : _start(network, task, _range);

    private string Bare => _range is null ? _text : _text[.._text.LastIndexOf($".{nameof(Within)}(", StringComparison.Ordinal)];
}
