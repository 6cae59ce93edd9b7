using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Evaluation.Metrics;

/// <summary>Metrics of images against scikit-image and scipy, and against closed forms.</summary>
[TestClass]
public class ImageMetricTests
{
    private const int Height = 16;
    private const int Width = 18;
    private readonly MLContext _ml = new(1);

    // Gives the image that it reads.
    private static readonly Network s_same = Network.Sequential([1, Height, Width], Layer.Conv2d(1, 1)).Initialize(1).With("conv1.weight", [1])
        .With("conv1.bias", [0]);

    private static readonly float[] s_first = [.. Enumerable.Range(0, Height * Width).Select(i => i * 37 % 101 / 101f)];

    private static readonly float[] s_second = [.. s_first.Select((value, i) => Math.Clamp(value + 0.3f * (i * 53 % 89 / 89f - 0.5f), 0, 1))];

    [TestMethod]
    public void They_are_those_of_scikit_image()
    {
        // structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False) and peak_signal_noise_ratio of scikit-image 0.19.3.
        var metrics = new[] { Metric.StructuralSimilarity(), Metric.PeakSignalToNoiseRatio() };
        var report = Evaluate(s_same, metrics, (s_first, s_second));
        Assert.AreEqual(0.95945622540415, report[metrics[0]], 1e-6);
        Assert.AreEqual(21.54039764901302, report[metrics[1]], 1e-4);
        float[] Large(float[] image) => Array.ConvertAll(image, value => 255 * value);
        Metric[] large = [Metric.Named("ssim(255)"), Metric.Named("PSNR(255)")];
        report = Evaluate(s_same, large, (Large(s_first), Large(s_second)));
        Assert.AreEqual(0.95945622540415, report[Metric.StructuralSimilarity(255)], 1e-6);
        Assert.AreEqual(21.54039764901302, report[Metric.PeakSignalToNoiseRatio(255)], 1e-4);
    }

    [TestMethod]
    public void Several_rows_are_their_mean_and_the_same_image_is_at_the_end_of_the_scale()
    {
        var (similarity, noise) = (Metric.StructuralSimilarity(), Metric.PeakSignalToNoiseRatio());
        var alone = Evaluate(s_same, [similarity], (s_first, s_second))[similarity];
        Assert.AreEqual((1 + alone) / 2, Evaluate(s_same, [similarity], (s_first, s_second), (s_second, s_second))[similarity], 1e-9);
        var same = Evaluate(s_same, [similarity, noise], (s_first, s_first));
        Assert.AreEqual(1, same[similarity], 1e-9);
        Assert.AreEqual(double.PositiveInfinity, same[noise]);
        // Of grey images a and b, (2 a b + c1) / (a^2 + b^2 + c1); off by 0.1 everywhere is 20 dB.
        var grey = Evaluate(s_same, [similarity, noise], ([.. s_first.Select(_ => 0.5f)], [.. s_first.Select(_ => 0.6f)]));
        Assert.AreEqual((2 * 0.5 * 0.6 + 1e-4) / (0.25 + 0.36 + 1e-4), grey[similarity], 1e-5);
        Assert.AreEqual(20, grey[noise], 1e-4);
    }

    [TestMethod]
    public void Similarity_is_the_mean_over_channels()
    {
        var two = Network.Sequential([2, Height, Width], Layer.Conv2d(2, 1)).Initialize(1).With("conv1.weight", [1, 0, 0, 1]).With("conv1.bias", [0, 0]);
        var metric = Metric.StructuralSimilarity();
        var alone = Evaluate(s_same, [metric], (s_first, s_second))[metric];
        Assert.AreEqual((1 + alone) / 2, Evaluate(two, [metric], ([.. s_first, .. s_first], [.. s_first, .. s_second]))[metric], 1e-9);
        Assert.AreEqual((1 + alone) / 2, Evaluate(two, new EvaluationOptions { Metrics = [metric], ImageLayout = ImageLayout.ChannelsLast },
            (Interleaved(s_first, s_first), Interleaved(s_first, s_second)))[metric], 1e-9);
    }

    [TestMethod]
    public void A_sigmoid_that_ends_the_network_is_part_of_the_image()
    {
        var sigmoid = Network.Sequential([1, Height, Width], Layer.Conv2d(1, 1), Layer.Sigmoid()).Initialize(1).With("conv1.weight", [0])
            .With("conv1.bias", [0]);
        var metric = Metric.PeakSignalToNoiseRatio();
        Assert.AreEqual(20, Evaluate(sigmoid, [metric], (s_first, [.. s_first.Select(_ => 0.6f)]))[metric], 1e-4);
    }

