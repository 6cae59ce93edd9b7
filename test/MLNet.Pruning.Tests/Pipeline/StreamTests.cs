using MLNet.Pruning.Tests.Compression.Trees;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>What goes to files goes to streams: from their position, left open, whether they can seek or not.</summary>
[TestClass]
public class StreamTests
{
    private static readonly byte[] s_before = [1, 2, 3, 4, 5];
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void A_network_goes_through_a_stream_as_through_a_file()
    {
        var network = Network.Mlp(6, 5, 3).Initialize(1).Prune(Amount.Fraction(0.9)).Network;
        var path = Path.GetTempFileName();
        foreach (var sparse in new[] { false, true })
        {
            network.SaveOnnx(path, sparse);
            var file = File.ReadAllBytes(path);
            foreach (var read in Through(file, stream => network.SaveOnnx(stream, sparse), stream => Network.FromOnnx(stream)))
            {
                CollectionAssert.AreEqual(network["fc1.weight"].Values.ToArray(), read["fc1.weight"].Values.ToArray());
            }

            using var session = new InferenceSession(file);
            Assert.HasCount(1, session.InputMetadata);
        }

        File.Delete(path);
    }

    [TestMethod]
    public void A_network_of_a_stream_takes_sizes()
    {
        using var stream = new MemoryStream();
        Network.Mlp(6, 5, 3).Initialize(1).SaveOnnx(stream);
        stream.Position = 0;
        Assert.AreEqual(4, Network.FromOnnx(stream, new Dictionary<string, int> { ["N"] = 4 }).Input.Shape[0]);
        stream.Position = 0;
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Network.FromOnnx(stream, new Dictionary<string, int> { ["M"] = 4 })).Message, "M");
    }

    [TestMethod]
    public void Weights_in_another_file_are_refused_of_a_stream()
    {
        var folder = Directory.CreateTempSubdirectory("stream");
        var path = Path.Combine(folder.FullName, "m.onnx");
        Network.Mlp(60, 50, 3).Initialize(1).SaveOnnx(path, externalData: "w.bin");
        using var stream = File.OpenRead(path);
        var error = Assert.ThrowsExactly<OnnxFormatException>(() => Network.FromOnnx(stream));
        StringAssert.Contains(error.Message, "fc1.weight");
        StringAssert.StartsWith(error.Message, "The stream");
        folder.Delete(recursive: true);
    }

    [TestMethod]
    public void A_model_goes_through_a_stream_as_through_a_file()
    {
        var rows = Digits.Load(_ml);
        var model = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(1))).Append(_ml.Transforms.Prune(0.5))
            .Fit(rows);
        var path = Path.GetTempFileName();
        _ml.Compression().Save(model, rows.Schema, path);
        var file = File.ReadAllBytes(path);
        File.Delete(path);
        var scores = model.Transform(rows).GetColumn<float[]>("Score").First();
        foreach (var loaded in Through(file, stream => _ml.Compression().Save(model, rows.Schema, stream), stream => _ml.Compression().Load(stream, out _)))
        {
            CollectionAssert.AreEqual(scores, loaded.Transform(rows).GetColumn<float[]>("Score").First());
        }
    }

    [TestMethod]
    public void Masks_go_through_a_stream_as_through_a_file()
    {
        var network = Network.Mlp(6, 5, 3).Initialize(1);
        var pruned = network.Prune(Amount.Fraction(0.5));
        var path = Path.GetTempFileName();
        pruned.SaveMasks(path);
        var file = File.ReadAllBytes(path);
        File.Delete(path);
        foreach (var read in Through(file, pruned.SaveMasks, network.LoadMasks))
        {
            CollectionAssert.AreEqual(pruned.Masks["fc1.weight"].ToArray(), read.Masks["fc1.weight"].ToArray());
        }
    }

    [TestMethod]
    public void Pictures_and_trees_are_written_to_a_stream_as_to_a_file()
    {
        var rows = Digits.Load(_ml);
        var model = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(1))).Append(_ml.Transforms.Prune(0.5))
            .Fit(rows);
        var report = model.LastTransformer.GetReport<PruningReport>();
        Same(report.SaveSvg, report.SaveSvg);
        var sensitivity = _ml.Compression().Sensitivity(model, rows, new() { Sparsities = [0.5] });
        Same(sensitivity.SaveSvg, sensitivity.SaveSvg);
        var view = _ml.View(TreeTables.Make(200, 1));
        var trees = _ml.Transforms.PruneTrees(_ml.Fit("boosted numbers", view, trees: 5), Budget.Trees(3)).Fit(view);
        Same(trees.SaveOnnx, trees.SaveOnnx);

        static void Same(Action<string> save, Action<Stream> write)
        {
            var path = Path.GetTempFileName();
            save(path);
            CollectionAssert.AreEqual(File.ReadAllBytes(path), Written(write));
            File.Delete(path);
        }
    }

    [TestMethod]
    public void A_stream_that_ends_early_is_refused_as_a_file_is()
    {
        var network = Network.Mlp(6, 5, 3).Initialize(1);
        var rows = Digits.Load(_ml);
        var model = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(1))).Fit(rows);
        foreach (var way in new Func<byte[], Stream>[] { bytes => new MemoryStream(bytes), bytes => new OneWay(bytes) })
        {
            foreach (var part in new[] { 0, 0.3, 0.9 })
            {
                Stream Cut(Action<Stream> write) => Written(write) is var whole ? way(whole[..(int)(part * whole.Length)]) : null!;
                StringAssert.StartsWith(Assert.ThrowsExactly<OnnxFormatException>(() =>
                    Network.FromOnnx(Cut(stream => network.SaveOnnx(stream)))).Message, "The stream");
                StringAssert.StartsWith(Assert.ThrowsExactly<ModelFileException>(() =>
                    network.LoadMasks(Cut(network.Prune(Amount.Fraction(0.5)).SaveMasks))).Message, "The stream cannot be loaded");
                StringAssert.StartsWith(Assert.ThrowsExactly<ModelFileException>(() => _ml.Compression().Load(Cut(stream =>
                    _ml.Compression().Save(model, rows.Schema, stream)), out _)).Message, "The stream cannot be loaded");
            }
        }
    }

    [TestMethod]
    public void A_stream_that_cannot_be_read_or_written_is_refused_by_name()
    {
        var network = Network.Mlp(6, 5, 3).Initialize(1);
        using var closed = new MemoryStream();
        closed.Dispose();
        using var fixedBytes = new MemoryStream(new byte[10], writable: false);
        Assert.AreEqual("stream", Assert.ThrowsExactly<ArgumentException>(() => Network.FromOnnx(closed)).ParamName);
        Assert.AreEqual("stream", Assert.ThrowsExactly<ArgumentException>(() => network.LoadMasks(closed)).ParamName);
        Assert.AreEqual("stream", Assert.ThrowsExactly<ArgumentException>(() => _ml.Compression().Load(closed, out _)).ParamName);
        Assert.AreEqual("stream", Assert.ThrowsExactly<ArgumentException>(() => network.SaveOnnx(fixedBytes)).ParamName);
        Assert.AreEqual("stream", Assert.ThrowsExactly<ArgumentException>(() => network.Prune(Amount.Fraction(0.5)).SaveMasks(fixedBytes)).ParamName);
    }

    /// <summary>Writes to streams of each kind, compares with the file, and reads from each kind.</summary>
    private static IEnumerable<T> Through<T>(byte[] file, Action<Stream> write, Func<Stream, T> read)
    {
        CollectionAssert.AreEqual(file, Written(write));
        var oneWay = new OneWay([]);
        write(oneWay);
        Assert.IsFalse(oneWay.IsDisposed);
        CollectionAssert.AreEqual(file, oneWay.Content);

        using var later = new MemoryStream([.. s_before, .. file]) { Position = s_before.Length };
        yield return read(later);
        Assert.AreEqual(later.Length, later.Position);
        oneWay = new OneWay(file);
        yield return read(oneWay);
        Assert.IsFalse(oneWay.IsDisposed);
    }

    /// <summary>What is written after what a stream holds already.</summary>
    private static byte[] Written(Action<Stream> write)
    {
        using var stream = new MemoryStream();
        stream.Write(s_before);
        write(stream);
        Assert.IsTrue(stream.CanWrite, "left open");
        CollectionAssert.AreEqual(s_before, stream.ToArray()[..s_before.Length]);
        return stream.ToArray()[s_before.Length..];
    }

    /// <summary>As of a network: it cannot seek, gives a few bytes at a time, and knows no length.</summary>
    private sealed class OneWay(byte[] content) : Stream
    {
        private readonly MemoryStream _read = new(content);
        private readonly MemoryStream _written = new();

        public byte[] Content => _written.ToArray();

        public bool IsDisposed { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => _read.Read(buffer, offset, Math.Min(count, 7));

        public override void Write(byte[] buffer, int offset, int count) => _written.Write(buffer, offset, count);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
