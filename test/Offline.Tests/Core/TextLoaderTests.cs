using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Core;

[TestClass]
public sealed class TextLoaderTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void Attributes_say_where_columns_lie()
    {
        using var file = new TemporaryFile("1,2,3,2,alpha\n4,5,6,0,beta\r\n");
        IDataView view = _ml.Data.LoadFromTextFile<Row>(file.Path, separatorChar: ',');
        Assert.IsTrue(view.Schema["Features"].Type.Equals(new VectorDataViewType(NumberDataViewType.Single, 3)));
        Row[] rows = [.. _ml.Data.CreateEnumerable<Row>(view, false)];
        CollectionAssert.AreEqual(new[] { 1f, 2f, 3f, 4f, 5f, 6f }, rows.SelectMany(row => row.Features).ToArray());

        // Files count keys from zero, views from one.
        CollectionAssert.AreEqual(new uint[] { 3, 1 }, rows.Select(row => row.Label).ToArray());
        CollectionAssert.AreEqual(new[] { "alpha", "beta" }, rows.Select(row => row.Name).ToArray());
    }

    [TestMethod]
    public void A_header_names_the_slots_where_options_are_given()
    {
        using var file = new TemporaryFile("x,y,z,label,name\n1,2,3,1,a\n");
        Assert.IsFalse(_ml.Data.LoadFromTextFile<Row>(file.Path, ',', hasHeader: true).Schema["Features"].HasSlotNames());
        IDataView view = _ml.Data.LoadFromTextFile(file.Path, new TextLoader.Options
        {
            Columns = [new("Features", DataKind.Single, 0, 2), new("Label", DataKind.UInt32, [new(3)], new KeyCount(4)), new("Name", DataKind.String, 4)],
            Separators = [','],
            HasHeader = true,
        });
        Assert.IsTrue(view.Schema["Features"].HasSlotNames());
        VBuffer<ReadOnlyMemory<char>> names = default;
        view.Schema["Features"].GetSlotNames(ref names);
        Assert.AreEqual("y", names.GetItemOrDefault(1).ToString());
        Assert.HasCount(1, _ml.Data.CreateEnumerable<Row>(view, false).ToArray());
    }

    [TestMethod]
    public void Quoted_fields_hold_separators_and_quotes()
    {
        using var file = new TemporaryFile("0,0,0,0,\"a, \"\"b\"\"\"\n0,0,0,0, plain\n");
        IDataView view = _ml.Data.LoadFromTextFile<Row>(file.Path, ',', allowQuoting: true);
        CollectionAssert.AreEqual(new[] { "a, \"b\"", "plain" }, view.GetColumn<string>("Name").ToArray());
    }

    [TestMethod]
    [DataRow(false, 0f)]
    [DataRow(true, float.NaN)]
    public void Missing_reals_are_zero_or_NaN(bool asNaN, float expected)
    {
        using var file = new TemporaryFile("1,,?,0,a\n2\n");
        var options = new TextLoader.Options { Separators = [','], MissingRealsAsNaNs = asNaN };
        float[][] rows = [.. _ml.Data.LoadFromTextFile<Row>(file.Path, options).GetColumn<float[]>("Features")];
        CollectionAssert.AreEqual(new[] { 1f, expected, float.NaN }, rows[0]);
        CollectionAssert.AreEqual(new[] { 2f, expected, expected }, rows[1]);
    }

    [TestMethod]
    [DataRow("0", 0f)]
    [DataRow("9999999", 9999999f)]
    [DataRow("16777217", 16777216f)]
    [DataRow("-12", -12f)]
    [DataRow("+1.5e3", 1500f)]
    [DataRow(" 7 ", 7f)]
    [DataRow("-Infinity", float.NegativeInfinity)]
    [DataRow("n/a", float.NaN)]
    [DataRow("word", float.NaN)]
    public void Reals_are_read(string text, float expected)
    {
        using var file = new TemporaryFile($"{text},x\n");
        TextLoader.Column[] columns = [new("Number", DataKind.Single, 0)];
        Assert.AreEqual(expected, _ml.Data.LoadFromTextFile(file.Path, columns, ',').GetColumn<float>("Number").Single());
    }

    [TestMethod]
    [DataRow("T", true)]
    [DataRow("yes", true)]
    [DataRow("+1", true)]
    [DataRow("0", false)]
    [DataRow("False", false)]
    [DataRow("", false)]
    public void Booleans_are_read(string text, bool expected)
    {
        using var file = new TemporaryFile($"1,{text}\n");
        TextLoader.Column[] columns = [new("Flag", DataKind.Boolean, 1)];
        Assert.AreEqual(expected, _ml.Data.LoadFromTextFile(file.Path, columns, ',').GetColumn<bool>("Flag").Single());
    }

    [TestMethod]
    public void Columns_of_options_may_reach_to_the_end()
    {
        using var file = new TemporaryFile("7\t1\t2\t3\n8\t4\t5\t6\n");
        var options = new TextLoader.Options
        {
            Columns =
            [
                new TextLoader.Column("Label", DataKind.Int32, 0),
                new TextLoader.Column("Rest", DataKind.Double, [new TextLoader.Range(1, null)]),
            ],
        };
        IDataView view = _ml.Data.LoadFromTextFile(file.Path, options);
        CollectionAssert.AreEqual(new[] { 7, 8 }, view.GetColumn<int>("Label").ToArray());
        CollectionAssert.AreEqual(new[] { 4.0, 5.0, 6.0 }, view.GetColumn<double[]>("Rest").Last());
    }

    [TestMethod]
    public void Vectors_of_mostly_empty_fields_are_sparse()
    {
        using var file = new TemporaryFile(",,5,0,a\n0,0,5,0,a\n");
        IDataView view = _ml.Data.LoadFromTextFile<Row>(file.Path, ',');
        CollectionAssert.AreEqual(new[] { false, true }, view.GetColumn<VBuffer<float>>("Features").Select(row => row.IsDense).ToArray());
        Assert.IsTrue(view.GetColumn<float[]>("Features").All(row => row.SequenceEqual([0f, 0f, 5f])));
    }

    [TestMethod]
    public void Comments_empty_lines_and_long_files_are_read()
    {
        string[] lines = [.. Enumerable.Range(0, 5000).Select(i => $"{i},{i},{i},{i % 4},name{i}")];
        using var file = new TemporaryFile("#@ comment\n// another\n\n" + string.Join("\n", lines));
        IDataView view = _ml.Data.LoadFromTextFile<Row>(file.Path, ',');
        CollectionAssert.AreEqual(
            Enumerable.Range(0, 5000).Select(i => $"name{i}").ToArray(), view.GetColumn<string>("Name").ToArray());
    }

    [TestMethod]
    public void Mistakes_are_named()
    {
        using var file = new TemporaryFile("a,b\n");
        TextLoader.Column[] columns = [new("Number", DataKind.Int32, 0)];
        Exception thrown = Assert.ThrowsExactly<FormatException>(() => _ml.Data.LoadFromTextFile(file.Path, columns, ',').GetColumn<int>("Number").ToArray());
        Assert.Contains("value a", thrown.Message);
        Assert.Contains("line 1", thrown.Message);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Data.LoadFromTextFile<Row>(file.Path + ".absent"));
        Assert.Contains("'Other'", Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Data.LoadFromTextFile<Unmapped>(file.Path)).Message);
    }

    private sealed class Row
    {
        [LoadColumn(0, 2)]
        [VectorType(3)]
        public float[] Features { get; set; } = [];

        [LoadColumn(3)]
        [KeyType(4)]
        public uint Label { get; set; }

        [LoadColumn(4)]
        public string Name { get; set; } = "";
    }

    private sealed class Unmapped
    {
        public float Other { get; set; }
    }
}
