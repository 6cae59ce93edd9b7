using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Core;

[TestClass]
public sealed class EnumerableTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void Members_become_columns_with_their_attributes()
    {
        DataViewSchema schema = _ml.Data.LoadFromEnumerable(Digit.Some(1)).Schema;
        Assert.AreEqual(NumberDataViewType.Single, schema["Number"].Type);
        Assert.IsTrue(schema["Features"].Type.Equals(new VectorDataViewType(NumberDataViewType.Single, 3)));
        Assert.IsTrue(schema["Class"].Type.Equals(new KeyDataViewType(typeof(uint), 4)));
        Assert.AreEqual(TextDataViewType.Instance, schema["Name"].Type);
    }

    [TestMethod]
    public void Rows_come_back_as_they_were()
    {
        Digit[] rows = Digit.Some(7);
        Digit[] back = [.. _ml.Data.CreateEnumerable<Digit>(_ml.Data.LoadFromEnumerable(rows), reuseRowObject: false)];
        CollectionAssert.AreEqual(rows.Select(row => row.Number).ToArray(), back.Select(row => row.Number).ToArray());
        CollectionAssert.AreEqual(rows.Select(row => row.Name).ToArray(), back.Select(row => row.Name).ToArray());

        // Objects count keys from 0, views from 1, and reading back does not undo that; 4 is out of range and so missing.
        CollectionAssert.AreEqual(new uint[] { 1, 2, 3, 4, 0, 1, 2 }, back.Select(row => row.Class).ToArray());
        CollectionAssert.AreEqual(rows.SelectMany(row => row.Features).ToArray(), back.SelectMany(row => row.Features).ToArray());
        Assert.HasCount(1, _ml.Data.CreateEnumerable<Digit>(_ml.Data.LoadFromEnumerable(rows), reuseRowObject: true).Distinct().ToArray());
    }

    [TestMethod]
    public void Columns_that_a_row_class_misses_must_be_allowed()
    {
        IDataView view = _ml.Data.LoadFromEnumerable(Digit.Some(2));
        Assert.Contains("'Extra'", Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => _ml.Data.CreateEnumerable<WithExtra>(view, false).ToArray()).Message);
        Assert.AreEqual(-1, _ml.Data.CreateEnumerable<WithExtra>(view, false, ignoreMissingColumns: true).First().Extra);
        Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Data.CreateEnumerable<WrongType>(view, false).ToArray());
    }

    [TestMethod]
    public void Only_what_was_asked_for_can_be_read()
    {
        IDataView view = _ml.Data.LoadFromEnumerable(Digit.Some(2));
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema["Number"]]);
        Assert.AreEqual(-1, cursor.Position);
        Assert.IsFalse(cursor.IsColumnActive(view.Schema["Name"]));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["Name"]));
        Assert.ThrowsExactly<InvalidOperationException>(() => cursor.GetGetter<double>(view.Schema["Number"]));
        ValueGetter<float> getter = cursor.GetGetter<float>(view.Schema["Number"]);
        float value = 0;
        Assert.ThrowsExactly<InvalidOperationException>(() => getter(ref value));
    }

    [TestMethod]
    public void Lists_are_counted_and_never_shuffled()
    {
        IDataView list = _ml.Data.LoadFromEnumerable(Digit.Some(50));
        Assert.IsFalse(list.CanShuffle);
        Assert.AreEqual(50, list.GetRowCount());
        Assert.IsNull(_ml.Data.LoadFromEnumerable(Digit.Some(3).Where(_ => true)).GetRowCount());
        CollectionAssert.AreEqual(Digit.NumbersOf(list), list.Read<float>("Number", new Random(3)));
    }

    [TestMethod]
    public void A_preview_holds_the_first_rows()
    {
        DataDebuggerPreview preview = _ml.Data.LoadFromEnumerable(Digit.Some(5)).Preview(maxRows: 2);
        Assert.HasCount(2, preview.RowView);
        Assert.HasCount(4, preview.ColumnView);
        CollectionAssert.AreEqual(new object[] { 0f, 1f }, preview.ColumnView[0].Values);
        Assert.AreEqual(new KeyValuePair<string, object>("Number", 1f), preview.RowView[1].Values[0]);
    }

    [TestMethod]
    public void A_definition_changes_names_types_and_annotations()
    {
        var definition = SchemaDefinition.Create(typeof(Digit));
        definition["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 3, 1);
        definition["Class"].ColumnName = "Label";
        definition["Label"].AddAnnotation(
            "KeyValues",
            new VBuffer<ReadOnlyMemory<char>>(4, ["a".AsMemory(), "b".AsMemory(), "c".AsMemory(), "d".AsMemory()]),
            new VectorDataViewType(TextDataViewType.Instance, 4));
        DataViewSchema schema = _ml.Data.LoadFromEnumerable(Digit.Some(1), definition).Schema;
        Assert.AreEqual("Vector<Single, 3, 1>", schema["Features"].Type.ToString());
        Assert.IsTrue(schema["Label"].HasKeyValues());
        VBuffer<ReadOnlyMemory<char>> keys = default;
        schema["Label"].GetKeyValues(ref keys);
        Assert.AreEqual("c", keys.GetItemOrDefault(2).ToString());
    }

    [TestMethod]
    public void Streaming_allocates_nothing_per_row()
    {
        const int Rows = 100_000;
        IDataView view = _ml.Data.LoadFromEnumerable(Digit.Some(Rows));
        IDataView filtered = _ml.Data.FilterRowsByColumn(_ml.Data.SkipRows(view, 1), "Number", lowerBound: 0);
        using DataViewRowCursor cursor = filtered.GetRowCursor(filtered.Schema);
        ValueGetter<VBuffer<float>> getter = cursor.GetGetter<VBuffer<float>>(filtered.Schema["Features"]);
        VBuffer<float> value = default;
        cursor.MoveNext();
        getter(ref value);
        long before = GC.GetAllocatedBytesForCurrentThread();
        double sum = 0;
        while (cursor.MoveNext())
        {
            getter(ref value);
            sum += value.GetValues()[0];
        }

        Assert.IsLessThan(Rows, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.AreEqual((Rows * (Rows - 1.0) / 2) - 1, sum);
    }

    private sealed class WithExtra
    {
        public float Number { get; set; }

        public int Extra { get; set; } = -1;
    }

    private sealed class WrongType
    {
        public int Number { get; set; }
    }
}
