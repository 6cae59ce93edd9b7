using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Core;

[TestClass]
public sealed class DataOperationsTests
{
    private readonly MLContext _ml = new(1);

    private IDataView View(int count) => _ml.Data.LoadFromEnumerable(Digit.Some(count));

    [TestMethod]
    public void Take_and_skip()
    {
        CollectionAssert.AreEqual(new[] { 2f, 3f }, Digit.NumbersOf(_ml.Data.TakeRows(_ml.Data.SkipRows(View(10), 2), 2)));
        Assert.AreEqual(8, _ml.Data.SkipRows(View(10), 2).GetRowCount());
        Assert.IsEmpty(Digit.NumbersOf(_ml.Data.SkipRows(View(3), 5)));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Data.TakeRows(View(3), 0));
    }

    [TestMethod]
    public void A_range_is_closed_below_and_open_above()
    {
        CollectionAssert.AreEqual(new[] { 2f, 3f, 4f }, Digit.NumbersOf(_ml.Data.FilterRowsByColumn(View(10), "Number", 2, 5)));
        Assert.IsNull(_ml.Data.FilterRowsByColumn(View(10), "Number", 2, 5).GetRowCount());
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Data.FilterRowsByColumn(View(10), "Name"));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Data.FilterRowsByColumn(View(10), "Number", 5, 2));
    }

    [TestMethod]
    public void Keys_are_filtered_by_their_place_among_their_kind()
    {
        uint[] classes = _ml.Data.FilterRowsByKeyColumnFraction(View(10), "Class", 0, 0.5).Read<uint>("Class");
        CollectionAssert.AreEqual(new uint[] { 1, 2, 1, 2 }, classes);
    }

    [TestMethod]
    public void Missing_values_are_NaNs_and_keys_of_zero()
    {
        Digit[] rows = Digit.Some(6);
        rows[2].Number = float.NaN;
        rows[3].Features[1] = float.NaN;
        IDataView view = _ml.Data.LoadFromEnumerable(rows);
        CollectionAssert.AreEqual(new[] { 0f, 1f, 5f }, Digit.NumbersOf(_ml.Data.FilterRowsByMissingValues(view, "Number", "Features", "Class")));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Data.FilterRowsByMissingValues(view, "Name"));
    }

    [TestMethod]
    public void A_split_divides_the_rows_and_follows_its_seed()
    {
        DataOperationsCatalog.TrainTestData split = _ml.Data.TrainTestSplit(View(2000), 0.25, seed: 7);
        float[] train = Digit.NumbersOf(split.TrainSet);
        float[] test = Digit.NumbersOf(split.TestSet);
        CollectionAssert.AreEquivalent(Digit.NumbersOf(View(2000)), train.Concat(test).ToArray());

        // Five standard deviations of a binomial count.
        Assert.IsLessThan(5 * Math.Sqrt(2000 * 0.25 * 0.75), Math.Abs(test.Length - 500.0));
        CollectionAssert.AreEqual(test, Digit.NumbersOf(split.TestSet));
        CollectionAssert.AreEqual(test, Digit.NumbersOf(new MLContext().Data.TrainTestSplit(View(2000), 0.25, seed: 7).TestSet));
        CollectionAssert.AreEqual(
            Digit.NumbersOf(_ml.Data.TrainTestSplit(View(2000)).TestSet),
            Digit.NumbersOf(new MLContext(1).Data.TrainTestSplit(View(2000)).TestSet));
        CollectionAssert.AreNotEqual(test, Digit.NumbersOf(_ml.Data.TrainTestSplit(View(2000), 0.25, seed: 8).TestSet));
    }

    [TestMethod]
    [DataRow("Name")]
    [DataRow("Class")]
    [DataRow("Number")]
    public void Rows_with_one_sampling_key_stay_together(string key)
    {
        Digit[] rows = [.. Digit.Some(300), .. Digit.Some(300)];
        foreach (Digit row in rows)
        {
            row.Class %= 4;
        }

        DataOperationsCatalog.TrainTestData split = _ml.Data.TrainTestSplit(_ml.Data.LoadFromEnumerable(rows), 0.3, key, seed: 5);
        object[] KeysOf(IDataView view) =>
            [.. _ml.Data.CreateEnumerable<Digit>(view, false).Select(row => typeof(Digit).GetProperty(key)!.GetValue(row)!)];
        object[] train = KeysOf(split.TrainSet);
        object[] test = KeysOf(split.TestSet);

        // Four keys may all fall on one side, hundreds do not.
        Assert.IsTrue(test.Length > 0 || key == nameof(Digit.Class));
        Assert.AreEqual(600, train.Length + test.Length);
        Assert.IsEmpty(train.Intersect(test).ToArray());
    }

    [TestMethod]
    public void Folds_hold_each_row_out_once()
    {
        IReadOnlyList<DataOperationsCatalog.TrainTestData> folds = _ml.Data.CrossValidationSplit(View(500), 4, seed: 2);
        Assert.HasCount(4, folds);
        CollectionAssert.AreEquivalent(Digit.NumbersOf(View(500)), folds.SelectMany(fold => Digit.NumbersOf(fold.TestSet)).ToArray());
        Assert.IsTrue(folds.All(fold => Digit.NumbersOf(fold.TestSet).Length + Digit.NumbersOf(fold.TrainSet).Length == 500));
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Shuffling_keeps_rows_whole_and_follows_its_seed(bool cached)
    {
        IDataView source = cached ? _ml.Data.Cache(View(200)) : _ml.Data.TakeRows(View(200), 200);
        IDataView shuffled = _ml.Data.ShuffleRows(source, seed: 4, shufflePoolSize: 16);
        Digit[] rows = [.. _ml.Data.CreateEnumerable<Digit>(shuffled, false)];
        Assert.IsTrue(rows.All(row => row.Features[1] == 2 * row.Number && row.Name == $"n{row.Number}"));
        CollectionAssert.AreEquivalent(Digit.NumbersOf(View(200)), rows.Select(row => row.Number).ToArray());
        CollectionAssert.AreNotEqual(Digit.NumbersOf(View(200)), rows.Select(row => row.Number).ToArray());
        CollectionAssert.AreEqual(rows.Select(row => row.Number).ToArray(), Digit.NumbersOf(shuffled));
        CollectionAssert.AreNotEqual(Digit.NumbersOf(shuffled), Digit.NumbersOf(_ml.Data.ShuffleRows(source, seed: 5, shufflePoolSize: 16)));
    }
}
