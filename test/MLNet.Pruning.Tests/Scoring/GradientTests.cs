using MLNet.Pruning.Scoring;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Scoring;

/// <summary>The gradient of every layer equals central differences, both in double precision.</summary>
[TestClass]
public class GradientTests
{
    private const double Step = 1e-5;

    public static IEnumerable<object[]> Layers =>
    [
        ["dense", new[] { 5 }, new[] { Layer.Dense(4) }],
        ["dense without bias", new[] { 5 }, new[] { Layer.Dense(4, bias: false) }],
        ["conv", new[] { 2, 6, 5 }, new[] { Layer.Conv2d(3, 3) }],
        ["conv, every option", new[] { 4, 7, 7 }, new[] { Layer.Conv2d(6, 3, stride: 2, padding: 2, dilation: 2, groups: 2) }],
        ["conv, depthwise", new[] { 3, 5, 5 }, new[] { Layer.Conv2d(3, 3, padding: 1, groups: 3, bias: false) }],
        ["batch norm over channels", new[] { 3, 4, 4 }, new[] { Layer.Conv2d(3, 1), Layer.BatchNorm() }],
        ["batch norm over values", new[] { 5 }, new[] { Layer.Dense(4), Layer.BatchNorm() }],
        ["max pool", new[] { 2, 6, 6 }, new[] { Layer.Conv2d(2, 3), Layer.MaxPool(3, 1, 1) }],
        ["average pool", new[] { 2, 6, 6 }, new[] { Layer.Conv2d(2, 3), Layer.AveragePool(3, 2, 1) }],
        ["global pool", new[] { 2, 6, 6 }, new[] { Layer.Conv2d(2, 3), Layer.GlobalAveragePool() }],
        ["flatten", new[] { 2, 4, 4 }, new[] { Layer.Conv2d(2, 3), Layer.Flatten(), Layer.Dense(3) }],
        ["dropout", new[] { 5 }, new[] { Layer.Dense(8), Layer.Dropout(0.4), Layer.Dense(3) }],
        ["relu", new[] { 5 }, new[] { Layer.Dense(6), Layer.Relu() }],
        ["leaky relu", new[] { 5 }, new[] { Layer.Dense(6), Layer.LeakyRelu(0.2) }],
        ["gelu", new[] { 5 }, new[] { Layer.Dense(6), Layer.Gelu() }],
        ["silu", new[] { 5 }, new[] { Layer.Dense(6), Layer.Silu() }],
        ["tanh", new[] { 5 }, new[] { Layer.Dense(6), Layer.Tanh() }],
        ["sigmoid", new[] { 5 }, new[] { Layer.Dense(6), Layer.Sigmoid(), Layer.Dense(2) }],
        ["softmax", new[] { 5 }, new[] { Layer.Dense(6), Layer.Softmax(), Layer.Dense(2) }],
    ];

    [TestMethod]
    [DynamicData(nameof(Layers))]
    public void Gradient_equals_central_differences(string name, int[] shape, Layer[] layers)
    {
        using var scope = NewDisposeScope();
        var network = Network.Sequential(shape, layers).Initialize(seed: name.Length);
        var parameters = network.Parameters.ToDictionary(parameter => parameter.Name, parameter => TorchGraph.View(parameter).to(ScalarType.Float64));
        foreach (var parameter in network.Parameters.Where(parameter => parameter.Trainable))
        {
            parameters[parameter.Name].requires_grad = true;
        }

        using var graph = new TorchGraph(network, parameters, logits: true);
        using var generator = new Generator(3);
        var rows = randn([4, network.Input.RowSize], ScalarType.Float64, generator: generator);
        // Weights that differ from output to output: the plain sum of a softmax or of a normalised batch has no gradient.
        var weights = rand([4, network.Output.RowSize], ScalarType.Float64, generator: generator);
        Tensor Loss()
        {
            using var dropout = new Generator(7);
            return (graph.Forward(rows, training: true, dropout).flatten(1) * weights).sum();
        }

        Loss().backward();
        using var noGrad = no_grad();
        foreach (var (parameter, tensor) in parameters.Where(pair => pair.Value.requires_grad))
        {
            var gradient = tensor.grad!.flatten();
            var values = tensor.view(-1);
            for (var i = 0L; i < values.numel(); i++)
            {
                var value = values[i].ToDouble();
                values[i] = tensor_(value + Step);
                var above = Loss().ToDouble();
                values[i] = tensor_(value - Step);
                var below = Loss().ToDouble();
                values[i] = tensor_(value);
                Assert.AreEqual((above - below) / (2 * Step), gradient[i].ToDouble(), 1e-6, $"{parameter}[{i}]");
            }
        }
    }

    private static Tensor tensor_(double value) => tensor(value, ScalarType.Float64);
}
