using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Core;

[TestClass]
public sealed class ModelTests
{
    private readonly MLContext _ml = new(1);

    private IDataView Data => _ml.Data.LoadFromEnumerable(Digit.Some(5));

    [TestMethod]
    public void Nested_chains_come_back_with_their_schema()
    {
        ITransformer inner = _ml.Transforms.CopyColumns("A", "Number").Append(_ml.Transforms.CopyColumns("B", "A")).Fit(Data);
        ITransformer model = inner.Append(_ml.Transforms.CopyColumns("C", "B").Fit(inner.Transform(Data)));
        using var file = new TemporaryFile();
        _ml.Model.Save(model, Data.Schema, file.Path);

        ITransformer loaded = new MLContext().Model.Load(file.Path, out DataViewSchema schema);
        CollectionAssert.AreEqual(new[] { 0f, 1f, 2f, 3f, 4f }, loaded.Transform(Data).Read<float>("C"));
        CollectionAssert.AreEqual(Data.Schema.Select(column => column.ToString()).ToArray(), schema.Select(column => column.ToString()).ToArray());
    }

    [TestMethod]
    public void A_foreign_transformer_saves_itself_as_one_of_the_package()
    {
        ITransformer model = _ml.Transforms.CopyColumns("First", "Number").Append(new ShiftingEstimator(_ml, "Shifted", "Number")).Fit(Data);
        using var stream = new MemoryStream();
        _ml.Model.Save(model, Data.Schema, stream);
        stream.Position = 0;
        IDataView loaded = new MLContext().Model.Load(stream, out _).Transform(Data);
        CollectionAssert.AreEqual(new[] { 0f, 1f, 2f, 3f, 4f }, loaded.Read<float>("Twice"));
    }

    [TestMethod]
    public void The_schema_keeps_its_annotations()
    {
        var definition = SchemaDefinition.Create(typeof(Digit));
        definition["Features"].AddAnnotation(
            "SlotNames",
            new VBuffer<ReadOnlyMemory<char>>(3, ["x".AsMemory(), "y".AsMemory(), "z".AsMemory()]),
            new VectorDataViewType(TextDataViewType.Instance, 3));
        definition["Features"].AddAnnotation("IsNormalized", true, BooleanDataViewType.Instance);
        IDataView data = _ml.Data.LoadFromEnumerable(Digit.Some(1), definition);
        using var stream = new MemoryStream();
        _ml.Model.Save(_ml.Transforms.CopyColumns("A", "Number").Fit(data), data.Schema, stream);
        stream.Position = 0;
        _ml.Model.Load(stream, out DataViewSchema schema);
        Assert.IsTrue(schema["Features"].IsNormalized());
        VBuffer<ReadOnlyMemory<char>> names = default;
        schema["Features"].GetSlotNames(ref names);
        CollectionAssert.AreEqual(new[] { "x", "y", "z" }, names.DenseValues().Select(name => name.ToString()).ToArray());
    }

    [TestMethod]
    public void The_same_model_gives_the_same_bytes()
    {
        byte[] Saved()
        {
            using var stream = new MemoryStream();
            _ml.Model.Save(_ml.Transforms.CopyColumns("A", "Number").Fit(Data), Data.Schema, stream);
            return stream.ToArray();
        }

        CollectionAssert.AreEqual(Saved(), Saved());
    }

    [TestMethod]
    public void A_bad_file_is_refused()
    {
        Assert.ThrowsExactly<FormatException>(() => _ml.Model.Load(new MemoryStream([1, 2, 3]), out _));
        Assert.ThrowsExactly<FileNotFoundException>(() => _ml.Model.Load(Path.Combine(Path.GetTempPath(), "absent.zip"), out _));
        Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Model.Save(new SavesNothing(), Data.Schema, new MemoryStream()));
    }

    private sealed class SavesNothing : ITransformer
    {
        public bool IsRowToRowMapper => false;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inputSchema;

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotSupportedException();

        public void Save(ModelSaveContext ctx)
        {
        }

        public IDataView Transform(IDataView input) => input;
    }
}
