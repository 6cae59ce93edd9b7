using Google.Protobuf;
using MLNet.Pruning.Files;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Networks.Onnx;

[TestClass]
public sealed class OnnxFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void What_is_read_is_written_byte_for_byte()
    {
        // Fields that no version of the standard has yet, in the model and in a node.
        var model = OnnxModels.Small();
        var bytes = Append(model.ToByteArray(), 1000, [1, 2, 3]);
        var path = Path.Combine(_folder, "m.onnx");
        File.WriteAllBytes(path, bytes);
        OnnxFile.Write(OnnxFile.Read(path), Path.Combine(_folder, "copy.onnx"));
        CollectionAssert.AreEqual(bytes, File.ReadAllBytes(Path.Combine(_folder, "copy.onnx")));

        var node = NodeProto.Parser.ParseFrom(Append(model.Graph.Node[0].ToByteArray(), 99, [7]));
        model.Graph.Node[0] = node;
        OnnxFile.Write(model, path);
        Assert.AreEqual(model, OnnxFile.Read(path));
        Assert.IsTrue(OnnxFile.Read(path).ToByteArray().AsSpan().IndexOf(node.ToByteArray()) > 0, "the unknown field of the node is there");
    }

    [TestMethod]
    public void A_file_cut_anywhere_is_refused_by_name()
    {
        var bytes = OnnxModels.Small().ToByteArray();
        var path = Path.Combine(_folder, "cut.onnx");
        for (var length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(path, bytes[..length]);
            try
            {
                // A cut between two fields of the model leaves a shorter model: everything that the standard asks for is there.
                var read = OnnxFile.Read(path);
                Assert.AreEqual(length, read.CalculateSize());
                Assert.IsTrue(read.Graph is not null && read.OpsetImport.Count > 0, $"cut at {length}");
            }
            catch (OnnxFormatException exception)
            {
                StringAssert.Contains(exception.Message, path);
            }
        }

        StringAssert.Contains(Assert.ThrowsExactly<OnnxFormatException>(() => OnnxFile.Parse(bytes[..^3], "m")).Message, $"of {bytes.Length - 3}");
    }

    [TestMethod]
    public void Random_bytes_are_refused()
    {
        var random = new Random(1);
        for (var i = 0; i < 5000; i++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            Assert.ThrowsExactly<OnnxFormatException>(() => OnnxFile.Parse(bytes, "random"), Convert.ToHexString(bytes));
        }
    }

    [TestMethod]
    public void A_file_with_one_byte_changed_is_read_or_refused()
    {
        var whole = OnnxModels.Small().ToByteArray();
        var refused = 0;
        for (var place = 0; place < whole.Length; place++)
        {
            for (var change = 1; change < 256; change = (change * 2) + 1)
            {
                var bytes = (byte[])whole.Clone();
                bytes[place] ^= (byte)change;
                refused += Survives(bytes) ? 0 : 1;
            }
        }

        var random = new Random(2);
        for (var i = 0; i < 10_000; i++)
        {
            var bytes = (byte[])whole.Clone();
            for (var changes = random.Next(1, 5); changes > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            refused += Survives(bytes) ? 0 : 1;
        }

        // Lengths and numbers of the largest kinds, anywhere.
        byte[][] large = [[0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            [0x80, 0x80, 0x80, 0x80, 0x04]];
        for (var place = 0; place < whole.Length; place++)
        {
            foreach (var number in large)
            {
                refused += Survives([.. whole[..place], .. number, .. whole[(place + 1)..]]) ? 0 : 1;
                refused += Survives([.. whole[..place], .. number, .. whole[place..]]) ? 0 : 1;
            }
        }

        Assert.IsGreaterThan(5000, refused);
    }

    [TestMethod]
    public void Lengths_beyond_the_file_cost_no_memory()
    {
        // Field 7 (graph) of 2 GB, and in it field 5 (initializer), field 9 (raw data), and packed floats of as much.
        foreach (var tags in new byte[][] { [0x3A], [0x3A, 0x2A], [0x3A, 0x2A, 0x4A], [0x3A, 0x2A, 0x22] })
        {
            var bytes = tags.SelectMany(tag => new byte[] { tag, 0xFB, 0xFF, 0xFF, 0xFF, 0x07 }).ToArray();
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.ThrowsExactly<OnnxFormatException>(() => OnnxFile.Parse(bytes, "long"));
            Assert.IsLessThan(1 << 20, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    [TestMethod]
    public void Subgraphs_without_end_are_refused()
    {
        var graph = OnnxModels.Graph("deepest", OnnxModels.Node("n", ["x"], ["y"]));
        for (var depth = 0; depth < 5000; depth++)
        {
            var outer = new GraphProto { Name = "g", Input = { OnnxModels.Value("x") }, Output = { OnnxModels.Value("y") } };
            outer.Node.Add(OnnxModels.Node("n", ["x"], ["y"], OnnxModels.Branch(graph)));
            graph = outer;
            if (depth == 20)
            {
                var twenty = OnnxModels.Model();
                twenty.Graph = graph;
                Assert.AreEqual(twenty, OnnxFile.Parse(twenty.ToByteArray(), "deep"));
            }
        }

        var model = OnnxModels.Model();
        model.Graph = graph;
        StringAssert.Contains(Assert.ThrowsExactly<OnnxFormatException>(() => OnnxFile.Write(model, Path.Combine(_folder, "deep.onnx"))).Message, "deep");
        var bytes = Enumerable.Range(0, 200).Aggregate(Array.Empty<byte>(), (inner, _) => Append([], 1, Append([], 5, Append([], 6, inner))));
        Assert.ThrowsExactly<OnnxFormatException>(() => OnnxFile.Parse(Append([], 7, bytes), "deep"));
    }

    [TestMethod]
    public void More_than_two_gigabytes_are_refused_with_their_size()
    {
        // One array, nine times.
        var data = UnsafeByteOperations.UnsafeWrap(new byte[1 << 28]);
        var model = OnnxModels.Model(OnnxModels.Node("n", ["x"], ["y"]));
        for (var i = 0; i < 9; i++)
        {
            model.Graph.Initializer.Add(new TensorProto { Name = $"w{i}", DataType = (int)DataType.Float, Dims = { 1 << 26 }, RawData = data });
        }

        var message = Assert.ThrowsExactly<InvalidOperationException>(() => OnnxFile.Write(model, Path.Combine(_folder, "large.onnx"))).Message;
        StringAssert.Contains(message, (9L << 28).ToString());
        StringAssert.Contains(message, "external file");
        Assert.AreEqual(0, Directory.GetFileSystemEntries(_folder).Length);
    }

    [TestMethod]
    public void A_write_that_fails_leaves_the_old_file_whole_and_nothing_beside_it()
    {
        var path = Path.Combine(_folder, "m.onnx");
        OnnxFile.Write(OnnxModels.Small(), path);
        var before = File.ReadAllBytes(path);
        Assert.ThrowsExactly<IOException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[100_000]);
            CollectionAssert.AreEqual(before, File.ReadAllBytes(path), "the old file is whole while the new one is written");
            throw new IOException("disk full");
        }));
        Assert.ThrowsExactly<OnnxFormatException>(() => OnnxFile.Write(new ModelProto(), path));
        CollectionAssert.AreEqual(before, File.ReadAllBytes(path));
        Assert.AreEqual(path, Directory.GetFileSystemEntries(_folder).Single());
    }

    [TestMethod]
    public void A_folder_in_the_place_of_the_file_is_left_alone()
    {
        var path = Directory.CreateDirectory(Path.Combine(_folder, "m.onnx")).FullName;
        File.WriteAllText(Path.Combine(path, "inside"), "");
        Exception? thrown = null;
        try
        {
            OnnxFile.Write(OnnxModels.Small(), path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            thrown = exception;
        }

        Assert.IsNotNull(thrown);
        Assert.IsTrue(File.Exists(Path.Combine(path, "inside")));
        Assert.AreEqual(path, Directory.GetFileSystemEntries(_folder).Single());
        Assert.ThrowsExactly<DirectoryNotFoundException>(() => OnnxFile.Write(OnnxModels.Small(), Path.Combine(_folder, "absent", "m.onnx")));
    }

    private static bool Survives(byte[] bytes)
    {
        try
        {
            var model = OnnxFile.Parse(bytes, "changed");
            foreach (var tensor in OnnxTensors.Of(model))
            {
                _ = (DataType)tensor.DataType is DataType.Float or DataType.Float16 or DataType.Bfloat16 or DataType.Double
                    ? OnnxTensor.ToFloats(tensor, null).Length : OnnxTensor.ToLongs(tensor, null).Length;
            }

            foreach (var tensor in model.Graph.SparseInitializer)
            {
                OnnxTensor.ToFloats(tensor, null);
            }

            return true;
        }
        catch (OnnxFormatException)
        {
            return false;
        }
    }

    /// <summary>A field of that number that holds bytes, after what is there.</summary>
    private static byte[] Append(byte[] bytes, int field, byte[] value)
    {
        using var stream = new MemoryStream();
        stream.Write(bytes);
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(value));
        }

        return stream.ToArray();
    }
}
