using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Storage;

namespace MLNet.Pruning.Tests.Hostile;

/// <summary>Compressed networks that are damaged, or claim what is not in them.</summary>
[TestClass]
public class HostileNetworkFileTests
{
    private const int Header = 8;
    private static readonly byte[] s_file = File(Network.Mlp(12, 9, 5).Initialize(1).Prune(Amount.Fraction(0.7)).Network.Quantize(Quantizer.Codebook(3)));

    [TestMethod]
    public void Every_changed_byte_is_noticed()
    {
        for (var place = 0; place < s_file.Length; place++)
        {
            var bytes = s_file.ToArray();
            bytes[place] ^= (byte)(1 << place % 8);
            Assert.ThrowsExactly<ModelFileException>(() => Network.FromCompressed(new MemoryStream(bytes)), $"byte {place} of {s_file.Length}");
        }
    }

    [TestMethod]
    public void Every_missing_or_added_byte_is_noticed()
    {
        for (var length = 0; length < s_file.Length; length++)
        {
            Assert.ThrowsExactly<ModelFileException>(() => Network.FromCompressed(new MemoryStream(s_file[..length])), $"{length} of {s_file.Length}");
        }

        Assert.ThrowsExactly<ModelFileException>(() => Network.FromCompressed(new MemoryStream([.. s_file, 1])));
    }

    [TestMethod]
    public void Random_bytes_behind_a_header_are_refused()
    {
        var random = new Random(5);
        for (var i = 0; i < 300; i++)
        {
            var bytes = new byte[random.Next(Header, 300)];
            random.NextBytes(bytes);
            s_file.AsSpan(0, 4).CopyTo(bytes);
            Assert.ThrowsExactly<ModelFileException>(() => Network.FromCompressed(new MemoryStream(bytes)), $"{i}");
        }
    }

    [TestMethod]
    public void Another_version_says_so()
    {
        var bytes = s_file.ToArray();
        bytes[3] = 9;
        var message = Assert.ThrowsExactly<ModelFileException>(() => Network.FromCompressed(new MemoryStream(bytes))).Message;
        StringAssert.Contains(message, "version 9; expected 1");
        StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => Network.FromCompressed(new MemoryStream([1, 2, 3]))).Message, "does not begin");
    }

    [TestMethod]
    [DataRow(1L << 40)]
    [DataRow(1L << 60)]
    [DataRow(int.MaxValue + 1L)]
    [DataRow(40_000_000L)]
    public void What_its_bytes_cannot_stand_for_is_refused_before_it_takes_memory(long size)
    {
        var model = OnnxModel(size);
        var coder = new BitWriter();
        coder.Number(model.Length);
        new MessageCoder().Code(coder, model);
        byte[] bytes = [.. s_file[..Header], .. coder.End()];
        var before = GC.GetAllocatedBytesForCurrentThread();
        var message = Assert.ThrowsExactly<ModelFileException>(() => Network.FromCompressed(new MemoryStream(bytes))).Message;
        Assert.IsLessThan(64L << 20, GC.GetAllocatedBytesForCurrentThread() - before);
        StringAssert.Contains(message, "expected at most");
    }

    [TestMethod]
    public void A_claim_of_two_billion_bytes_of_graph_is_refused_before_it_takes_memory()
    {
        var coder = new BitWriter();
        coder.Number(int.MaxValue - 1);
        byte[] bytes = [.. s_file[..Header], .. coder.End()];
        var before = GC.GetAllocatedBytesForCurrentThread();
        StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => Network.FromCompressed(new MemoryStream(bytes))).Message, "expected at most");
        Assert.IsLessThan(16L << 20, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    public void A_network_of_zeros_alone_is_written_so_that_it_can_be_read()
    {
        var network = Network.Sequential([4300], Layer.Dense(4000, bias: false));
        var weight = network.Parameters[0];
        var (back, length) = MLNet.Pruning.Tests.Networks.Storage.CompressedNetworkTests.Back(network.With(weight.Name, new float[weight.Count]));
        Assert.IsFalse(back[weight.Name].Values.ContainsAnyExcept(0f));
        // A thousand values a byte beyond 2^24.
        Assert.AreEqual((weight.Count - (1 << 24) + 999) / 1000, length);
    }

    private static byte[] OnnxModel(long size)
    {
        using var stream = new MemoryStream();
        Network.Mlp(4, 3).Initialize(1).SaveOnnx(stream);
        var model = ModelProto.Parser.ParseFrom(stream.ToArray());
        var tensor = model.Graph.Initializer[0];
        tensor.Dims[0] = size;
        tensor.ClearRawData();
        return model.ToByteArray();
    }

    private static byte[] File(Network network)
    {
        using var stream = new MemoryStream();
        network.SaveCompressed(stream);
        return stream.ToArray();
    }
}
