using System.Buffers.Binary;
using System.Globalization;
using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Networks.Onnx;

[TestClass]
public class OnnxTensorTests
{
    private static readonly Peer s_peer = Fixture.Read<Peer>("onnx_tensors");

    [TestMethod]
    public void Every_type_is_read_as_the_onnx_package_wrote_it()
    {
        var tensors = OnnxFile.Parse(Convert.FromBase64String(s_peer.Model), "peer.onnx").Graph.Initializer.ToDictionary(tensor => tensor.Name);
        Assert.AreEqual(tensors.Count, s_peer.Floats.Count + s_peer.Integers.Count);
        foreach (var (name, expected) in s_peer.Floats)
        {
            CollectionAssert.AreEqual(expected, OnnxTensor.ToFloats(tensors[name], null), name);
        }

        foreach (var (name, expected) in s_peer.Integers)
        {
            CollectionAssert.AreEqual(expected.Select(long.Parse).ToArray(), OnnxTensor.ToLongs(tensors[name], null), name);
        }
    }

    [TestMethod]
    public void A_model_of_the_onnx_package_is_written_byte_for_byte()
    {
        var bytes = Convert.FromBase64String(s_peer.Model);
        CollectionAssert.AreEqual(bytes, OnnxFile.Parse(bytes, "peer.onnx").ToByteArray());
    }

    [TestMethod]
    public void Floats_round_as_NumPy_and_PyTorch_round_them()
    {
        var values = s_peer.Rounding.Patterns.Select(BitConverter.UInt32BitsToSingle).ToArray();
        CollectionAssert.AreEqual(s_peer.Rounding.Float16, Shorts(OnnxTensor.FromFloats("h", [values.Length], values, DataType.Float16)));
        CollectionAssert.AreEqual(s_peer.Rounding.Bfloat16, Shorts(OnnxTensor.FromFloats("b", [values.Length], values, DataType.Bfloat16)));
    }

