using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Cases;
using static MLNet.Pruning.Tests.Networks.Onnx.OnnxModels;

namespace MLNet.Pruning.Tests.Networks.Onnx;

/// <summary>
/// Weights in functions, branches and bodies: counted, pruned as they would be outside, and computed with as ONNX Runtime computes the original.
/// </summary>
[TestClass]
public class CarriedPartsTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("carried").FullName;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void Functions_are_put_in_the_place_of_their_calls()
    {
        // Dense calls Affine, gives back its input where asked to, and takes the slope of its activation from the call or from a default.
        var model = Functions();
        var network = Read(model, "model");
        Assert.AreEqual(8 * 16 + 16 + 16 * 16 + 16 + 16 * 4, network.ParameterCount);
        CollectionAssert.AreEqual(new[] { "MatMul", "Add", "LeakyRelu", "MatMul", "Add", "LeakyRelu", "MatMul" },
            network.Nodes.Select(node => node.Operator).ToArray());
        Assert.HasCount(32, network.Groups(), "both hidden layers");
        CollectionAssert.AreEqual(Run(model, 8), Run(Save(network, "same.onnx"), 8));
        Masked(network, 8);
    }

    [TestMethod]
    public void A_function_of_another_version_of_the_standard_stays_a_call()
    {
        var model = Functions();
        foreach (var function in model.Functions)
        {
            function.OpsetImport[0].Version = 14;
        }

        Assert.AreEqual(16 * 4, Read(model, "model").ParameterCount);
    }

    [TestMethod]
    public void A_function_that_calls_itself_is_refused()
    {
        var model = Functions();
        model.Functions.Single(function => function.Name == "Affine").Node
            .Add(new NodeProto { OpType = "Dense", Domain = "my", Input = { "x", "w", "b" }, Output = { "again", "given" } });
        StringAssert.Contains(Assert.ThrowsExactly<OnnxFormatException>(() => Read(model, "model")).Message, "calls itself");
    }

    [TestMethod]
    [Timeout(20_000)]
    public void Functions_that_stand_for_too_many_nodes_are_refused()
    {
        var model = Model(Op("F40", ["x"], ["y"]));
        model.Graph.Node[0].Domain = "my";
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "my", Version = 1 });
        for (var i = 0; i <= 40; i++)
        {
            string next = i == 0 ? "Relu" : $"F{i - 1}", domain = i == 0 ? "" : "my";
            model.Functions.Add(new FunctionProto
            {
                Domain = "my", Name = $"F{i}", Input = { "a" }, Output = { "c" }, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } },
                Node = { new NodeProto { OpType = next, Domain = domain, Input = { "a" }, Output = { "b" } },
                    new NodeProto { OpType = next, Domain = domain, Input = { "b" }, Output = { "c" } } },
            });
        }

        StringAssert.Contains(Assert.ThrowsExactly<OnnxFormatException>(() => Read(model, "model")).Message, "more than");
    }

    [TestMethod]
    public void Weights_in_branches_are_counted_and_pruned()
    {
        var original = OnnxFile.Read(Case.File("if_outer"));
        var network = Network.FromOnnx(Case.File("if_outer"));
        Assert.AreEqual(8 * 16 + 3 * 16 * 16 + 16 * 4, network.ParameterCount, "w1, w2, wonly, wloc, w3");
        foreach (var flag in new[] { false, true })
        {
            CollectionAssert.AreEqual(Run(original, 8, flag), Run(Save(network, "same.onnx"), 8, flag));
            var inner = original.Graph.Node[2].Attribute.Single(attribute => attribute.Name == "then_branch").G.Node[0].Attribute
                .Single(attribute => attribute.Name == "else_branch").G;
            var weights = original.Graph.Initializer.Where(tensor => tensor.Name.StartsWith('w')).Concat(inner.Initializer);
            CollectionAssert.AreEqual(Run(WithoutHalf(original, weights), 8, flag),
                Run(Save(network.Prune(Amount.Fraction(0.5)).Network, "pruned.onnx"), 8, flag));
        }
    }

    [TestMethod]
    public void Gates_that_a_branch_puts_in_order_are_weights_of_its_layer()
    {
        // As PyTorch writes an LSTM: the gates i, f, g, o of its own order are sliced and joined to those of the standard, i, o, f, g.
        GraphProto Branch(string name) => new()
        {
            Name = name,
            Output = { new ValueInfoProto { Name = name + "_y" } },
            Node =
            {
                Op("Constant", [], ["zero"], ("value_ints", new long[] { 0 })), Op("Constant", [], ["axes"], ("value_ints", new long[] { 0 })),
                Gate("w", 0), Gate("w", 1), Gate("w", 2), Gate("w", 3), Gate("r", 0), Gate("r", 1), Gate("r", 2), Gate("r", 3),
                Op("Concat", ["w0", "w3", "w1", "w2"], ["wc"], ("axis", 0L)), Op("Unsqueeze", ["wc", "axes"], ["W"]),
                Op("Concat", ["r0", "r3", "r1", "r2"], ["rc"], ("axis", 0L)), Op("Unsqueeze", ["rc", "axes"], ["R"]),
                Op("LSTM", ["x", "W", "R"], [name + "_all", name + "_last"], ("hidden_size", 3L)), Op("Identity", [name + "_last"], [name + "_y"]),
            },
            Initializer = { OnnxTensor.FromLongs("b0", [1], [0]), OnnxTensor.FromLongs("b1", [1], [3]), OnnxTensor.FromLongs("b2", [1], [6]),
                OnnxTensor.FromLongs("b3", [1], [9]), OnnxTensor.FromLongs("b4", [1], [12]) },
        };
        static NodeProto Gate(string weight, int i) => Op("Slice", [weight, $"b{i}", $"b{i + 1}", "zero"], [$"{weight}{i}"]);

        var model = Model(Op("If", ["flag"], ["y"], ("then_branch", Branch("then")), ("else_branch", Branch("else"))));
        model.Graph.Input[0] = Value("x", 2, 5);
        model.Graph.Input.Add(Flag());
        model.Graph.Output[0] = new ValueInfoProto { Name = "y", Type = new() { TensorType = new() { ElemType = (int)TensorType.Float } } };
        model.Graph.Initializer.AddRange([Weight("w", 1, [12, 5]), Weight("r", 2, [12, 3])]);
        var network = Read(model, "model");
        Assert.AreEqual(12 * 5 + 12 * 3, network.ParameterCount, "each once, though both branches read them");
        var pruned = Save(network.Prune(Amount.Fraction(0.5)).Network, "pruned.onnx");
        foreach (var flag in new[] { false, true })
        {
            CollectionAssert.AreEqual(Run(WithoutHalf(model, model.Graph.Initializer), [2, 5], flag), Run(pruned, [2, 5], flag));
        }
    }

    [TestMethod]
    public void A_branch_whose_condition_is_known_takes_the_place_of_the_If()
    {
        // As PyTorch writes squeeze(1): squeezed where the dimension has one index.
        var model = Model(
            Op("MatMul", ["x", "w1"], ["h"]), Op("Shape", ["h"], ["shape"]), Op("Gather", ["shape", "one"], ["size"]), Op("Equal", ["size", "one"], ["is"]),
            Op("If", ["is"], ["s"], ("then_branch", Branch("t", Op("Squeeze", ["h", "ones"], ["t"]))),
                ("else_branch", Branch("e", Op("Identity", ["h"], ["e"])))), Op("MatMul", ["s", "w2"], ["y"]));
        model.Graph.Input[0] = Value("x", 1, 6);
        model.Graph.Output[0] = Value("y", 4);
        model.Graph.Initializer.AddRange([Weight("w1", 1, [6, 16]), Weight("w2", 2, [16, 4]), OnnxTensor.FromLongs("one", [], [1]),
            OnnxTensor.FromLongs("ones", [1], [1])]);
        var network = Read(model, "model");
        Assert.IsFalse(network.Nodes.Any(node => node.Operator == "If"));
        Assert.HasCount(16, network.Groups());
        Masked(network, 1, 6);

        static GraphProto Branch(string output, params NodeProto[] nodes)
            => new() { Name = output, Output = { new ValueInfoProto { Name = output } }, Node = { nodes } };
    }

    /// <summary>Removal computes what the same network with zeros computes.</summary>
    private void Masked(Network network, params int[] row)
    {
        var half = network.Groups().Where((_, i) => i % 2 == 0).ToArray();
        Close.AreEqual(Run(Save(network.Mask(half), "masked.onnx"), row), Run(Save(network.Remove(half), "small.onnx"), row), 1e-5, "removed against masked");
    }

    private static ModelProto Functions()
    {
        var model = Model(
            Op("Dense", ["x", "w1", "b1"], ["h", "given"], ("alpha", 0.3f)), Op("Dense", ["h", "w2", "b2"], ["h2", "again"]),
            Op("MatMul", ["h2", "w3"], ["y"]));
        model.Graph.Input[0] = Value("x", 8);
        model.Graph.Output[0] = Value("y", 4);
        model.Graph.Initializer.AddRange([Weight("w1", 1, [8, 16]), Weight("b1", 2, [16]), Weight("w2", 3, [16, 16]), Weight("b2", 4, [16]),
            Weight("w3", 5, [16, 4])]);
        model.Graph.Node[0].Domain = model.Graph.Node[1].Domain = "my";
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "my", Version = 1 });
        OperatorSetIdProto[] versions = [new() { Domain = "", Version = 17 }, new() { Domain = "my", Version = 1 }];
        var activation = Op("LeakyRelu", ["a"], ["out"]);
        activation.Attribute.Add(new AttributeProto { Name = "alpha", RefAttrName = "alpha", Type = AttributeProto.Types.AttributeType.Float });
        var affine = Op("Affine", ["x", "w", "b"], ["a"]);
        affine.Domain = "my";
        model.Functions.Add(new FunctionProto { Domain = "my", Name = "Affine", Input = { "x", "w", "b" }, Output = { "s" }, OpsetImport = { versions },
            Node = { Op("MatMul", ["x", "w"], ["p"]), Op("Add", ["p", "b"], ["s"]) } });
        model.Functions.Add(new FunctionProto
        {
            Domain = "my", Name = "Dense", Input = { "x", "w", "b" }, Output = { "out", "given" }, OpsetImport = { versions },
            Node = { affine, activation, Op("Identity", ["x"], ["given"]) }, AttributeProto = { OnnxAttributes.ToProto("alpha", 0.1f) },
        });
        return model;
    }

    /// <summary>The model with zeros at the half of some tensors' values that is nearest to zero.</summary>
    private static ModelProto WithoutHalf(ModelProto model, IEnumerable<TensorProto> tensors)
    {
        var (copy, all) = (model.Clone(), tensors.Select(tensor => (tensor.Name, Values: OnnxTensor.ToFloats(tensor, null))).ToArray());
        var sizes = all.SelectMany(tensor => tensor.Values).Select(Math.Abs).Order().ToArray();
        var limit = sizes[sizes.Length / 2];
        var values = all.ToDictionary(tensor => tensor.Name, tensor => tensor.Values.Select(value => Math.Abs(value) < limit ? 0 : value).ToArray());
        foreach (var tensor in OnnxTensors.Of(copy).Where(tensor => values.ContainsKey(tensor.Name)))
        {
            tensor.RawData = OnnxTensor.FromFloats("", tensor.Dims, values[tensor.Name]).RawData;
        }

        return copy;
    }

    private static ValueInfoProto Flag() => new() { Name = "flag", Type = new() { TensorType = new() { ElemType = (int)TensorType.Bool, Shape = new() } } };

    private Network Read(ModelProto model, string name)
    {
        File.WriteAllBytes(Path.Combine(_folder, name + ".onnx"), Google.Protobuf.MessageExtensions.ToByteArray(model));
        return Network.FromOnnx(Path.Combine(_folder, name + ".onnx"));
    }

    private string Save(Network network, string name)
    {
        network.SaveOnnx(Path.Combine(_folder, name));
        return Path.Combine(_folder, name);
    }

    private float[] Run(ModelProto model, params int[] row) => Run(Write(model), row);

    private float[] Run(ModelProto model, int row, bool flag) => Run(Write(model), [row], flag);

    private float[] Run(ModelProto model, int[] row, bool flag) => Run(Write(model), row, flag);

    private float[] Run(string path, params int[] row) => Reference.Run(path, [Rows(row)]).Single().Value.Values;

    private float[] Run(string path, int row, bool flag) => Run(path, [row], flag);

    private float[] Run(string path, int[] row, bool flag)
        => Reference.Run(path, [Rows(row), new(new("flag", [], "bool", []), [], [flag ? 1 : 0])]).Single().Value.Values;

    private string Write(ModelProto model)
    {
        var path = Path.Combine(_folder, "written.onnx");
        File.WriteAllBytes(path, Google.Protobuf.MessageExtensions.ToByteArray(model));
        return path;
    }

    private static ZooValues Rows(int[] row) => new ZooInput("x",
        ["N", .. row.Select(size => size.ToString(System.Globalization.CultureInfo.InvariantCulture))], "float", []).Draw(new Random(7), batch: 3);
}
