using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Networks.Onnx;

[TestClass]
public sealed class OnnxExternalDataTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory().FullName;
    private readonly string _folder;

    public OnnxExternalDataTests()
    {
        _folder = Directory.CreateDirectory(Path.Combine(_root, "model")).FullName;
        File.WriteAllBytes(Path.Combine(_folder, "w.bin"), Bytes(1, 2, 3, 4));
        File.WriteAllBytes(Path.Combine(_root, "secret.bin"), Bytes(9, 9, 9, 9));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [TestMethod]
    public void Values_are_read_at_their_offset()
    {
        CollectionAssert.AreEqual(new float[] { 1, 2, 3, 4 }, OnnxTensor.ToFloats(External("w.bin", 4), _folder));
        CollectionAssert.AreEqual(new float[] { 2, 3 }, OnnxTensor.ToFloats(External("w.bin", 2, offset: "4", length: "8"), _folder));
        CollectionAssert.AreEqual(new float[] { 4 }, OnnxTensor.ToFloats(External("./w.bin", 1, offset: "12"), _folder));
        Directory.CreateDirectory(Path.Combine(_folder, "sub"));
        File.WriteAllBytes(Path.Combine(_folder, "sub", "v.bin"), Bytes(5));
        CollectionAssert.AreEqual(new float[] { 5 }, OnnxTensor.ToFloats(External("sub/v.bin", 1), _folder));
        Assert.AreEqual(0, OnnxTensor.ToFloats(External("w.bin", 0), _folder).Length);
    }

    [TestMethod]
    public void Halves_doubles_and_integers_are_read_across_pieces()
    {
        var values = Enumerable.Range(0, 100_000).Select(i => i % 2000 - 1000f).ToArray();
        foreach (var type in new[] { DataType.Float, DataType.Float16, DataType.Double })
        {
            var tensor = External("half.bin", values.Length, type: type);
            File.WriteAllBytes(Path.Combine(_folder, "half.bin"), OnnxTensor.FromFloats("t", [values.Length], values, type).RawData.ToByteArray());
            CollectionAssert.AreEqual(values, OnnxTensor.ToFloats(tensor, _folder), type.ToString());
        }

        var longs = values.Select(value => (long)value).ToArray();
        File.WriteAllBytes(Path.Combine(_folder, "int.bin"), OnnxTensor.FromLongs("t", [values.Length], longs, DataType.Int16).RawData.ToByteArray());
        CollectionAssert.AreEqual(longs, OnnxTensor.ToLongs(External("int.bin", values.Length, type: DataType.Int16), _folder));
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("../secret.bin")]
    [DataRow("sub/../../secret.bin")]
    [DataRow("sub\\..\\..\\secret.bin")]
    [DataRow("..")]
    [DataRow("/etc/passwd")]
    [DataRow("\\\\server\\share\\w.bin")]
    [DataRow("//server/share/w.bin")]
    [DataRow("C:\\secret.bin")]
    [DataRow("C:secret.bin")]
    [DataRow("file:///etc/passwd")]
    [DataRow("w.bin\0")]
    public void Locations_outside_the_folder_are_refused(string location) =>
        Refused(External(location, 4), "'t'", "expected a path below the model's folder");

    [TestMethod]
    public void A_file_that_is_not_there_or_is_a_folder_is_refused()
    {
        Refused(External("absent.bin", 4), "absent.bin", "does not exist");
        Refused(External(".", 4), "out of the model's folder");
        Directory.CreateDirectory(Path.Combine(_folder, "sub"));
        Refused(External("sub", 4), "does not exist");
        Refused(External("w.bin/x", 4), "does not exist");
    }

    [TestMethod]
    public void Links_may_lead_about_the_folder_but_not_out_of_it()
    {
        File.CreateSymbolicLink(Path.Combine(_folder, "inside.bin"), "w.bin");
        CollectionAssert.AreEqual(new float[] { 1, 2, 3, 4 }, OnnxTensor.ToFloats(External("inside.bin", 4), _folder));
        Directory.CreateSymbolicLink(Path.Combine(_root, "alias"), _folder);
        CollectionAssert.AreEqual(new float[] { 1, 2, 3, 4 }, OnnxTensor.ToFloats(External("w.bin", 4), Path.Combine(_root, "alias")));

        File.CreateSymbolicLink(Path.Combine(_folder, "relative.bin"), "../secret.bin");
        Refused(External("relative.bin", 4), "link");
        File.CreateSymbolicLink(Path.Combine(_folder, "absolute.bin"), Path.Combine(_root, "secret.bin"));
        Refused(External("absolute.bin", 4), "link");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "up"), "..");
        Refused(External("up/secret.bin", 4), "link");
        File.CreateSymbolicLink(Path.Combine(_folder, "twice.bin"), "up/secret.bin");
        Refused(External("twice.bin", 4), "link");
        File.CreateSymbolicLink(Path.Combine(_folder, "loop.bin"), "loop.bin");
        Refused(External("loop.bin", 4), "links");
        // A neighbour whose name begins with the folder's.
        Directory.CreateDirectory(_folder + "2");
        File.WriteAllBytes(Path.Combine(_folder + "2", "v.bin"), Bytes(1));
        File.CreateSymbolicLink(Path.Combine(_folder, "neighbour.bin"), "../model2/v.bin");
        Refused(External("neighbour.bin", 1), "link");
    }

    [TestMethod]
    public void Sizes_are_held_against_the_file_before_anything_is_allocated()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused(External("w.bin", 1L << 40), "4398046511104", "which has 16");
        Refused(External("w.bin", 1L << 28), "which has 16");
        Refused(External("w.bin", 4, offset: "4"), "4 to 20", "which has 16");
        Refused(External("w.bin", 1, offset: long.MaxValue.ToString(CultureInfo.InvariantCulture)), "which has 16");
        Refused(External("w.bin", 4, offset: "-4"), "offset '-4'");
        Refused(External("w.bin", 4, offset: "99999999999999999999"), "offset");
        Refused(External("w.bin", 4, length: "many"), "length 'many'");
        Refused(External("w.bin", 4, length: "15"), "15 bytes", "expected 16");
        Assert.IsLessThan(1 << 20, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    public void Contradictions_are_refused()
    {
        var twice = External("w.bin", 4);
        twice.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "w.bin" });
        Refused(twice, "'location'", "twice");
        var both = External("w.bin", 4);
        both.RawData = ByteString.CopyFrom(new byte[16]);
        Refused(both, "raw_data and in an external file");
        Refused(External("w.bin", 4, type: DataType.String), "strings");
        StringAssert.Contains(Assert.ThrowsExactly<OnnxFormatException>(() => OnnxTensor.ToFloats(External("w.bin", 4), null)).Message,
            "not read from a folder");
    }

    [TestMethod]
    public void A_model_names_file_and_tensor_when_its_external_data_is_gone()
    {
        var model = OnnxModels.Small();
        model.Graph.Initializer.Add(External("w.bin", 4));
        var path = Path.Combine(_folder, "m.onnx");
        OnnxFile.Write(model, path);
        Assert.AreEqual(model, OnnxFile.Read(path));
        File.Delete(Path.Combine(_folder, "w.bin"));
        var message = Assert.ThrowsExactly<OnnxFormatException>(() => OnnxFile.Read(path)).Message;
        StringAssert.Contains(message, path);
        StringAssert.Contains(message, "initializer 't'");
    }

    [TestMethod]
    public void Weights_move_into_one_aligned_file_and_back()
    {
        var model = OnnxModels.Small();
        var sizes = new[] { 255, 256, 1000, 1 << 19, 300 };
        foreach (var size in sizes)
        {
            model.Graph.Initializer.Add(OnnxTensor.FromFloats($"w{size}", [size], Enumerable.Range(0, size).Select(i => i * 0.5f).ToArray()));
        }

        var before = model.Clone();
        var path = Path.Combine(_folder, "m.onnx");
        OnnxFile.Write(model, path, "m.weights");
        Assert.AreEqual(before, model, "the model itself stays");
        var read = OnnxFile.Read(path);
        var external = read.Graph.Initializer.Where(tensor => tensor.DataLocation == TensorProto.Types.DataLocation.External).ToList();
        CollectionAssert.AreEqual(new[] { "w256", "w1000", "w524288", "w300" }, external.Select(tensor => tensor.Name).ToArray());
        foreach (var tensor in external)
        {
            Assert.AreEqual(0, long.Parse(tensor.ExternalData.Single(entry => entry.Key == "offset").Value) % (tensor.Dims[0] > 1 << 18 ? 65536 : 4096),
                tensor.Name);
            CollectionAssert.AreEqual(OnnxTensor.ToFloats(before.Graph.Initializer.Single(other => other.Name == tensor.Name), null),
                OnnxTensor.ToFloats(tensor, _folder));
        }

        Assert.IsLessThan(4096, new FileInfo(path).Length);
        OnnxExternalData.Embed(read, _folder);
        Assert.AreEqual(before, read);
        // The name is that of the content, as any other program computes it.
        var data = Directory.GetFiles(_folder, "m.*.weights").Single();
        Assert.AreEqual($"m.{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(data)))[..16]}.weights", Path.GetFileName(data));
        CollectionAssert.AreEquivalent(new[] { "m.onnx", Path.GetFileName(data), "w.bin" }, Directory.GetFiles(_folder).Select(Path.GetFileName).ToArray());
    }

    [TestMethod]
    public void An_older_model_keeps_its_weights_whatever_fails()
    {
        var path = Path.Combine(_folder, "m.onnx");
        OnnxFile.Write(Filled(1), path, "v.bin");
        AssertHolds(path, 1);
        // A folder in the place of the model: its weights are written, it is not.
        var taken = Directory.CreateDirectory(Path.Combine(_folder, "taken.onnx")).FullName;
        Assert.ThrowsExactly<IOException>(() => OnnxFile.Write(Filled(2), taken, "v.bin"));
        AssertHolds(path, 1);
        // The model's old file under the new one's weights, as after a kill between the two.
        OnnxFile.Write(Filled(3), Path.Combine(_folder, "other.onnx"), "v.bin");
        AssertHolds(path, 1);
        OnnxFile.Write(Filled(2), path, "v.bin");
        AssertHolds(path, 2);
        AssertHolds(Path.Combine(_folder, "other.onnx"), 3);

        static ModelProto Filled(float value)
        {
            var model = OnnxModels.Small();
            model.Graph.Initializer.Add(OnnxTensor.FromFloats("large", [300], Enumerable.Repeat(value, 300).ToArray()));
            return model;
        }

        void AssertHolds(string file, float value) => CollectionAssert.AreEqual(Enumerable.Repeat(value, 300).ToArray(),
            OnnxTensor.ToFloats(OnnxFile.Read(file).Graph.Initializer.Single(tensor => tensor.Name == "large"), _folder));
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("../w")]
    [DataRow("sub/w")]
    [DataRow("m.onnx")]
    public void Weights_go_beside_the_model_only(string name) =>
        Assert.ThrowsExactly<ArgumentException>(() => OnnxFile.Write(OnnxModels.Small(), Path.Combine(_folder, "m.onnx"), name));

    [TestMethod]
    public void External_weights_are_not_moved_to_another_file_unread()
    {
        var model = OnnxModels.Small();
        model.Graph.Initializer.Add(External("w.bin", 4));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => OnnxFile.Write(model, Path.Combine(_folder, "m.onnx"), "w.bin")).Message,
            "'t'");
        Assert.AreEqual(16, new FileInfo(Path.Combine(_folder, "w.bin")).Length);
    }

    private void Refused(TensorProto tensor, params string[] parts)
    {
        var message = Assert.ThrowsExactly<OnnxFormatException>(() => OnnxTensor.ToFloats(tensor, _folder)).Message;
        foreach (var part in parts)
        {
            StringAssert.Contains(message, part);
        }
    }

    private static TensorProto External(string location, long count, string? offset = null, string? length = null, DataType type = DataType.Float)
    {
        var tensor = new TensorProto { Name = "t", DataType = (int)type, Dims = { count }, DataLocation = TensorProto.Types.DataLocation.External };
        foreach (var (key, value) in new[] { ("location", location), ("offset", offset), ("length", length), ("checksum", "ignored") })
        {
            if (value is not null)
            {
                tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
            }
        }

        return tensor;
    }

    private static byte[] Bytes(params float[] values) => OnnxTensor.FromFloats("", [values.Length], values).RawData.ToByteArray();
}
