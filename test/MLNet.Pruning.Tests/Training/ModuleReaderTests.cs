using System.Collections.Immutable;
using MLNet.Pruning.Scoring;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MLNet.Pruning.Tests.Training;

/// <summary>Networks from TorchSharp modules compute what the modules compute, in training too, and in ONNX Runtime as well.</summary>
[TestClass]
public class ModuleReaderTests
{
    private static IEnumerable<object[]> Modules { get; } =
    [
        Case("linear", () => Linear(5, 4), 5),
        Case("linear without bias", () => Linear(5, 4, hasBias: false), 5),
        Case("convolution", () => Conv2d(2, 6, 3), 2, 8, 9),
        Case("convolution, other numbers in height and width", () => Conv2d(2, 6, (3, 5), (2, 1), (1, 3), (3, 2), groups: 2, bias: false), 2, 11, 13),
        Case("depthwise convolution", () => Conv2d(4, 8, 3, stride: 2, padding: 1, groups: 4), 4, 7, 7),
        Case("convolution, padding wider than the window", () => Conv2d(1, 2, 2, padding: 4), 1, 3, 3),
        Case("convolution to the same size", () => Conv2d(2, 3, 3, padding: Padding.Same, dilation: 3), 2, 9, 8),
        Case("convolution of even size to the same size", () => Conv2d(2, 3, (4, 2), Padding.Same, (1, 1), (3, 1)), 2, 9, 8),
        Case("convolution without padding, by name", () => Conv2d(2, 3, (2, 3), Padding.Valid, (2, 3)), 2, 9, 8),
        Case("convolution that would reflect, if it padded", () => Conv2d(2, 3, 3, padding_mode: PaddingModes.Reflect), 2, 5, 5),
        Case("batch norm of values", () => BatchNorm1d(4, eps: 0.3, momentum: 0.4), 4),
        Case("batch norm of images", () => BatchNorm2d(3, eps: 1e-2, momentum: 0.7), 3, 4, 5),
        Case("maxima", () => MaxPool2d(3), 2, 9, 9),
        Case("maxima of windows that overlap", () => MaxPool2d(3, 2, 1), 2, 8, 7),
        Case("maxima, other numbers in height and width", () => MaxPool2d((3, 2), (1, 3), (1, 0), (2, 1)), 2, 9, 9),
        Case("maxima, rounding up", () => MaxPool2d(2, 2, null, null, true), 2, 7, 5),
        Case("maxima, rounding up into the padding", () => MaxPool2d(3, 3, 1, null, true), 2, 6, 5),
        Case("means", () => AvgPool2d(2), 2, 6, 7),
        Case("means, padding counted", () => AvgPool2d(3, 2, 1), 2, 8, 7),
        Case("means, padding not counted", () => AvgPool2d(3, 2, 1, count_include_pad: false), 2, 8, 7),
        Case("means, other numbers in height and width", () => AvgPool2d((3, 2), (1, 3), (1, 0)), 2, 9, 9),
        Case("means, rounding up, padding not counted", () => AvgPool2d(3, 2, 1, ceil_mode: true, count_include_pad: false), 2, 8, 6),
        Case("means, rounding up, padding counted", () => AvgPool2d(3, 2, 1, ceil_mode: true), 2, 8, 6),
        Case("the mean", () => AdaptiveAvgPool2d(1), 3, 5, 7),
        Case("means of parts", () => AdaptiveAvgPool2d((2, 3)), 3, 4, 9),
        Case("flatten", () => Flatten(), 2, 3, 4),
        Case("flatten to the last dimension", () => Flatten(1, 3), 2, 3, 4),
        Case("dropout", () => Dropout(0.3), 6),
        Case("relu", () => ReLU(), 6),
        Case("relu in place", () => ReLU(inplace: true), 6),
        Case("leaky relu", () => LeakyReLU(0.2), 6),
        Case("leaky relu that turns back up", () => LeakyReLU(-1.5, inplace: true), 6),
        Case("gelu", () => GELU(), 6),
        Case("gelu by tanh", () => GELU(TorchSharp.Modules.GELU.Approximate.tanh), 6),
        Case("silu", () => SiLU(), 6),
        Case("tanh", () => Tanh(), 6),
        Case("sigmoid", () => Sigmoid(), 6),
        Case("softmax", () => Softmax(1), 6),
        Case("softmax over channels", () => Softmax(1), 3, 2, 2),
        Case("softmax over the last of two dimensions", () => Softmax(-1), 6),
    ];

