using System.Runtime.Intrinsics;
using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Sparse;

namespace MLNet.Pruning.Tests.Scoring.Sparse;

/// <summary>Networks in sparse kernels against ONNX Runtime.</summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public class SparseProgramTests
{
    /// <summary>Networks of the zoo that have no managed form, for tensors that are neither rows nor images, or several inputs.</summary>
    private static readonly HashSet<string> s_without =
    [
        "vit", "lstm_sequence", "lstm_steps", "bigru_steps", "transformer", "transformer_gelu", "transformer_norm_first", "transformer_norm_first_gelu",
    ];

    public static IEnumerable<object[]> Networks => Zoo.Networks.Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void Published_networks_get_the_scores_that_ONNX_Runtime_gives(string name)
    {
        var network = Pruned(ScoreOutput.Fit(Network.FromOnnx(Zoo.Network(name).Path), LearningTask.Multiclass), 0.5);
        if (SparseCompiler.Compile(network, new HashSet<string>(), out var refusal) is not { } program)
        {
            Assert.IsNotNull(refusal);
            Assert.Contains(name, s_without, refusal);
            return;
        }

        Assert.DoesNotContain(name, s_without);
        Compare(network, program, 3, name);
    }

    [TestMethod]
    public void Any_number_of_rows()
    {
        var network = Pruned(Network.Mlp(50, 33, 17, 5).Initialize(1), 0.7);
        var program = SparseCompiler.Compile(network, new HashSet<string>(), out _)!;
        for (var rows = 1; rows <= 150; rows++)
        {
            Compare(network, program, rows, $"{rows} rows");
        }
    }

    [TestMethod]
    public void Convolutions_of_every_shape()
    {
        foreach (var (kernel, stride, padding, dilation) in from kernel in new[] { 1, 2, 3, 5 }
                                                            from stride in new[] { 1, 2, 3 }
                                                            from padding in new[] { 0, 1, 2 }
                                                            from dilation in new[] { 1, 2 }
                                                            select (kernel, stride, padding, dilation))
        {
            var size = 11 + kernel * stride % 4;
            var network = Pruned(Network.Sequential([3, size, size + 2], Layer.Conv2d(7, kernel, stride, padding, dilation), Layer.Relu(),
                Layer.Conv2d(5, 3, padding: 1), Layer.Flatten(), Layer.Dense(4)).Initialize(1), 0.6);
            Compare(network, Compile(network), 2, $"kernel {kernel}, stride {stride}, padding {padding}, dilation {dilation}");
        }
    }

    /// <summary>Images whose rows are worth being laid at cache lines, and some that are not: odd widths, and too far from a power of two.</summary>
    [TestMethod]
    public void Convolutions_of_every_width()
    {
        foreach (var (width, kernel, stride, dilation) in from width in new[] { 5, 6, 7, 8, 13, 14, 15, 24, 27, 28, 30, 31, 32, 54, 56, 60, 110, 112 }
                                                          from form in new[] { (3, 1, 1), (5, 1, 1), (3, 1, 2), (3, 2, 1), (2, 1, 1) }
                                                          select (width, form.Item1, form.Item2, form.Item3))
        {
            var padding = kernel / 2 * dilation;
            var network = Pruned(Network.Sequential([2, 9, width], Layer.Conv2d(8, 3, padding: 1), Layer.Relu(),
                Layer.Residual(Layer.Conv2d(8, 3, padding: 1), Layer.Relu(), Layer.Conv2d(8, 1)), Layer.Conv2d(9, kernel, stride, padding, dilation),
                Layer.Relu(), Layer.Conv2d(7, 3), Layer.GlobalAveragePool(), Layer.Flatten(), Layer.Dense(4)).Initialize(1), 0.3);
            Compare(network, Compile(network), 2, $"width {width}, kernel {kernel}, stride {stride}, dilation {dilation}");
        }
    }

    [TestMethod]
    [DataRow(7, true)]
    [DataRow(14, true)]
    [DataRow(28, true)]
    [DataRow(56, true)]
    [DataRow(112, true)]
    [DataRow(33, false)]
    [DataRow(200, false)]
    public void Rows_lie_at_cache_lines_where_little_room_is_lost(int width, bool isByColumns)
    {
        var network = Pruned(Network.Sequential([16, 7, width], Layer.Conv2d(16, 3, padding: 1), Layer.Relu(), Layer.Conv2d(16, 3, stride: 2, padding: 1),
            Layer.GlobalAveragePool(), Layer.Flatten(), Layer.Dense(4)).Initialize(1), 0.5);
        var kernel = isByColumns && Vector512.IsHardwareAccelerated ? "sparse convolution by columns" : "sparse convolution";
        Assert.AreEqual(kernel, Compile(network).Steps.Single(step => step.Name == network.Layers[0].Node.Name).Kernel);
    }

    [TestMethod]
    public void Poolings_of_every_shape()
    {
        foreach (var (kernel, stride, padding, average) in from kernel in new[] { 1, 2, 3, 5 }
                                                           from stride in new[] { 1, 2, 3 }
                                                           from padding in new[] { 0, 1, 2 }
                                                           from average in new[] { false, true }
                                                           where 2 * padding <= kernel
                                                           select (kernel, stride, padding, average))
        {
            var pool = average ? Layer.AveragePool(kernel, stride, padding) : Layer.MaxPool(kernel, stride, padding);
            var network = Pruned(Network.Sequential([2, 13, 18], Layer.Conv2d(6, 3, padding: 1), pool, Layer.Conv2d(5, 3, padding: 1), Layer.Flatten(),
                Layer.Dense(4)).Initialize(1), 0.5);
            Compare(network, Compile(network), 2, $"{(average ? "average" : "largest")} of {kernel}, stride {stride}, padding {padding}");
        }
    }

    [TestMethod]
    public void Residual_sums_lie_as_what_they_add()
    {
        var network = Pruned(Network.Sequential([3, 12, 12], Layer.Conv2d(8, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(),
            Layer.Residual(Layer.Conv2d(8, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(), Layer.Conv2d(8, 5, padding: 2)), Layer.Relu(),
            Layer.Residual(Layer.Conv2d(8, 1), Layer.Relu()), Layer.MaxPool(2), Layer.Residual(Layer.Sigmoid(), Layer.Conv2d(8, 3, padding: 1)),
            Layer.GlobalAveragePool(), Layer.Flatten(), Layer.Dense(6)).Initialize(2), 0.5);
        Compare(network, Compile(network), 5, "residual");
    }

    /// <summary>Each layer by itself in ONNX Runtime, and all others in kernels.</summary>
    [TestMethod]
    public void Layers_may_be_computed_elsewhere()
    {
        var network = Pruned(Network.Sequential([2, 10, 10], Layer.Conv2d(6, 3), Layer.Relu(), Layer.Conv2d(6, 3, groups: 6), Layer.Tanh(), Layer.Conv2d(8, 1),
            Layer.MaxPool(2), Layer.Flatten(), Layer.Dense(20), Layer.Relu(), Layer.Dense(5)).Initialize(3), 0.6);
        foreach (var layer in network.Layers.Where(layer => layer.Weights.Length > 0))
        {
            var program = SparseCompiler.Compile(network, new HashSet<string> { layer.Node.Name }, out var refusal);
            Assert.IsNotNull(program, refusal);
            Assert.DoesNotContain(layer.Node.Name, program.Steps.Where(step => step.Kernel != "ONNX Runtime").Select(step => step.Name));
            foreach (var rows in new[] { 1, 2, 70 })
            {
                Compare(network, program, rows, $"'{layer.Node.Name}' elsewhere, {rows} rows");
            }
        }
    }

    [TestMethod]
    public void A_row_that_is_not_a_number_spoils_its_own_scores_only()
    {
        foreach (var network in new[]
        {
            Pruned(Network.Mlp(40, 30, 5).Initialize(1), 0.5),
            Pruned(Network.Sequential([2, 8, 8], Layer.Conv2d(6, 3, padding: 1), Layer.Relu(), Layer.MaxPool(2), Layer.Flatten(), Layer.Dense(5))
                .Initialize(1), 0.5),
        })
        {
            using var scorer = new SparseScorer(Compile(network), softmax: false, 70);
            Fill(scorer.Rows);
            scorer.Run(70);
            float[][] before = [.. Enumerable.Range(0, 70).Select(row => scorer.Scores(row).ToArray())];
            scorer.Rows.AsSpan(33 * scorer.Width, scorer.Width).Fill(float.NaN);
            scorer.Run(70);
            for (var row = 0; row < 70; row++)
            {
                if (row == 33)
                {
                    Assert.IsTrue(scorer.Scores(row).ToArray().All(float.IsNaN));
                }
                else
                {
                    CollectionAssert.AreEqual(before[row], scorer.Scores(row).ToArray(), $"row {row}");
                }
            }
        }
    }

    [TestMethod]
    public void Threads_share_a_program_and_change_nothing()
    {
        var network = Pruned(Network.Sequential([2, 9, 9], Layer.Conv2d(6, 3, padding: 1), Layer.Sigmoid(), Layer.Flatten(), Layer.Dense(40), Layer.Relu(),
            Layer.Dense(5)).Initialize(1), 0.6);
        var program = Compile(network);
        float[] Score()
        {
            using var scorer = new SparseScorer(program, softmax: true, 20);
            Fill(scorer.Rows);
            for (var run = 0; run < 5; run++)
            {
                scorer.Run(20);
            }

            return [.. Enumerable.Range(0, 20).SelectMany(row => scorer.Scores(row).ToArray())];
        }

        var expected = Score();
        var found = new float[64][];
        var threads = found.Select((_, i) => new Thread(() => found[i] = Score())).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        foreach (var scores in found)
        {
            CollectionAssert.AreEqual(expected, scores);
        }
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(100)]
    public void No_row_allocates(int batch)
    {
        var network = Pruned(Network.Sequential([2, 9, 9], Layer.Conv2d(6, 3, padding: 1), Layer.Relu(), Layer.MaxPool(2), Layer.Flatten(), Layer.Dense(40),
            Layer.Relu(), Layer.Dense(5)).Initialize(1), 0.6);
        using var scorer = new SparseScorer(Compile(network), softmax: true, batch);
        Fill(scorer.Rows);
        Assert.AreEqual(0, Allocations.Of(() =>
        {
            for (var run = 0; run < 100; run++)
            {
                scorer.Run(batch);
            }
        }));
    }

    [TestMethod]
    public void What_has_no_managed_form_says_why()
    {
        Assert.IsNull(SparseCompiler.Compile(Network.Sequential([4], Layer.Sigmoid()).Initialize(1), new HashSet<string>(), out var refusal));
        StringAssert.Contains(refusal, "no dense layer and no convolution");
    }

    internal static Network Pruned(Network network, double zeros)
    {
        var random = new Random(7);
        return network.WithParameters(network.Parameters.Where(parameter => parameter.Shape.Length > 1 && parameter.Trainable)
            .Select(parameter => parameter.WithValues([.. parameter.Array.Select(value => random.NextDouble() < zeros ? 0 : value)])));
    }

    private static SparseProgram Compile(Network network)
    {
        var program = SparseCompiler.Compile(network, new HashSet<string>(), out var refusal);
        Assert.IsNotNull(program, refusal);
        return program;
    }

    private static void Compare(Network network, SparseProgram program, int rows, string what)
    {
        using var reference = OnnxScorer.Create(network, softmax: false, rows, out _)!;
        using var scorer = new SparseScorer(program, softmax: false, rows);
        Fill(reference.Rows);
        reference.Rows.CopyTo(scorer.Rows, 0);
        reference.Run(rows);
        scorer.Run(rows);
        for (var row = 0; row < rows; row++)
        {
            var (expected, found) = (reference.Scores(row).ToArray(), scorer.Scores(row).ToArray());
            Assert.HasCount(expected.Length, found);
            var largest = expected.Max(Math.Abs);
            for (var i = 0; i < expected.Length; i++)
            {
                Assert.AreEqual(expected[i], found[i], 1e-4 * largest + 1e-7, $"{what}, row {row}, output {i}");
            }
        }
    }

    private static void Fill(float[] rows)
    {
        var random = new Random(5);
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = random.NextSingle() * 2 - 1;
        }
    }
}
