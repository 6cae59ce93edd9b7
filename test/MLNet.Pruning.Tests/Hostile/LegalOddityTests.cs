using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Cases;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNet.Pruning.Tests.Hostile;

/// <summary>What looks wrong and is not: read, taken by every stage, and written so that ONNX Runtime computes the same.</summary>
[TestClass]
public sealed class LegalOddityTests
{
    [TestMethod]
    public void A_file_that_gives_back_a_weight_is_read_and_written()
        => Same(File.ReadAllBytes(Case.File("hostile/output-is-initializer")));

    [TestMethod]
    public void A_dimension_of_size_0_is_read_and_written() => Assert.IsTrue(LaterStages.Run(File.ReadAllBytes(Case.File("zero_min")), "zero_min"));

    [TestMethod]
    public void A_size_that_is_multiplied_with_itself_is_computed_when_the_network_runs()
    {
        // Sixty-four factors are followed; from there on the product is a node, which reads the size before it twice.
        var file = File.ReadAllBytes(Case.File("hostile/symbol-squares40"));
        Assert.IsTrue(LaterStages.Run(file, "squares"));
        Assert.Contains(node => node.Operator == "Mul", OnnxImport.Read(OnnxFile.Parse(file, "squares"), "squares", null).Nodes);
    }

    [TestMethod]
    [DataRow("w")]
    [DataRow("k")]
    [DataRow("c")]
    [DataRow("x")]
    [DataRow("empty")]
    public void A_weight_a_constant_an_input_are_outputs(string output)
    {
        var graph = new GraphProto
        {
            Input = { Value("x") },
            Output = { Value("y"), new ValueInfoProto { Name = output } },
            Initializer =
            {
                OnnxTensor.FromFloats("w", [2, 3], [1, 2, 3, 4, 5, 6]), OnnxTensor.FromLongs("k", [2], [-1, 3]),
                OnnxTensor.FromFloats("empty", [0, 3], []),
            },
            Node =
            {
                new NodeProto { OpType = "Constant", Output = { "c" },
                    Attribute = { new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor,
                        T = OnnxTensor.FromFloats("", [3], [7, 8, 9]) } } },
                new NodeProto { OpType = "MatMul", Name = "m", Input = { "x", "w" }, Output = { "m" } },
                new NodeProto { OpType = "Reshape", Name = "r", Input = { "m", "k" }, Output = { "r" } },
                new NodeProto { OpType = "Concat", Name = "j", Input = { "r", "empty" }, Output = { "j" },
                    Attribute = { new AttributeProto { Name = "axis", Type = AttributeProto.Types.AttributeType.Int } } },
                new NodeProto { OpType = "Add", Name = "a", Input = { "j", "c" }, Output = { "y" } },
            },
        };
        Same(new ModelProto { IrVersion = 8, OpsetImport = { new OperatorSetIdProto { Version = 17 } }, Graph = graph }.ToByteArray());
    }

    private static ValueInfoProto Value(string name) => new()
    {
        Name = name,
        Type = new TypeProto { TensorType = new() { ElemType = 1,
            Shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" },
                new TensorShapeProto.Types.Dimension { DimValue = name == "x" ? 2 : 3 } } } } },
    };

    private static void Same(byte[] file)
    {
        Assert.IsTrue(LaterStages.Run(file, "m"));
        var network = OnnxImport.Read(OnnxFile.Parse(file, "m"), "m", null);
        var before = Outputs(file);
        AssertSame(before, Outputs(OnnxWriter.Write(network).ToByteArray()));
        // In the inner form too, in which a changed graph is written.
        AssertSame(before, Outputs(OnnxWriter.Write(new Network(network.Parts with { AsRead = false })).ToByteArray()));
    }

    private static void AssertSame(IReadOnlyList<float[]> expected, IReadOnlyList<float[]> actual)
    {
        Assert.HasCount(expected.Count, actual);
        for (var i = 0; i < expected.Count; i++)
        {
            CollectionAssert.AreEqual(expected[i], actual[i]);
        }
    }

    private static IReadOnlyList<float[]> Outputs(byte[] file)
    {
        using var session = new InferenceSession(file);
        using var results = session.Run([.. session.InputMetadata.Select(input =>
        {
            int[] shape = [.. input.Value.Dimensions.Select(size => size < 0 ? 4 : size)];
            return NamedOnnxValue.CreateFromTensor(input.Key, new DenseTensor<float>(Enumerable.Range(1, shape.Aggregate(1, (product, size) => product * size))
                .Select(i => (float)i).ToArray(), shape));
        })]);
        return [.. results.Select(result => result.ElementType == TensorElementType.Int64
            ? Array.ConvertAll(result.AsTensor<long>().ToArray(), value => (float)value) : result.AsTensor<float>().ToArray())];
    }
}