    [TestMethod]
    [DynamicData(nameof(Modules))]
    public void A_module_is_read_with_its_settings(string name, Func<Module<Tensor, Tensor>> create, int[] shape)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        var module = Sequential(("read", create()), ("last", Identity()), ("scaled", LeakyReLU(0.5)));
        // Statistics that are not those of a new module.
        module.train();
        module.call(Rows(4, shape)).Dispose();

        var network = Network.FromModule(module, shape);
        Assert.IsTrue(module.training);
        module.eval();
        var rows = Rows(3, shape);
        var values = Values(rows);
        var expected = module.call(rows.clone());
        using var graph = TorchGraph.ForScoring(network, network.Output.Name);
        var actual = graph.Forward(rows.view(3, -1));
        CollectionAssert.AreEqual(expected.shape, actual.shape);
        Close.AreEqual(Values(expected), Values(actual), 1e-6, name);
        Close.AreEqual(Values(expected), InOnnxRuntime(network, values, [3, .. shape]), 1e-5, name + " in ONNX Runtime");
    }

    [TestMethod]
    public void A_module_is_trained_as_it_is()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(2);
        var module = Sequential(("norm", BatchNorm2d(3, eps: 0.1, momentum: 0.35)), ("flat", Flatten()), ("fc", Linear(12, 4)),
            ("norm2", BatchNorm1d(4, momentum: 1)), ("drop", Dropout(0.25)));
        var network = Network.FromModule(module, 3, 2, 2);
        Assert.AreEqual(0.25f, network.Nodes.Single(node => node.Name == "drop").Float("ratio", 0));
        using var weights = new TrainedWeights(network, ImmutableDictionary<string, WeightMask>.Empty, CPU);
        for (var step = 0; step < 3; step++)
        {
            var rows = Rows(5, 3, 2, 2);
            module.train();
            module.call(rows).Dispose();
            using var noise = new Generator(1);
            weights.Graph.Forward(rows.view(5, -1), training: true, noise).Dispose();
        }

        var after = module.state_dict();
        foreach (var norm in new[] { "norm", "norm2" })
        {
            Assert.AreNotEqual(network[norm + ".mean"].Values[0], Values(after[norm + ".running_mean"])[0], "the statistics have changed");
            Close.AreEqual(Values(after[norm + ".running_mean"]), Values(weights.Graph.Parameters[norm + ".mean"]), 1e-6, norm);
            Close.AreEqual(Values(after[norm + ".running_var"]), Values(weights.Graph.Parameters[norm + ".variance"]), 1e-6, norm);
        }
    }

    [TestMethod]
    public void Layers_are_named_by_their_path_and_the_module_stays_as_it_is()
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        var relu = ReLU();
        var module = Sequential(
            ("features", Sequential(Conv2d(2, 6, 3, stride: 2, padding: 1, bias: false), BatchNorm2d(6), relu, AdaptiveAvgPool2d((4, 4)), relu)),
            ("pool", AdaptiveAvgPool2d(1)), ("flat", Flatten()), ("fc", Linear(6, 5)));
        var before = module.state_dict().ToDictionary(entry => entry.Key, entry => Values(entry.Value));
        var network = Network.FromModule(module, 2, 8, 8);
        foreach (var (name, tensor) in module.state_dict())
        {
            CollectionAssert.AreEqual(before[name], Values(tensor), name);
        }

        var names = new[] { "features.0", "features.1", "features.2", "features.4", "pool", "flat", "fc" };
        CollectionAssert.AreEqual(names, network.Nodes.Select(node => node.Name).ToArray(), "a mean of single values is left out");
        CollectionAssert.AreEqual(before["fc.weight"], network["fc.weight"].Values.ToArray());
        CollectionAssert.AreEqual(before["features.1.running_var"], network["features.1.variance"].Values.ToArray());
    }

    [TestMethod]
    [DataRow(ScalarType.Float64)]
    [DataRow(ScalarType.Float16)]
    [DataRow(ScalarType.BFloat16)]
    public void Weights_of_other_types_are_rounded(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var module = Sequential(("fc", Linear(9, 7)), ("norm", BatchNorm1d(7)));
        var exact = Values(module.state_dict()["fc.weight"].to(type));
        module.to(type);
        CollectionAssert.AreEqual(exact, Network.FromModule(module, 9)["fc.weight"].Values.ToArray());
    }

    [TestMethod]
    public void What_cannot_be_read_is_named()
    {
        using var scope = NewDisposeScope();
        void Refused(Module<Tensor, Tensor> module, string expected, params int[] shape)
        {
            var e = Assert.ThrowsExactly<NotSupportedException>(() => Network.FromModule(Sequential(("odd", module)), shape));
            StringAssert.Contains(e.Message, "'odd'");
            StringAssert.Contains(e.Message, expected);
        }

        foreach (var mode in new[] { PaddingModes.Reflect, PaddingModes.Replicate, PaddingModes.Circular })
        {
            Refused(Conv2d(1, 2, 3, padding: 1, padding_mode: mode), $"pads by {mode}; zeros are expected", 1, 8, 8);
        }

        Refused(Conv2d(1, 2, 3, padding: Padding.Same, padding_mode: PaddingModes.Reflect), "pads by Reflect", 1, 8, 8);
        var strided = Conv2d(1, 2, 3, padding: Padding.Same);
        strided.stride = [2, 1];
        Refused(strided, "strides above 1", 1, 8, 8);
        Refused(AvgPool2d(2, divisor_override: 3), "divides by 3", 1, 8, 8);
        Refused(AdaptiveAvgPool2d((3, 4)), "makes 3 x 4 means of N x 1 x 8 x 8", 1, 8, 8);
        Refused(BatchNorm2d(3, affine: false), "no weight and bias", 3, 4, 4);
        Refused(BatchNorm1d(3, track_running_stats: false), "no running statistics", 3);
        Refused(BatchNorm1d(3, eps: 0), "epsilon of 0", 3);
        Refused(BatchNorm1d(3, momentum: 1.5), "momentum of 1.5", 3);
        var cumulative = BatchNorm1d(3);
        cumulative.momentum = null;
        Refused(cumulative, "momentum of null", 3);
        Refused(BatchNorm1d(3), "rows of values", 3, 4, 4);
        Refused(BatchNorm2d(3), "channels x height x width", 3);
        Refused(Flatten(2), "merges the dimensions 2 to -1", 1, 4, 4);
        Refused(Flatten(0), "merges the dimensions 0 to -1", 4);
        Refused(Dropout(1), "drops a share of 1", 4);
        Refused(Softmax(-1), "goes over the dimension -1", 3, 2, 2);
        Refused(ReLU6(), "Network.FromOnnx", 4);
        Refused(new Doubled(), "Network.FromOnnx", 4);
        StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => Network.FromModule(Sequential(("odd", new Reversed())), 4)).Message, "'odd'");
    }

    [TestMethod]
    public void Modules_that_do_not_fit_are_named()
    {
        using var scope = NewDisposeScope();
        void Unfit(Module<Tensor, Tensor> module, string expected, params int[] shape)
            => StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Network.FromModule(Sequential(("odd", module)), shape)).Message, expected);

        Unfit(Linear(4, 3), "'odd.weight' is 3 x 4, but what its module is given takes 3 x 5", 5);
        Unfit(Linear(4, 3), "Layer 'odd' (Dense) cannot read", 4, 2, 2);
        Unfit(Conv2d(2, 3, 3), "'odd.weight' is 3 x 2 x 3 x 3", 4, 8, 8);
        Unfit(Conv2d(2, 3, 3), "Layer 'odd' (Conv2d) cannot read", 4);
        Unfit(Conv2d(2, 3, 3), "room for its window", 2, 2, 2);
        Unfit(BatchNorm1d(4), "'odd.weight' is 4", 5);
        Unfit(MaxPool2d(2), "Layer 'odd' (MaxPool) cannot read", 5);
        Unfit(Identity(), "at least one layer", 5);
    }

    private static object[] Case(string name, Func<Module<Tensor, Tensor>> create, params int[] shape) => [name, create, shape];

    private static Tensor Rows(int count, params int[] shape) => randn([count, .. shape.Select(size => (long)size)]);

    private static float[] Values(Tensor tensor) => tensor.detach().cpu().to(ScalarType.Float32).contiguous().data<float>().ToArray();

    private static float[] InOnnxRuntime(Network network, float[] rows, int[] shape)
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            network.SaveOnnx(path);
            using var session = new InferenceSession(path);
            var input = new Microsoft.ML.OnnxRuntime.Tensors.DenseTensor<float>(rows, shape);
            using var results = session.Run([NamedOnnxValue.CreateFromTensor(network.Input.Name, input)]);
            return [.. results[0].AsTensor<float>()];
        }
        finally
        {
            File.Delete(path);
        }
    }

    private sealed class Doubled() : Module<Tensor, Tensor>("Doubled")
    {
        public override Tensor forward(Tensor input) => input + input;
    }

    /// <summary>Computes something else than the class it derives from.</summary>
    private sealed class Reversed() : TorchSharp.Modules.Sequential(("fc", Linear(4, 4)))
    {
        public override Tensor forward(Tensor input) => base.forward(input).neg();
    }
}
