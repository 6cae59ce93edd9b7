using System.Runtime.InteropServices;
using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Tests.Networks.Onnx;

/// <summary>Models of which a file is read in parts, compared with what protobuf makes of all of its bytes.</summary>
[TestClass]
public class ModelBytesTests
{
    private const int Page = 4096;
    private static readonly TensorProto s_small = new() { RawData = ByteString.CopyFrom(new byte[12]) };
    private static readonly TensorProto s_float = new() { DataType = (int)TensorProto.Types.DataType.Float };
    private readonly string _path = Path.GetTempFileName();

    [TestCleanup]
    public void Delete() => File.Delete(_path);

    [TestMethod]
    [DataRow(1024)]
    [DataRow(Page - 4)]
    [DataRow(Page)]
    [DataRow((3 * Page) + 4)]
    [DataRow((5 * Page) + 3)]
    public void Values_are_where_the_fields_of_a_tensor_have_them_in_any_order(int length)
    {
        var (large, other) = (Values(1, length), Values(2, length + Page));
        foreach (var parts in new[]
        {
            new[] { s_float, large }, [large, s_float], [large], [large, s_small, s_float], [s_small, large, s_float], [large, other, s_float],
            [other, s_float, large, s_small], [new() { Name = "a", Dims = { length / 4 } }, large, s_float, new() { DocString = new('d', Page) }],
        })
        {
            byte[] tensor = [.. parts.SelectMany(part => part.ToByteArray())];
            AssertReads(Model(tensor, Values(3, 2 * Page).ToByteArray(), tensor));
        }
    }

    [TestMethod]
    public void Fields_that_are_not_known_are_kept_and_groups_read_whole()
    {
        // Field 1000 as a group of a text longer than a page, in a tensor, a graph and the model.
        byte[] group = [.. Tag(1000, WireFormat.WireType.StartGroup), .. Field(1, Random(4, 3 * Page)), .. Tag(1000, WireFormat.WireType.EndGroup)];
        byte[] tensor = [.. group, .. Values(1, 2 * Page).ToByteArray(), .. s_float.ToByteArray(), .. group];
        AssertReads([.. group, .. Model([.. tensor, .. group]), .. group]);
    }

    [TestMethod]
    public void An_array_that_was_read_is_handed_out_once()
    {
        var dimensions = new TensorProto { Dims = { Page } }.ToByteArray();
        File.WriteAllBytes(_path, Model([.. dimensions, .. s_float.ToByteArray(), .. Values(1, 4 * Page).ToByteArray()]));
        using var file = File.OpenHandle(_path);
        var tensor = OnnxParsing.Parse(new(file, (int)RandomAccess.GetLength(file))).Graph.Initializer[0];
        var bytes = tensor.RawData.ToByteArray();
        var (first, second) = (OnnxTensor.ToFloats(tensor, null), OnnxTensor.ToFloats(tensor, null));
        Assert.AreNotSame(first, second);
        CollectionAssert.AreEqual(bytes, MemoryMarshal.AsBytes<float>(first).ToArray());
        CollectionAssert.AreEqual(bytes, MemoryMarshal.AsBytes<float>(second).ToArray());
    }

    [TestMethod]
    public void A_file_that_becomes_shorter_is_refused()
    {
        File.WriteAllBytes(_path, Model([.. s_float.ToByteArray(), .. Values(1, 8 * Page).ToByteArray()]));
        using var file = File.OpenHandle(_path);
        var length = (int)RandomAccess.GetLength(file);
        foreach (var more in new[] { 1, Page, 100 * Page })
        {
            var bytes = new ModelBytes(file, length + more);
            StringAssert.Contains(Assert.ThrowsExactly<OnnxFormatException>(() => bytes.With(0, length + more)).Message, "became shorter");
            bytes.Values(length - 8, more + 8, areFloats: false);
            StringAssert.Contains(Assert.ThrowsExactly<OnnxFormatException>(bytes.ReadValues).Message, "became shorter");
        }
    }

    private void AssertReads(byte[] model)
    {
        File.WriteAllBytes(_path, model);
        using var file = File.OpenHandle(_path);
        var expected = ModelProto.Parser.ParseFrom(model);
        Assert.AreEqual(expected, OnnxParsing.Parse(new(file, model.Length)));
        Assert.AreEqual(expected, OnnxParsing.Parse(new(model)));
    }

    /// <summary>A model with these tensors for initializers.</summary>
    private static byte[] Model(params byte[][] tensors)
    {
        byte[] graph = [.. tensors.SelectMany(tensor => Field(GraphProto.InitializerFieldNumber, tensor)), .. new GraphProto { Name = "g" }.ToByteArray()];
        return [.. new ModelProto { IrVersion = 8 }.ToByteArray(), .. Field(ModelProto.GraphFieldNumber, graph)];
    }

    private static TensorProto Values(int seed, int length) => new() { RawData = ByteString.CopyFrom(Random(seed, length)) };

    private static byte[] Random(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static byte[] Field(int number, byte[] content)
        => [.. Tag(number, WireFormat.WireType.LengthDelimited), .. Varint((uint)content.Length), .. content];

    private static byte[] Tag(int number, WireFormat.WireType type) => Varint(WireFormat.MakeTag(number, type));

    private static byte[] Varint(uint value)
    {
        using var stream = new MemoryStream();
        using var output = new CodedOutputStream(stream);
        output.WriteUInt32(value);
        output.Flush();
        return stream.ToArray();
    }
}
