using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Core;

[TestClass]
public sealed class VBufferTests
{
    private static readonly float[] Expected = [0, 7, 0, 0, 9];

    private static VBuffer<float> Sparse => new(5, 2, [7f, 9f], [1, 4]);

    [TestMethod]
    public void Sparse_and_dense_say_the_same()
    {
        VBuffer<float> sparse = Sparse;
        Assert.IsFalse(sparse.IsDense);
        CollectionAssert.AreEqual(Expected, sparse.DenseValues().ToArray());
        CollectionAssert.AreEqual(new[] { 1, 4 }, sparse.Items().Select(item => item.Key).ToArray());
        Assert.AreEqual(9f, sparse.GetItemOrDefault(4));
        Assert.AreEqual(0f, sparse.GetItemOrDefault(3));
        VBuffer<float> dense = default;
        sparse.CopyToDense(ref dense);
        Assert.IsTrue(dense.IsDense);
        CollectionAssert.AreEqual(Expected, dense.GetValues().ToArray());
    }

    [TestMethod]
    public void A_slice_of_a_sparse_vector_moves_its_indices()
    {
        VBuffer<float> slice = default;
        Sparse.CopyTo(ref slice, 1, 3);
        CollectionAssert.AreEqual(new[] { 7f, 0f, 0f }, slice.DenseValues().ToArray());
        var target = new float[7];
        Sparse.CopyTo(target, 1, -1);
        CollectionAssert.AreEqual(new[] { 0f, -1f, 7f, -1f, -1f, 9f, 0f }, target);
    }

    [TestMethod]
    public void An_editor_uses_its_arrays_again()
    {
        VBuffer<float> buffer = default;
        VBufferEditor<float> first = VBufferEditor.Create(ref buffer, 4);
        Assert.IsTrue(first.CreatedNewValues);
        first.Values.Fill(1);
        buffer = first.Commit();
        VBufferEditor<float> second = VBufferEditor.Create(ref buffer, 3);
        Assert.IsFalse(second.CreatedNewValues);
        Assert.AreEqual(3, second.Values.Length);
        VBufferEditor<float> sparse = VBufferEditor.Create(ref buffer, 4, 2);
        sparse.Values[0] = 5;
        sparse.Indices[0] = 3;
        CollectionAssert.AreEqual(new[] { 0f, 0f, 0f, 5f }, sparse.CommitTruncated(1).DenseValues().ToArray());
    }

    [TestMethod]
    public void Bad_sizes_are_refused()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new VBuffer<float>(3, new float[2]));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new VBuffer<float>(3, 2, new float[2], new int[1]));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Sparse.GetItemOrDefault(5));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Sparse.CopyTo(new float[4]));
    }
}
