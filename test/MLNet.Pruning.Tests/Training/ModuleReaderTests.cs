using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MLNet.Pruning.Tests.Training;

/// <summary>Networks from TorchSharp modules compute what the modules compute.</summary>
[TestClass]
public class ModuleReaderTests
{
    [TestMethod]
    public void A_convolutional_module_with_every_kind_of_layer_is_read_with_its_settings()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        var module = Sequential(
            ("features", Sequential(
                Conv2d(2, 6, 3, stride: 2, padding: 1, bias: false), BatchNorm2d(6, eps: 1e-3), LeakyReLU(0.2), Conv2d(6, 12, 3, padding: 2, dilation: 2, groups: 3), GELU(), MaxPool2d(3, 2, 1),
                Conv2d(12, 8, 1), SiLU(), AvgPool2d(2, 1, 1), Dropout(0.3), Identity())),
            ("pool", AdaptiveAvgPool2d(1)),
            ("flat", Flatten()),
            ("fc1", Linear(8, 7)), ("norm", BatchNorm1d(7)), ("tanh", Tanh()), ("fc2", Linear(7, 5, hasBias: false)), ("relu", ReLU()), ("sigmoid", Sigmoid()), ("softmax", Softmax(1)));

        // Statistics that are not those of a new module.
        module.train();
        for (var i = 0; i < 3; i++)
        {
            module.call(rand(16, 2, 17, 19)).Dispose();
        }

        var before = module.state_dict().ToDictionary(entry => entry.Key, entry => Values(entry.Value.to(ScalarType.Float32)));
        var network = Network.FromModule(module, 2, 17, 19);
        Assert.IsTrue(module.training);
        foreach (var (name, tensor) in module.state_dict())
        {
            CollectionAssert.AreEqual(before[name], Values(tensor.to(ScalarType.Float32)), name);
        }

        module.eval();
        var rows = randn(5, 2, 17, 19);
        using var graph = TorchGraph.ForScoring(network, network.Output.Name);
        Close.AreEqual(Values(module.call(rows)), Values(graph.Forward(rows.view(5, -1))), 1e-5, "outputs");

        var nodes = network.Nodes.ToDictionary(node => node.Name);
        CollectionAssert.AreEqual(new[] { 2L, 2 }, nodes["features.0"].Ints("strides"));
        Assert.AreEqual(1e-3f, nodes["features.1"].Float("epsilon", 0));
        Assert.AreEqual(0.2f, nodes["features.2"].Float("alpha", 0), 1e-6f);
        CollectionAssert.AreEqual(new[] { 2L, 2 }, nodes["features.3"].Ints("dilations"));
        Assert.AreEqual(3, nodes["features.3"].Int("group", 1));
        CollectionAssert.AreEqual(new[] { 3L, 3 }, nodes["features.5"].Ints("kernel_shape"));
        Assert.AreEqual(0.3f, nodes["features.9"].Float("ratio", 0), 1e-6f);
        Assert.IsFalse(nodes.ContainsKey("features.10"));
        CollectionAssert.AreEqual(before["fc2.weight"], network["fc2.weight"].Values.ToArray());
    }

    [TestMethod]
    public void What_cannot_be_read_is_named()
    {
        using var scope = NewDisposeScope();
        void Refused(nn.Module<Tensor, Tensor> module, string expected, params int[] shape)
        {
            var e = Assert.ThrowsExactly<NotSupportedException>(() => Network.FromModule(Sequential(("odd", module)), shape));
            StringAssert.Contains(e.Message, "'odd'");
            StringAssert.Contains(e.Message, expected);
        }

        Refused(Conv2d(1, 2, (3, 1)), "square", 1, 8, 8);
        Refused(Conv2d(1, 2, 3, padding: 1, padding_mode: PaddingModes.Reflect), "zeros", 1, 8, 8);
        Refused(MaxPool2d(2, 2, null, null, true), "ceiling", 1, 7, 7);
        Refused(AdaptiveAvgPool2d(2), "single", 1, 8, 8);
        Refused(BatchNorm2d(3, affine: false), "affine", 3, 4, 4);
        Refused(new Doubled(), "Network.FromOnnx", 4);
    }

    private static float[] Values(Tensor tensor) => tensor.detach().cpu().contiguous().data<float>().ToArray();

    private sealed class Doubled() : nn.Module<Tensor, Tensor>("Doubled")
    {
        public override Tensor forward(Tensor input) => input + input;
    }
}
