using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MLNet.Pruning.Offline.Tests.Torch;

[TestClass]
public class ModuleTests
{
    [TestMethod]
    public void A_sequential_applies_its_layers_in_order()
    {
        using DisposeScope scope = NewDisposeScope();
        using Sequential network = Sequential(
            ("conv", Conv2d(1, 2, 3, padding: 1)), ("norm", BatchNorm2d(2)), ("relu", ReLU()), ("pool", MaxPool2d(2)),
            ("average", AvgPool2d(2)), ("flat", Flatten()), ("fc", Linear(2, 3)));
        CollectionAssert.AreEqual(
            new[] { "conv.weight", "conv.bias", "norm.weight", "norm.bias", "fc.weight", "fc.bias" },
            network.named_parameters().Select(named => named.name).ToArray());
        CollectionAssert.AreEquivalent(
            new[] { "norm.running_mean", "norm.running_var", "norm.num_batches_tracked" },
            network.named_buffers().Select(named => named.name).ToArray());
        CollectionAssert.AreEqual(new long[] { 5, 3 }, network.call(randn(5, 1, 4, 4)).shape);

        network.eval();
        Assert.IsTrue(network.modules().All(module => !module.training));
        Tensor input = randn(2, 1, 4, 4);
        Assert.IsTrue(network.call(input).Equals(network.call(input)));

        Dictionary<string, Tensor> state = network.state_dict();
        using Sequential copy = Sequential(
            ("conv", Conv2d(1, 2, 3, padding: 1)), ("norm", BatchNorm2d(2)), ("relu", ReLU()), ("pool", MaxPool2d(2)),
            ("average", AvgPool2d(2)), ("flat", Flatten()), ("fc", Linear(2, 3)));
        copy.load_state_dict(state);
        copy.eval();
        Assert.IsTrue(network.call(input).Equals(copy.call(input)));
        state.Remove("fc.bias");
        Assert.ThrowsExactly<InvalidOperationException>(() => copy.load_state_dict(state));
    }

    [TestMethod]
    public void A_module_of_ones_own_registers_its_fields()
    {
        using DisposeScope scope = NewDisposeScope();
        using var network = new Own();
        CollectionAssert.AreEqual(new[] { "_scale", "_layer.weight", "_layer.bias" }, network.named_parameters().Select(named => named.name).ToArray());
        network.call(ones(2, 3)).sum().backward();
        Assert.IsNotNull(network.parameters().First().grad);
        network.zero_grad();
        Assert.IsNull(network.parameters().First().grad);
        network.to(float64);
        Assert.IsTrue(network.parameters().All(parameter => parameter.dtype == ScalarType.Float64 && parameter.requires_grad && parameter.is_leaf));
        Assert.AreEqual(ScalarType.Float64, network.call(ones(2, 3, float64)).dtype);
    }

    [TestMethod]
    public void Initialisation_keeps_its_bounds()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weight = empty(50, 40);
        Assert.AreEqual((40L, 50L), init.CalculateFanInAndFanOut(weight));
        double kaiming = Math.Sqrt(6.0 / ((1 + 5) * 40));
        init.kaiming_uniform_(weight, Math.Sqrt(5));
        Assert.IsTrue(weight.abs().max().ToDouble() <= kaiming && weight.abs().max().ToDouble() > 0.95 * kaiming);
        double xavier = Math.Sqrt(6.0 / 90);
        init.xavier_uniform_(weight);
        Assert.IsTrue(weight.abs().max().ToDouble() <= xavier && weight.abs().max().ToDouble() > 0.95 * xavier);
        Assert.AreEqual(2000, init.ones_(weight).sum().ToDouble());
        Assert.AreEqual(0, init.zeros_(weight).sum().ToDouble());
        Assert.AreEqual(0.1, init.normal_(weight, 0, 0.1).std().ToDouble(), 0.01);
    }

    [TestMethod]
    public void Dropout_keeps_the_expectation_and_stops_in_evaluation()
    {
        using DisposeScope scope = NewDisposeScope();
        using Dropout dropout = Dropout(0.25);
        Tensor input = ones(100_000);
        float[] values = dropout.call(input).data<float>().ToArray();
        Assert.IsTrue(values.All(value => value == 0 || Math.Abs(value - (1 / 0.75f)) < 1e-6));
        Assert.AreEqual(1, values.Average(), 0.02);
        dropout.eval();
        Assert.IsTrue(input.Equals(dropout.call(input)));
    }

    private sealed class Own : Module<Tensor, Tensor>
    {
        private readonly Parameter _scale = Parameter(ones(1));
        private readonly Linear _layer = Linear(3, 2);

        public Own()
            : base(nameof(Own)) => RegisterComponents();

        public override Tensor forward(Tensor input) => _layer.call(input) * _scale;
    }
}
