using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Tests.Networks.Onnx;

[TestClass]
public class OnnxSparseTests
{
    [TestMethod]
    public void Sparse_values_come_back_at_their_places()
    {
        var random = new Random(1);
        var values = Enumerable.Range(0, 600).Select(_ => random.NextDouble() < 0.9 ? 0 : random.NextSingle() - 0.5f).ToArray();
        var sparse = OnnxTensor.ToSparse("w", [20, 30], values);
        Assert.AreEqual(values.Count(value => value != 0), sparse.Values.Dims[0]);
        Assert.AreEqual("w", sparse.Values.Name);
        CollectionAssert.AreEqual(new long[] { 20, 30 }, sparse.Dims);
        CollectionAssert.AreEqual(values.Index().Where(pair => pair.Item != 0).Select(pair => (long)pair.Index).ToArray(),
            OnnxTensor.ToLongs(sparse.Indices, null));
        CollectionAssert.AreEqual(values, OnnxTensor.ToFloats(sparse, null));
        CollectionAssert.AreEqual(new float[6], OnnxTensor.ToFloats(OnnxTensor.ToSparse("zeros", [6], new float[6]), null));
    }

    [TestMethod]
    public void Coordinates_are_read_like_linear_positions()
    {
        var sparse = Sparse([2, 3, 4], [5, 6, 7], [3, 3], 0, 0, 1, 0, 2, 3, 1, 0, 2);
        var expected = new float[24];
        (expected[1], expected[11], expected[14]) = (5, 6, 7);
        CollectionAssert.AreEqual(expected, OnnxTensor.ToFloats(sparse, null));
    }

    [TestMethod]
    public void It_gains_when_fewer_than_a_third_are_left()
    {
        float[] Ones(int count, int length) => [.. Enumerable.Range(0, length).Select(i => i < count ? 1f : 0f)];
        Assert.IsTrue(OnnxTensor.SparseGains(Ones(33, 100)));
        Assert.IsFalse(OnnxTensor.SparseGains(Ones(34, 100)));
        Assert.IsTrue(OnnxTensor.SparseGains(Ones(1, 1000)));
        Assert.IsFalse(OnnxTensor.SparseGains(Ones(1, 1001)), "a reader may refuse so great an expansion");
        Assert.IsFalse(OnnxTensor.SparseGains(new float[100]));
    }

    [TestMethod]
    public void Positions_that_do_not_fit_are_refused()
    {
        Refused(Sparse([6], [1], [1], 6), "position 6", "0 to 5");
        Refused(Sparse([6], [1], [1], -1), "position -1");
        Refused(Sparse([6], [1, 2], [2], 3, 2), "position 2 at 1 after 3");
        Refused(Sparse([6], [1, 2], [2], 3, 3), "position 3 at 1 after 3");
        Refused(Sparse([6], [1, 2], [1], 3), "2 values");
        Refused(Sparse([2, 3], [1], [1, 2], 0, 3), "coordinate 3 in dimension 1");
        Refused(Sparse([2, 3], [1], [1, 3], 0, 0, 0), "2 coordinates");
        Refused(Sparse([2, 3], [1, 2], [2, 2], 1, 0, 0, 1), "after 3");
        Refused(Sparse([], [1], [1], 0), "0 coordinates");
        Refused(Sparse([], [1], [1, 0]), "0 coordinates");
        Refused(Sparse([-6], [1], [1], 0), "[-6]");
        Refused(new SparseTensorProto { Dims = { 6 } }, "no values");
        Refused(new SparseTensorProto { Dims = { 6 }, Values = OnnxTensor.FromFloats("w", [1], [1]) }, "no indices");
        Refused(new SparseTensorProto { Dims = { 6 }, Values = OnnxTensor.FromFloats("w", [1], [1]),
            Indices = OnnxTensor.FromLongs("", [1], [1], DataType.Int32) }, "Int32");
    }

    [TestMethod]
    public void A_few_bytes_do_not_claim_all_of_memory()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused(Sparse([1L << 40], [1], [1], 0), "1099511627776");
        Refused(Sparse([1L << 30], [1], [1], 0), "1073741824");
        var many = OnnxModels.Model(OnnxModels.Node("n", ["x"], ["y"]));
        for (var i = 0; i < 3; i++)
        {
            var sparse = Sparse([1 << 23], [1], [1], 0);
            sparse.Values.Name = $"w{i}";
            many.Graph.SparseInitializer.Add(sparse);
        }

        StringAssert.Contains(Assert.ThrowsExactly<OnnxFormatException>(() => OnnxFile.Parse(many.ToByteArray(), "m")).Message, "'w2'");
        Assert.IsLessThan(1 << 20, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Refused(SparseTensorProto tensor, params string[] parts)
    {
        var message = Assert.ThrowsExactly<OnnxFormatException>(() => OnnxTensor.ToFloats(tensor, null)).Message;
        foreach (var part in parts)
        {
            StringAssert.Contains(message, part);
        }
    }

    private static SparseTensorProto Sparse(long[] dims, float[] values, long[] indexDims, params long[] indices)
    {
        var sparse = new SparseTensorProto { Values = OnnxTensor.FromFloats("w", [values.Length], values),
            Indices = OnnxTensor.FromLongs("", indexDims, indices) };
        sparse.Dims.AddRange(dims);
        return sparse;
    }
}
