using System.Collections.Immutable;
using System.Globalization;
using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Tests.Cases;

namespace MLNet.Pruning.Tests.Networks.Onnx;

/// <summary>Between ONNX files and networks: what is read is written back, and what is written computes the same in ONNX Runtime.</summary>
[TestClass]
public class NetworkOnnxTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("onnx").FullName;

    public static IEnumerable<object[]> Networks => Zoo.Networks.Select(name => new object[] { name });

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void A_network_is_written_back_as_it_was_and_in_the_inner_form_computes_the_same(string name) => RoundTrip(Zoo.Network(name));

    [TestMethod]
    public void Every_operator_is_written_back_as_it_was_and_in_the_inner_form_computes_the_same()
    {
        var differing = new List<string>();
        foreach (var model in Zoo.Operators)
        {
            try
            {
                RoundTrip(model);
            }
            catch (Exception e) when (e is AssertFailedException or FormatException or ArgumentException)
            {
                differing.Add($"{model.Name}: {e.GetType().Name} {e.Message}");
            }
        }

        Assert.IsEmpty(differing, string.Join(Environment.NewLine, differing));
    }

    [TestMethod]
    [DataRow("gelu_opset20")]
    [DataRow("split_opset18")]
    [DataRow("reduce_mean_opset18")]
    [DataRow("group_norm_opset21")]
    public void The_latest_version_of_the_standard_is_read_and_written(string name)
    {
        var model = Zoo.Operator(name);
        var newer = OnnxFile.Read(model.Path);
        newer.OpsetImport.Single(import => import.Domain.Length == 0).Version = 22;
        var path = Path.Combine(_folder, name + ".onnx");
        OnnxFile.Write(newer, path);
        RoundTrip(model with { Path = path });
    }

    [TestMethod]
    public void Equal_numbers_that_different_layers_share_through_an_identity_are_untied()
    {
        // PyTorch shares all equal values through Identity nodes: the ones of fresh normalisations with each other.
        var model = OnnxFile.Read(Zoo.Network("resnet18_train").Path);
        var (from, to) = model.Graph.Node.Where(node => node.OpType == "Identity").Select(node => (node.Input[0], node.Output[0])).First();
        var ones = model.Graph.Initializer.First(tensor => tensor.Name == from);
        ones.RawData = OnnxTensor.FromFloats("", ones.Dims, Enumerable.Repeat(1f, (int)ones.Dims[0]).ToArray()).RawData;
        OnnxFile.Write(model, Path.Combine(_folder, "ones.onnx"));

        // Changing one leaves the other, in the network and in the file that is otherwise written as it was.
        var network = Network.FromOnnx(Path.Combine(_folder, "ones.onnx"));
        var changed = network.With(to, [.. network[to].Values.ToArray().Select(value => value + 1)]);
        changed.SaveOnnx(Path.Combine(_folder, "changed.onnx"));
        var again = Network.FromOnnx(Path.Combine(_folder, "changed.onnx"));
        CollectionAssert.AreEqual(network[from].Values.ToArray(), again[from].Values.ToArray());
        CollectionAssert.AreEqual(changed[to].Values.ToArray(), again[to].Values.ToArray());
    }

    [TestMethod]
    public void A_batch_norm_that_computes_with_the_batch_is_not_folded_and_stays_so_in_files()
    {
        var path = Case.File("hostile/batch_norm_training");
        var network = Network.FromOnnx(path);
        var input = network.Input;
        var rows = new ZooInput(input.Name, [.. input.Shape.Select(size => size < 0 ? "N" : size.ToString(CultureInfo.InvariantCulture))], "float", [])
            .Draw(new Random(5), 3);
        var expected = Reference.Run(path, [rows])[network.Output.Name].Values;
        foreach (var (name, changed) in new[] { ("folded", network.FoldBatchNorm()), ("inner", Inner(network)) })
        {
            changed.SaveOnnx(Path.Combine(_folder, name + ".onnx"));
            Close.AreEqual(expected, Reference.Run(Path.Combine(_folder, name + ".onnx"), [rows])[network.Output.Name].Values, 1e-5, name);
        }
    }

    [TestMethod]
    public void A_file_for_one_row_is_opened_for_any_number()
    {
        var model = Zoo.Network("lenet5_batch1");
        var network = Network.FromOnnx(model.Path);
        CollectionAssert.AreEqual(new[] { -1, 1, 28, 28 }, network.Input.Shape.ToArray());
        Inner(network).SaveOnnx(Path.Combine(_folder, "open.onnx"));
        var rows = Enumerable.Range(0, 3).Select(seed => model.Draw(seed, 1)[0]).ToArray();
        var together = Reference.Run(Path.Combine(_folder, "open.onnx"),
            [rows[0] with { Shape = [3, 1, 28, 28], Values = [.. rows.SelectMany(row => row.Values)] }]).Single().Value;
        CollectionAssert.AreEqual(new[] { 3, 10 }, together.Shape);
        Close.AreEqual([.. rows.SelectMany(row => Reference.Run(model.Path, [row]).Single().Value.Values)], together.Values, 1e-5, "scores");
    }

    [TestMethod]
    [DataRow("resnet18_train", 0)]
    [DataRow("batch_norm", 0)]
    public void Batch_norm_folds_into_the_layers_before_it(string name, int left)
    {
        var model = name == "batch_norm" ? Zoo.Operator(name) : Zoo.Network(name);
        var network = Network.FromOnnx(model.Path);
        var folded = network.FoldBatchNorm();
        Assert.IsGreaterThan(left, network.Nodes.Count(node => node.Operator == "BatchNormalization"));

        Assert.AreEqual(left, folded.Nodes.Count(node => node.Operator == "BatchNormalization"));
        folded.SaveOnnx(Path.Combine(_folder, "folded.onnx"));
        Same(model, Path.Combine(_folder, "folded.onnx"), 1e-4);
    }

    [TestMethod]
    public void Batch_norm_of_what_no_layer_makes_stays()
    {
        // DenseNet normalises concatenations.
        var network = Network.FromOnnx(Zoo.Network("densenet121").Path);
        Assert.AreSame(network, network.FoldBatchNorm());
    }

    [TestMethod]
    public void Weights_of_every_float_type_are_read_and_written_in_their_type()
    {
        foreach (var type in new[] { TensorProto.Types.DataType.Float16, TensorProto.Types.DataType.Bfloat16, TensorProto.Types.DataType.Double })
        {
            // The weight is stored in the type and cast where it is used, as converters to 16 bits do.
            var model = OnnxFile.Read(Zoo.Network("mlp").Path);
            var weight = model.Graph.Initializer.First(tensor => tensor.Dims.Count == 2);
            var values = OnnxTensor.ToFloats(weight, null);
            var stored = OnnxTensor.FromFloats(weight.Name, weight.Dims, values, type);
            model.Graph.Initializer[model.Graph.Initializer.IndexOf(weight)] = stored;
            var cast = new NodeProto { OpType = "Cast", Input = { weight.Name }, Output = { "cast" },
                Attribute = { new AttributeProto { Name = "to", I = 1, Type = AttributeProto.Types.AttributeType.Int } } };
            foreach (var node in model.Graph.Node)
            {
                for (var i = 0; i < node.Input.Count; i++)
                {
                    node.Input[i] = node.Input[i] == weight.Name ? "cast" : node.Input[i];
                }
            }

            model.Graph.Node.Insert(0, cast);
            var path = Path.Combine(_folder, $"{type}.onnx");
            OnnxFile.Write(model, path);
            var network = Network.FromOnnx(path);
            CollectionAssert.AreEqual(OnnxTensor.ToFloats(stored, null), network["cast"].Values.ToArray(), type.ToString());
            Inner(network).SaveOnnx(Path.Combine(_folder, "inner.onnx"));
            var inputs = Zoo.Network("mlp").Draw(1);
            if (type != TensorProto.Types.DataType.Bfloat16)
            {
                Close.AreEqual(Reference.Run(path, inputs).Single().Value.Values,
                    Reference.Run(Path.Combine(_folder, "inner.onnx"), inputs).Single().Value.Values, 1e-5, type.ToString());
            }
        }
    }

    [TestMethod]
    public void External_and_sparse_weights_are_read_and_written()
    {
        var model = Zoo.Network("mlp");
        var network = Network.FromOnnx(model.Path).Prune(Amount.Fraction(0.9)).Network;
        network.SaveOnnx(Path.Combine(_folder, "dense.onnx"));
        network.SaveOnnx(Path.Combine(_folder, "external.onnx"), externalData: "weights.bin");
        network.SaveOnnx(Path.Combine(_folder, "sparse.onnx"), sparse: true);
        long Size(string file) => new FileInfo(Path.Combine(_folder, file)).Length;
        Assert.IsLessThan(Size("dense.onnx") / 20, Size("external.onnx"));
        Assert.IsLessThan(Size("dense.onnx") / 2.5, Size("sparse.onnx"));
        foreach (var file in new[] { "external.onnx", "sparse.onnx" })
        {
            var again = Network.FromOnnx(Path.Combine(_folder, file));
            foreach (var parameter in network.Parameters)
            {
                CollectionAssert.AreEqual(parameter.Values.ToArray(), again[parameter.Name].Values.ToArray(), parameter.Name);
            }

            Directory.CreateDirectory(Path.Combine(_folder, "elsewhere"));
            again.SaveOnnx(Path.Combine(_folder, "elsewhere", file));
            var inputs = model.Draw(4);
            Close.AreEqual(Reference.Run(Path.Combine(_folder, "dense.onnx"), inputs).Single().Value.Values,
                Reference.Run(Path.Combine(_folder, "elsewhere", file), inputs).Single().Value.Values, 1e-6, file);
        }
    }

    [TestMethod]
    public void What_is_not_known_is_carried_and_stops_nothing_else()
    {
        var branching = Zoo.Operator("if_subgraph");
        var network = Network.FromOnnx(branching.Path);
        StringAssert.Contains(network.ToString(), "If");
        var pruned = network.Prune(Amount.Fraction(0.25)).Network;
        Inner(network.Prune(Amount.Fraction(0)).Network).SaveOnnx(Path.Combine(_folder, "if.onnx"));
        Same(branching, Path.Combine(_folder, "if.onnx"), 1e-6);
        Assert.IsLessThan(NetworkCost.Of(network).Total.NonZeros, NetworkCost.Of(pruned).Total.NonZeros);

        var custom = Network.FromOnnx(Zoo.Operator("custom_domain").Path);
        Inner(custom).SaveOnnx(Path.Combine(_folder, "custom.onnx"));
        var (before, after) = (OnnxFile.Read(Zoo.Operator("custom_domain").Path), OnnxFile.Read(Path.Combine(_folder, "custom.onnx")));
        CollectionAssert.AreEquivalent(before.OpsetImport, after.OpsetImport);
        var node = before.Graph.Node.Single(node => node.Domain.Length > 0);
        CollectionAssert.AreEquivalent(node.Attribute, after.Graph.Node.Single(other => other.Domain.Length > 0).Attribute);
    }

    [TestMethod]
    public void Metadata_stays_when_the_graph_changes()
    {
        var model = OnnxFile.Read(Zoo.Network("mlp").Path);
        model.MetadataProps.Add(new StringStringEntryProto { Key = "author", Value = "somebody" });
        (model.ProducerName, model.Domain, model.ModelVersion, model.DocString, model.Graph.DocString) = ("maker", "org.example", 7, "what it is",
            "of the graph");
        model.Graph.Node[0].DocString = "of a node";
        model.MergeFrom(ByteString.CopyFrom(0xFA, 0x3F, 0x03, 0x61, 0x62, 0x63));
        var path = Path.Combine(_folder, "metadata.onnx");
        OnnxFile.Write(model, path);
        var network = Network.FromOnnx(path);
        network.Remove(network.Groups().Take(3)).SaveOnnx(Path.Combine(_folder, "smaller.onnx"));
        var after = OnnxFile.Read(Path.Combine(_folder, "smaller.onnx"));
        Assert.AreEqual(("maker", "org.example", 7L, "what it is", "of the graph", "of a node"),
            (after.ProducerName, after.Domain, after.ModelVersion, after.DocString, after.Graph.DocString, after.Graph.Node[0].DocString));
        Assert.AreEqual("somebody", after.MetadataProps.Single(entry => entry.Key == "author").Value);
        CollectionAssert.IsSubsetOf(new byte[] { 0xFA, 0x3F, 0x03, 0x61, 0x62, 0x63 }, after.ToByteArray(), "a field of a later version of the format");
    }

    [TestMethod]
    public void A_node_that_does_not_fit_is_refused_by_file_and_name()
    {
        var model = OnnxFile.Read(Zoo.Network("lenet5").Path);
        var weight = model.Graph.Initializer.First(tensor => tensor.Dims.Count == 4);
        weight.Dims[1] = 2;
        weight.Dims[0] /= 2;
        var path = Path.Combine(_folder, "channels.onnx");
        OnnxFile.Write(model, path);
        var error = Assert.ThrowsExactly<OnnxFormatException>(() => Network.FromOnnx(path));
        StringAssert.Contains(error.Message, "channels.onnx: node ");
        StringAssert.Contains(error.Message, "it expects 2 channels");
        Assert.ThrowsExactly<FileNotFoundException>(() => Network.FromOnnx(Path.Combine(_folder, "nothing.onnx")));
    }

    [TestMethod]
    public void A_network_that_was_built_is_written_for_any_runtime()
    {
        var network = Network.Sequential([1, 12, 12], Layer.Conv2d(4, 3, padding: 1), Layer.BatchNorm(), Layer.Gelu(), Layer.MaxPool(2), Layer.Conv2d(6, 3),
            Layer.Silu(), Layer.AveragePool(2, padding: 1),
            Layer.LeakyRelu(), Layer.Dropout(), Layer.Flatten(), Layer.Dense(5), Layer.Tanh(), Layer.Dense(3), Layer.Softmax()).Initialize(3);
        var path = Path.Combine(_folder, "built.onnx");
        network.SaveOnnx(path);
        var again = Network.FromOnnx(path);
        foreach (var parameter in network.Parameters)
        {
            CollectionAssert.AreEqual(parameter.Values.ToArray(), again[parameter.Name].Values.ToArray(), parameter.Name);
            Assert.AreEqual(parameter.Trainable, again[parameter.Name].Trainable, parameter.Name);
        }

        var input = new ZooInput("input", ["N", "1", "12", "12"], "float", []).Draw(new Random(1), 4);
        var scores = Reference.Run(path, [input]).Single().Value;
        using var scorer = Scorer.Create(network, softmax: true, batch: 4);
        input.Values.CopyTo(scorer.Rows, 0);
        scorer.Run(4);
        for (var row = 0; row < 4; row++)
        {
            Close.AreEqual(scores.Values[(row * 3)..(row * 3 + 3)], scorer.Scores(row), 1e-5, $"row {row}");
        }
    }

    /// <summary>The network as if its graph had changed, so that it is written in the inner form.</summary>
    private static Network Inner(Network network) => new(network.Parts with { AsRead = false });

    private void RoundTrip(ZooModel model)
    {
        var network = Network.FromOnnx(model.Path);
        var (same, inner, twice) = (Path.Combine(_folder, "same.onnx"), Path.Combine(_folder, "inner.onnx"), Path.Combine(_folder, "twice.onnx"));
        network.SaveOnnx(same);
        Assert.AreEqual(ModelProto.Parser.ParseFrom(File.ReadAllBytes(model.Path)), ModelProto.Parser.ParseFrom(File.ReadAllBytes(same)),
            $"{model.Name}, written as it was");

        Inner(network).SaveOnnx(inner);
        var again = Network.FromOnnx(inner);
        CollectionAssert.AreEqual(network.Nodes.Select(node => Text(network, node)).ToArray(), again.Nodes.Select(node => Text(again, node)).ToArray(),
            $"{model.Name}: nodes");
        CollectionAssert.AreEquivalent(network.Parameters.Select(parameter => (parameter.Name, parameter.Trainable)).ToArray(),
            again.Parameters.Select(parameter => (parameter.Name, parameter.Trainable)).ToArray(), model.Name);
        foreach (var parameter in network.Parameters)
        {
            Assert.IsTrue(parameter.Values.SequenceEqual(again[parameter.Name].Values), $"{model.Name}: {parameter.Name}");
        }

        Inner(again).SaveOnnx(twice);
        Assert.IsTrue(File.ReadAllBytes(inner).AsSpan().SequenceEqual(File.ReadAllBytes(twice)), $"{model.Name}: written, read and written again");
        if (model.Runs)
        {
            Same(model, inner, 1e-5);
        }
    }

    /// <summary>A node with its attributes, open sizes by name.</summary>
    private static string Text(Network network, Node node)
        => $"{node} {string.Join(", ", node.Attributes.OrderBy(attribute => attribute.Key, StringComparer.Ordinal)
        .Select(attribute => $"{attribute.Key}={(attribute.Value is Array array
            ? string.Join(" ", array.Cast<object>().Select(value =>
                attribute.Key == "shape" && value is long and < 0 and var size ? network.Graph.Symbols.Name((int)size) : value)) : attribute.Value)}"))}";

    private static void Same(ZooModel model, string path, double tolerance)
    {
        var inputs = model.Draw(11, model.Inputs[0].Shape[0] == "N" ? ZooModel.Batch : 1);
        var (expected, actual) = (Reference.Run(model.Path, inputs), Reference.Run(path, inputs));
        foreach (var (output, (shape, values)) in expected)
        {
            CollectionAssert.AreEqual(shape, actual[output].Shape, $"{model.Name}, shape of {output}");
            var scale = Math.Max(1e-6, values.Max(Math.Abs));
            Close.AreEqual([.. values.Select(value => (float)(value / scale))], [.. actual[output].Values.Select(value => (float)(value / scale))], tolerance,
                $"{model.Name}, {output}");
        }
    }
}
