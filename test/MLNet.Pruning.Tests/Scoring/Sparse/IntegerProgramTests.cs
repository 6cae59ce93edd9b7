using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Sparse;
using MLNet.Pruning.Scoring.Sparse.Kernels;
using MLNet.Pruning.Scoring.Sparse.Steps;

namespace MLNet.Pruning.Tests.Scoring.Sparse;

/// <summary>Networks of bytes in sparse kernels against the integer kernels of ONNX Runtime.</summary>
[TestClass]
public class IntegerProgramTests
{
    [TestMethod]
    [DataRow(true, false)]
    [DataRow(true, true)]
    [DataRow(false, false)]
    public void Dense_layers_give_the_bits_of_ONNX_Runtime_for_any_number_of_rows(bool perChannel, bool signed)
    {
        var network = Quantized(Network.Mlp(50, 70, 33, 5).Initialize(1), 0.7, Quantizer.Int8(perChannel, signed));
        var program = Compile(network, "fc1", "fc2", "fc3");
        for (var rows = 1; rows <= 150; rows++)
        {
            Compare(network, program, rows, 0, $"{rows} rows");
        }
    }

    [TestMethod]
    [DataRow(2, 4)]
    [DataRow(1, 4)]
    [DataRow(4, 8)]
    public void Patterns_give_the_bits_of_ONNX_Runtime(int n, int m)
    {
        var pruned = Network.Mlp(72, 64, 40, 5).Initialize(1).Prune(Amount.Fraction(1 - (double)n / m), granularity: Granularity.NToM(n, m)).Network;
        var network = Quantized(pruned, 0, Quantizer.Int8());
        var program = Compile(network, "fc1", "fc2", "fc3");
        for (var rows = 1; rows <= 40; rows++)
        {
            Compare(network, program, rows, 0, $"{rows} rows");
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
            var network = Quantized(Network.Sequential([3, size, size + 2], Layer.Conv2d(7, kernel, stride, padding, dilation, name: "c1"), Layer.Relu(),
                Layer.Conv2d(5, 3, padding: 1, name: "c2"), Layer.Relu(), Layer.Flatten(), Layer.Dense(4, name: "fc")).Initialize(1), 0.6, Quantizer.Int8());
            Compare(network, Compile(network, "c1", "c2", "fc"), 2, 0, $"kernel {kernel}, stride {stride}, padding {padding}, dilation {dilation}");
        }
    }

    [TestMethod]
    public void Positions_that_share_a_column_stay_within_the_memory_behind_an_image()
    {
        foreach (var outputs in Enumerable.Range(1, 300))
        {
            foreach (var step in Enumerable.Range(1, 70))
            {
                var positions = IntegerStep.PositionsOf(outputs, step, width: 9);
                Assert.IsInRange(1, 4, positions);
                Assert.IsLessThanOrEqualTo(IntegerProduct.Slack, (positions - 1) * Math.Max(outputs, step), $"{outputs} outputs, {step} bytes apart");
            }
        }

        // One channel and many filters over rows that no number of positions divides, without a margin behind the last.
        foreach (var filters in new[] { 3, 20, 33, 100, 260 })
        {
            var network = Quantized(Network.Sequential([1, 9, 9], Layer.Conv2d(filters, 3, name: "c1"), Layer.Relu(), Layer.Flatten(),
                Layer.Dense(4, name: "fc")).Initialize(1), 0.5, Quantizer.Int8());
            Compare(network, Compile(network, "c1", "fc"), 2, 0, $"{filters} filters");
        }
    }

    [TestMethod]
    public void Poolings_of_every_shape()
    {
        foreach (var (kernel, stride, padding) in from kernel in new[] { 1, 2, 3, 5 }
                                                  from stride in new[] { 1, 2, 3 }
                                                  from padding in new[] { 0, 1, 2 }
                                                  where padding <= kernel / 2
                                                  select (kernel, stride, padding))
        {
            var network = Quantized(Network.Sequential([2, 13, 12], Layer.Conv2d(9, 3, padding: 1, name: "c1"), Layer.Relu(),
                Layer.MaxPool(kernel, stride, padding), Layer.Conv2d(20, 3, padding: 1, name: "c2"), Layer.Relu(), Layer.Flatten(), Layer.Dense(4, name: "fc"))
                .Initialize(1), 0.6, Quantizer.Int8());
            var program = Compile(network, "c1", "c2", "fc");
            Assert.IsFalse(program.Steps.Any(step => step.Kernel == "ONNX Runtime"), $"{kernel}");
            Compare(network, program, 3, 0, $"kernel {kernel}, stride {stride}, padding {padding}");
        }
    }