    [TestMethod]
    [DataRow((int)DataType.Float16)]
    [DataRow((int)DataType.Bfloat16)]
    public void Every_pattern_of_16_bits_survives_reading_and_writing(int dataType)
    {
        var type = (DataType)dataType;
        var bytes = new byte[2 << 16];
        for (var i = 0; i < 1 << 16; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), (ushort)i);
        }

        var floats = OnnxTensor.ToFloats(new TensorProto { Name = "t", DataType = (int)type, Dims = { 1 << 16 }, RawData = ByteString.CopyFrom(bytes) }, null);
        var written = Shorts(OnnxTensor.FromFloats("t", [1 << 16], floats, type));
        for (var i = 0; i < 1 << 16; i++)
        {
            // The standard's formats by their definition: sign, exponent, fraction.
            var (exponentBits, fractionBits) = type == DataType.Float16 ? (5, 10) : (8, 7);
            var exponent = (i >> fractionBits) & ((1 << exponentBits) - 1);
            var fraction = i & ((1 << fractionBits) - 1);
            if (exponent == (1 << exponentBits) - 1 && fraction != 0)
            {
                Assert.IsTrue(float.IsNaN(floats[i]), $"{i:x4}");
                Assert.IsTrue(((written[i] >> fractionBits) & ((1 << exponentBits) - 1)) == exponent && (written[i] & ((1 << fractionBits) - 1)) != 0,
                    $"{i:x4} stays no number");
                continue;
            }

            var bias = (1 << (exponentBits - 1)) - 1;
            var magnitude = exponent == (1 << exponentBits) - 1 ? double.PositiveInfinity
                : exponent == 0 ? fraction * Math.Pow(2, 1 - bias - fractionBits)
                : (fraction + (1 << fractionBits)) * Math.Pow(2, exponent - bias - fractionBits);
            Assert.AreEqual(i >> 15 == 0 ? magnitude : -magnitude, floats[i], $"{i:x4}");
            Assert.AreEqual(i, written[i], $"{i:x4}");
        }
    }

    [TestMethod]
    public void Doubles_are_rounded_and_floats_written_as_doubles_come_back()
    {
        float[] values = [1.5f, -0f, float.MaxValue, float.Epsilon, float.NaN];
        CollectionAssert.AreEqual(values, OnnxTensor.ToFloats(OnnxTensor.FromFloats("d", [5], values, DataType.Double), null));
        var typed = new TensorProto { Name = "d", DataType = (int)DataType.Double, Dims = { 2 }, DoubleData = { 0.1, 1e300 } };
        CollectionAssert.AreEqual(new[] { 0.1f, float.PositiveInfinity }, OnnxTensor.ToFloats(typed, null));
    }

    [TestMethod]
    [DataRow((int)DataType.Int8, sbyte.MinValue, sbyte.MaxValue)]
    [DataRow((int)DataType.Uint8, byte.MinValue, byte.MaxValue)]
    [DataRow((int)DataType.Int16, short.MinValue, short.MaxValue)]
    [DataRow((int)DataType.Uint16, ushort.MinValue, ushort.MaxValue)]
    [DataRow((int)DataType.Int32, int.MinValue, int.MaxValue)]
    [DataRow((int)DataType.Uint32, uint.MinValue, uint.MaxValue)]
    [DataRow((int)DataType.Int64, long.MinValue, long.MaxValue)]
    [DataRow((int)DataType.Uint64, 0, long.MaxValue)]
    [DataRow((int)DataType.Int4, -8, 7)]
    [DataRow((int)DataType.Uint4, 0, 15)]
    [DataRow((int)DataType.Int2, -2, 1)]
    [DataRow((int)DataType.Uint2, 0, 3)]
    [DataRow((int)DataType.Bool, 0, 1)]
    public void Integers_come_back_and_what_a_type_cannot_hold_is_refused(int dataType, long lowest, long highest)
    {
        var type = (DataType)dataType;
        long[] values = [lowest, 1, highest, 0, highest, lowest];
        CollectionAssert.AreEqual(values, OnnxTensor.ToLongs(OnnxTensor.FromLongs("i", [2, 3], values, type), null));
        if (type is not (DataType.Int64 or DataType.Uint64 or DataType.Bool))
        {
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => OnnxTensor.FromLongs("i", [1], [highest + 1], type)).Message,
                (highest + 1).ToString(CultureInfo.InvariantCulture));
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => OnnxTensor.FromLongs("i", [1], [lowest - 1], type)).Message, "'i'");
        }
    }

    [TestMethod]
    public void Values_below_a_byte_are_unpacked_from_the_lowest_bits_up()
    {
        TensorProto Packed(DataType type, int count, params byte[] bytes)
            => new() { Name = "p", DataType = (int)type, Dims = { count }, RawData = ByteString.CopyFrom(bytes) };
        CollectionAssert.AreEqual(new long[] { 1, 15, 8 }, OnnxTensor.ToLongs(Packed(DataType.Uint4, 3, 0xF1, 0x08), null));
        CollectionAssert.AreEqual(new long[] { 1, -1, -8 }, OnnxTensor.ToLongs(Packed(DataType.Int4, 3, 0xF1, 0x08), null));
        CollectionAssert.AreEqual(new long[] { 0, 1, 2, 3, 1 }, OnnxTensor.ToLongs(Packed(DataType.Uint2, 5, 0xE4, 0x01), null));
        CollectionAssert.AreEqual(new long[] { 0, 1, -2, -1, 1 }, OnnxTensor.ToLongs(Packed(DataType.Int2, 5, 0xE4, 0x01), null));
        var typed = new TensorProto { Name = "p", DataType = (int)DataType.Int4, Dims = { 3 }, Int32Data = { 0xF1, 0x08 } };
        CollectionAssert.AreEqual(new long[] { 1, -1, -8 }, OnnxTensor.ToLongs(typed, null));
    }

    [TestMethod]
    public void A_typed_value_outside_its_type_is_refused()
    {
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Int8, Dims = { 2 }, Int32Data = { 1, 300 } }, "300", "at 1");
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Float16, Dims = { 1 }, Int32Data = { -1 } }, "-1");
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Uint64, Dims = { 1 }, Uint64Data = { ulong.MaxValue } }, "18446744073709551615");
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Uint64, Dims = { 1 },
            RawData = ByteString.CopyFrom(Enumerable.Repeat((byte)255, 8).ToArray()) }, "9223372036854775807");
    }

    [TestMethod]
    public void A_scalar_has_one_value_and_a_size_of_zero_none()
    {
        CollectionAssert.AreEqual(new[] { 3f }, OnnxTensor.ToFloats(OnnxTensor.FromFloats("s", [], [3f]), null));
        Assert.AreEqual(0, OnnxTensor.ToFloats(new TensorProto { Name = "e", DataType = (int)DataType.Float, Dims = { long.MaxValue, long.MaxValue, 0 } },
            null).Length);
        Assert.AreEqual(24, OnnxTensor.Count(new TensorProto { Dims = { 2, 3, 4 } }));
    }

    [TestMethod]
    public void Sizes_that_are_not_there_are_refused_before_anything_is_allocated()
    {
        var twelve = ByteString.CopyFrom(new byte[12]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Float, Dims = { 1L << 40 }, RawData = twelve }, "'t'", "1099511627776", "4398046511104",
            "12 bytes");
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Float, Dims = { 1L << 30 }, FloatData = { 1 } }, "1073741824", "float_data");
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Int64, Dims = { 1L << 30, 1L << 30, 1L << 30 }, RawData = twelve },
            "1073741824 x 1073741824 x 1073741824");
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Complex128, Dims = { long.MaxValue }, RawData = twelve }, "147573952589676412912");
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Float, Dims = { -3 }, RawData = twelve }, "[-3]");
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Float, Dims = { -1, -3 }, RawData = twelve }, "[-1 x -3]");
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Float, Dims = { 3 } }, "0 values in float_data", "expected 3");
        Assert.IsLessThan(1 << 20, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    public void Values_in_the_wrong_place_are_refused()
    {
        var four = ByteString.CopyFrom(new byte[4]);
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Float, Dims = { 1 }, RawData = four, FloatData = { 1 } }, "raw_data and float_data");
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Float, Dims = { 1 }, Int32Data = { 1 } }, "int32_data", "expected float_data");
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.Float, Dims = { 1 }, RawData = four, Segment = new() { Begin = 0, End = 1 } },
            "segment");
        Refused(new TensorProto { Name = "t", DataType = 77, Dims = { 1 }, RawData = four }, "77");
        Refused(new TensorProto { Name = "t", Dims = { 1 }, RawData = four }, "data type 0");
        Refused(new TensorProto { Name = "t", DataType = (int)DataType.String, Dims = { 1 }, RawData = four }, "String");
        Assert.ThrowsExactly<OnnxFormatException>(() => OnnxTensor.ToFloats(OnnxTensor.FromLongs("t", [1], [1]), null));
        Assert.ThrowsExactly<OnnxFormatException>(() => OnnxTensor.ToLongs(OnnxTensor.FromFloats("t", [1], [1]), null));
    }

    [TestMethod]
    public void Writing_another_number_of_values_than_the_dimensions_ask_for_is_refused()
    {
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => OnnxTensor.FromFloats("t", [2, 3], [1, 2])).Message, "[2 x 3]");
        Assert.ThrowsExactly<ArgumentException>(() => OnnxTensor.FromLongs("t", [2], [1]));
        Assert.ThrowsExactly<ArgumentException>(() => OnnxTensor.FromFloats("t", [1], [1], DataType.Int32));
        Assert.ThrowsExactly<ArgumentException>(() => OnnxTensor.FromLongs("t", [1], [1], DataType.Float));
    }

    private static void Refused(TensorProto tensor, params string[] parts)
    {
        var message = Assert.ThrowsExactly<OnnxFormatException>(() =>
        {
            if ((DataType)tensor.DataType is DataType.Int8 or DataType.Uint64)
            {
                OnnxTensor.ToLongs(tensor, null);
            }
            else
            {
                OnnxTensor.ToFloats(tensor, null);
            }
        }).Message;
        foreach (var part in parts)
        {
            StringAssert.Contains(message, part);
        }
    }

    private static int[] Shorts(TensorProto tensor) =>
        [.. Enumerable.Range(0, tensor.RawData.Length / 2).Select(i => (int)BinaryPrimitives.ReadUInt16LittleEndian(tensor.RawData.Span[(2 * i)..]))];

    private sealed record Rounding(uint[] Patterns, int[] Float16, int[] Bfloat16);

    private sealed record Peer(string Model, Dictionary<string, float[]> Floats, Dictionary<string, string[]> Integers, Rounding Rounding);
}