    [TestMethod]
    public void The_frechet_distance_is_scipys_and_by_hand_in_one_dimension()
    {
        // |m1 - m2|^2 + Tr(C1 + C2 - 2 sqrtm(C1 C2)) with numpy.cov and scipy.linalg.sqrtm.
        var (same, features) = (Dense(3), Dense(3));
        var rows = Enumerable.Range(0, 24).Select(row => (Enumerable.Range(3 * row, 3).Select(i => i * 37 % 101 / 101f).ToArray(),
            Enumerable.Range(3 * row, 3).Select(i => MathF.Pow(i * 29 % 97 / 97f, 2)).ToArray())).ToArray();
        var metric = Metric.FrechetInceptionDistance(features);
        Assert.AreEqual(0.08511276296520089, Evaluate(same, [metric], rows)[metric], 1e-6);
        Assert.AreEqual(0, Evaluate(same, [metric], [.. rows.Select(row => (row.Item1, row.Item1))])[metric], 1e-9);
        // Of one feature (m1 - m2)^2 + (s1 - s2)^2: here means 2 and 5, deviations sqrt 2 and sqrt 8.
        var one = Metric.FrechetInceptionDistance(Dense(1));
        Assert.AreEqual(9 + Math.Pow(Math.Sqrt(8) - Math.Sqrt(2), 2), Evaluate(Dense(1), [one], ([1], [3]), ([3], [7]))[one], 1e-6);
    }

    [TestMethod]
    public void What_does_not_fit_is_refused_by_name()
    {
        string Refusal<T>(Network network, Metric metric, params (float[], float[])[] rows) where T : Exception
            => Assert.ThrowsExactly<T>(() => Evaluate(network, [metric], rows)).Message;
        StringAssert.Contains(Refusal<ArgumentException>(Dense(8), Metric.StructuralSimilarity(), (new float[8], new float[8])), "Metric.StructuralSimilarity");
        StringAssert.Contains(Refusal<ArgumentException>(Dense(8), Metric.StructuralSimilarity(1, 2, 4), (new float[8], new float[8])), "11 x 11");
        StringAssert.Contains(Refusal<ArgumentOutOfRangeException>(Dense(8), Metric.PeakSignalToNoiseRatio(), (new float[8], new float[7])),
            "target column 'Label'");
        StringAssert.Contains(Refusal<ArgumentException>(Dense(8), Metric.FrechetInceptionDistance(Dense(3)), (new float[8], new float[8])), "reads 3 values");
        StringAssert.Contains(Refusal<TrainingDataException>(Dense(1), Metric.PeakSignalToNoiseRatio(), ([1], [float.NaN])), "column 'Label'");
        StringAssert.Contains(Refusal<ArgumentException>(Dense(8), Metric.Accuracy, (new float[8], new float[8])), "'accuracy'");
        Assert.ThrowsExactly<ArgumentException>(() => Metric.FrechetInceptionDistance(Network.Mlp(2, 2)));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Metric.PeakSignalToNoiseRatio(0));
        Assert.ThrowsExactly<ArgumentException>(() => Metric.Named("PSNR(1, 2)"));
    }

    private static Network Dense(int size) => Network.Sequential([size], Layer.Dense(size)).Initialize(1)
        .With("fc1.weight", [.. Enumerable.Range(0, size * size).Select(i => i / size == i % size ? 1f : 0)]).With("fc1.bias", new float[size]);

    private static float[] Interleaved(float[] a, float[] b) => [.. a.Zip(b, (x, y) => new[] { x, y }).SelectMany(pixel => pixel)];

    private EvaluationReport Evaluate(Network network, IReadOnlyList<Metric> metrics, params (float[] Features, float[] Label)[] rows)
        => Evaluate(network, new EvaluationOptions { Metrics = metrics }, rows);

    private EvaluationReport Evaluate(Network network, EvaluationOptions options, params (float[] Features, float[] Label)[] rows)
    {
        var schema = SchemaDefinition.Create(typeof(Pair));
        schema[nameof(Pair.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows[0].Features.Length);
        schema[nameof(Pair.Label)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows[0].Label.Length);
        var view = _ml.Data.LoadFromEnumerable(rows.Select(row => new Pair { Features = row.Features, Label = row.Label }), schema);
        return _ml.Compression().Evaluate(network, view, options);
    }

    private sealed class Pair
    {
        public float[] Features { get; set; } = [];

        public float[] Label { get; set; } = [];
    }
}