    [TestMethod]
    public void A_network_of_convolutions_and_dense_layers_goes_through_bytes_alone()
    {
        var network = Quantized(Network.Sequential([1, 28, 28], Layer.Conv2d(20, 5, name: "c1"), Layer.Relu(), Layer.MaxPool(2),
            Layer.Conv2d(50, 5, name: "c2"), Layer.Relu(), Layer.MaxPool(2), Layer.Flatten(), Layer.Dense(100, name: "fc1"), Layer.Relu(),
            Layer.Dense(10, name: "fc2")).Initialize(1), 0.9, Quantizer.Int8());
        var program = Compile(network, "c1", "c2", "fc1", "fc2");
        CollectionAssert.AreEqual(new[]
        {
            "rounding", "integer sparse convolution", "pooling", "integer sparse convolution", "pooling", "copy", "integer sparse product",
            "integer sparse product",
        }, program.Steps.Select(step => step.Kernel).ToArray());
        Compare(network, program, 1, 0, "one row");
        Compare(network, program, 70, 0, "two panels");
    }

    [TestMethod]
    [DataRow("mlp", 0)]
    [DataRow("lenet5", 0)]
    [DataRow("tiny_resnet", 0)]
    [DataRow("mobilenet_v3_small", 0)]
    [DataRow("shufflenet_v2_x1_0", 0)]
    [DataRow("smallcnn_opset13", 0)]
    [DataRow("smallcnn_opset17", 0)]
    [DataRow("lstm", 0)]
    // An average of floats, summed in another order, at the end of one; floats between nearly all bytes in the other.
    [DataRow("squeezenet1_1", 1e-6)]
    [DataRow("swin", 0.02)]
    public void Published_networks(string name, double tolerance)
    {
        var network = Quantized(ScoreOutput.Fit(Network.FromOnnx(Zoo.Network(name).Path), LearningTask.Multiclass), 0.5, Quantizer.Int8());
        var program = SparseCompiler.Compile(network, new HashSet<string>(), out var refusal);
        Assert.IsNotNull(program, refusal);
        Assert.IsTrue(program.Steps.Any(step => step.Kernel.StartsWith("integer", StringComparison.Ordinal)), name);
        Compare(network, program, 3, tolerance, name);
    }

    [TestMethod]
    public void Layers_that_stay_floats_take_and_give_them()
    {
        var network = Network.Sequential([3, 9, 9], Layer.Conv2d(8, 3, padding: 1, name: "c1"), Layer.Sigmoid(), Layer.Conv2d(8, 3, padding: 1, name: "c2"),
            Layer.Relu(), Layer.AveragePool(2), Layer.Flatten(), Layer.Dense(30, name: "fc1"), Layer.Tanh(), Layer.Dense(4, name: "fc2")).Initialize(1);
        var integers = Quantized(network, 0.5, Quantizer.Int8());
        // Between two layers of bytes these are floats in one network and bytes in the other, so that a byte may be rounded to its neighbour.
        Compare(integers, Compile(integers, "c1", "c2", "fc1", "fc2"), 5, 0.02, "floats between");
        foreach (var elsewhere in new[] { "c1", "c2", "fc1", "fc2" })
        {
            var program = SparseCompiler.Compile(integers, new HashSet<string> { elsewhere }, out var refusal);
            Assert.IsNotNull(program, refusal);
            Compare(integers, program, 5, 0.02, elsewhere);
        }
    }

    [TestMethod]
    public void Weights_of_eight_bits_stay_floats()
    {
        var random = new Random(1);
        var network = SparseProgramTests.Pruned(Network.Mlp(30, 20, 4).Initialize(1), 0.5);
        float[] rows = [.. Enumerable.Range(0, 30 * 20).Select(_ => random.NextSingle())];
        var wide = network.Quantize(Quantizer.Int8(), rows, target: QuantizationTarget.DotProducts);
        Compare(wide, Compile(wide), 3, 0.02, "eight bits");
    }

    private static Network Quantized(Network network, double zeros, Quantizer quantizer)
    {
        network = SparseProgramTests.Pruned(network, zeros);
        var random = new Random(2);
        return network.Quantize(quantizer, [.. Enumerable.Range(0, 64 * network.Input.RowSize).Select(_ => random.NextSingle() * 2 - 1)]);
    }

    /// <summary>Compiles it, with these layers in integers and no others.</summary>
    private static SparseProgram Compile(Network network, params string[] integers)
    {
        var program = SparseCompiler.Compile(network, new HashSet<string>(), out var refusal);
        Assert.IsNotNull(program, refusal);
        CollectionAssert.AreEqual(integers, program.Steps.Where(step => step.Kernel.StartsWith("integer", StringComparison.Ordinal))
            .Select(step => step.Name).ToArray());
        return program;
    }

    private static void Compare(Network network, SparseProgram program, int rows, double tolerance, string what)
    {
        using var reference = OnnxScorer.Create(network, softmax: false, rows, out _)!;
        using var scorer = new SparseScorer(program, softmax: false, rows);
        var random = new Random(5);
        for (var i = 0; i < reference.Rows.Length; i++)
        {
            // Some beyond the range that calibration saw.
            reference.Rows[i] = random.NextSingle() * 3 - 1.5f;
        }

        reference.Rows.CopyTo(scorer.Rows, 0);
        reference.Run(rows);
        scorer.Run(rows);
        for (var row = 0; row < rows; row++)
        {
            var expected = reference.Scores(row).ToArray();
            Close.AreEqual(expected, scorer.Scores(row).ToArray(), tolerance * expected.Max(Math.Abs), $"{what}, row {row}");
        }
    }
}
