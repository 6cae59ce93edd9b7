using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Core;

[TestClass]
public sealed class CacheTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void The_input_is_read_once()
    {
        int read = 0;
        IDataView cache = _ml.Data.Cache(_ml.Data.LoadFromEnumerable(Digit.Some(300).Select(row =>
        {
            read++;
            return row;
        })));
        Assert.AreEqual(0, read);
        Assert.IsNull(cache.GetRowCount());
        Digit[] first = [.. _ml.Data.CreateEnumerable<Digit>(cache, false)];
        Digit[] second = [.. _ml.Data.CreateEnumerable<Digit>(cache, false)];
        Assert.AreEqual(300, read);
        Assert.AreEqual(300, cache.GetRowCount());
        CollectionAssert.AreEqual(first.SelectMany(row => row.Features).ToArray(), second.SelectMany(row => row.Features).ToArray());
        Assert.AreEqual("n299", second[^1].Name);
    }

    [TestMethod]
    public void It_shuffles_what_cannot_be_shuffled()
    {
        IDataView cache = _ml.Data.Cache(_ml.Data.LoadFromEnumerable(Digit.Some(100).Where(_ => true)));
        Assert.IsTrue(cache.CanShuffle);
        float[] shuffled = cache.Read<float>("Number", new Random(9));
        CollectionAssert.AreEquivalent(Digit.NumbersOf(cache), shuffled);
        CollectionAssert.AreNotEqual(Digit.NumbersOf(cache), shuffled);
        CollectionAssert.AreEqual(shuffled, cache.Read<float>("Number", new Random(9)));
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(3)]
    public void A_cursor_set_holds_each_row_once_and_batches_in_order(int parts)
    {
        IDataView cache = _ml.Data.Cache(_ml.Data.LoadFromEnumerable(Digit.Some(1000)));
        var rows = new List<(long Batch, float Number)>();
        foreach (DataViewRowCursor cursor in cache.GetRowCursorSet(cache.Schema, parts))
        {
            ValueGetter<float> getter = cursor.GetGetter<float>(cache.Schema["Number"]);
            while (cursor.MoveNext())
            {
                float number = 0;
                getter(ref number);
                rows.Add((cursor.Batch, number));
            }

            cursor.Dispose();
        }

        CollectionAssert.AreEqual(Digit.NumbersOf(cache), rows.OrderBy(row => row.Batch).Select(row => row.Number).ToArray());
    }

    [TestMethod]
    public void Sparse_vectors_stay_sparse()
    {
        VBuffer<float>[] vectors = [new(6, 1, [2f], [4]), new(6, [1f, 2f, 3f, 4f, 5f, 6f]), new(6, 0, [], [])];
        IDataView cache = _ml.Data.Cache(_ml.Data.LoadFromEnumerable(vectors.Select(vector => new WithVector { Vector = vector })));
        VBuffer<float>[] back = [.. cache.GetColumn<VBuffer<float>>("Vector")];
        for (int i = 0; i < vectors.Length; i++)
        {
            Assert.AreEqual(vectors[i].IsDense, back[i].IsDense);
            CollectionAssert.AreEqual(vectors[i].DenseValues().ToArray(), back[i].DenseValues().ToArray());
        }
    }

    [TestMethod]
    public void An_exception_of_the_input_arrives_wrapped()
    {
        IDataView cache = _ml.Data.Cache(_ml.Data.LoadFromEnumerable(Digit.Some(9).Select(row => row.Number < 5 ? row : throw new FormatException("row 5"))));
        Exception thrown = Assert.ThrowsExactly<InvalidOperationException>(() => Digit.NumbersOf(cache));
        Assert.IsInstanceOfType<FormatException>(thrown.InnerException);
    }

    private sealed class WithVector
    {
        [VectorType(6)]
        public VBuffer<float> Vector { get; set; }
    }
}
