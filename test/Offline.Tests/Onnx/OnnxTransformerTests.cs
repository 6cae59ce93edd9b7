using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNet.Pruning.Offline.Tests.Core;

namespace MLNet.Pruning.Offline.Tests.Onnx;

[TestClass]
public sealed class OnnxTransformerTests
{
    private readonly MLContext _ml = new(1);

    // Of linear.onnx: x * [[1, -1], [2, 0.5], [-3, 4]] + [0.25, -2].
    private static readonly float[][] Scores = [[1 + 4 - 9 + 0.25f, -1 + 1 + 12 - 2], [-1 + 1 + 0.25f, 1 + 0.25f - 2]];

    private IDataView Rows => _ml.Data.LoadFromEnumerable([new Row { Features = [1, 2, 3] }, new Row { Features = [-1, 0.5f, 0] }]);

    [TestMethod]
    public void Every_overload_scores_as_computed_by_hand()
    {
        string file = Fixture.Path("linear.onnx");
        using var bytes = new MemoryStream(Fixture.Bytes("linear.onnx"));
        TransformsCatalog catalog = _ml.Transforms;
        var shapes = new Dictionary<string, int[]> { ["Features"] = [1, 3] };
        OnnxScoringEstimator[] estimators =
        [
            catalog.ApplyOnnxModel(file),
            catalog.ApplyOnnxModel(bytes),
            catalog.ApplyOnnxModel(file, shapes),
            catalog.ApplyOnnxModel(bytes, shapes),
            catalog.ApplyOnnxModel("Score", "Features", file),
            catalog.ApplyOnnxModel("Score", "Features", bytes),
            catalog.ApplyOnnxModel("Score", "Features", file, shapes),
            catalog.ApplyOnnxModel("Score", "Features", bytes, shapes),
            catalog.ApplyOnnxModel(["Score"], ["Features"], file),
            catalog.ApplyOnnxModel(["Score"], ["Features"], bytes),
            catalog.ApplyOnnxModel(["Score"], ["Features"], file, shapes, null, false),
            catalog.ApplyOnnxModel(["Score"], ["Features"], bytes, shapes, null, false),
            catalog.ApplyOnnxModel(["Score"], ["Features"], file, shapes, recursionLimit: 50),
            catalog.ApplyOnnxModel(["Score"], ["Features"], bytes, shapes, recursionLimit: 50),
            catalog.ApplyOnnxModel(new OnnxOptions { ModelFile = file, InputColumns = ["Features"], OutputColumns = ["Score"], IntraOpNumThreads = 1 }),
        ];
        foreach (OnnxScoringEstimator estimator in estimators)
        {
            using OnnxTransformer transformer = estimator.Fit(Rows);
            AssertScores(transformer.Transform(Rows));
        }
    }

    [TestMethod]
    public void Columns_have_the_types_and_names_of_the_file()
    {
        using OnnxTransformer transformer = _ml.Transforms.ApplyOnnxModel(Fixture.Path("linear.onnx")).Fit(Rows);
        DataViewSchema schema = transformer.GetOutputSchema(Rows.Schema);
        var score = (VectorDataViewType)schema["Score"].Type;
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 1, 2), score);

        // The suffix that ML.NET's own export adds is taken off.
        Assert.AreEqual(score, schema["Probabilities"].Type);
        Assert.IsNull(schema.GetColumnOrNull("Probabilities.output"));
        VBuffer<ReadOnlyMemory<char>> names = default;
        schema["Score"].GetSlotNames(ref names);
        CollectionAssert.AreEqual(new[] { "cat", "dog" }, names.DenseValues().Select(name => name.ToString()).ToArray());
        Assert.IsFalse(schema["Probabilities"].HasSlotNames());
    }

    [TestMethod]
    [DataRow("linear.onnx")]
    [DataRow("bytes")]
    public void A_saved_model_loads_in_a_context_that_knows_nothing_of_it(string source)
    {
        using var bytes = new MemoryStream(Fixture.Bytes("linear.onnx"));
        IEstimator<ITransformer> onnx = source == "bytes"
            ? _ml.Transforms.ApplyOnnxModel(["Score"], ["Features"], bytes, new Dictionary<string, int[]> { ["Features"] = [1, 3] }, null, false)
            : _ml.Transforms.ApplyOnnxModel(Fixture.Path(source));
        using var model = _ml.Transforms.CopyColumns("Copy", "Features").Append(onnx).Fit(Rows);
        using var file = new TemporaryFile();
        _ml.Model.Save(model, Rows.Schema, file.Path);

        var other = new MLContext();
        ITransformer loaded = other.Model.Load(file.Path, out DataViewSchema schema);
        Assert.AreEqual("Features", schema.Single().Name);
        AssertScores(loaded.Transform(Rows));
        CollectionAssert.AreEqual(
            model.GetOutputSchema(schema).Select(column => $"{column.Name} {column.Type}").ToArray(),
            loaded.GetOutputSchema(schema).Select(column => $"{column.Name} {column.Type}").ToArray());

        using var engine = other.Model.CreatePredictionEngine<Row, Scored>(loaded);
        CollectionAssert.AreEqual(Scores[0], engine.Predict(new Row { Features = [1, 2, 3] }).Score);
        CollectionAssert.AreEqual(Scores[1], engine.Predict(new Row { Features = [-1, 0.5f, 0] }).Score);
    }

    [TestMethod]
    public void Sizes_that_differ_from_row_to_row_are_taken_from_the_row()
    {
        IDataView rows = _ml.Data.LoadFromEnumerable([new Tokens { ids = [1, 2, 2] }, new Tokens { ids = [0] }]);
        using OnnxTransformer transformer = _ml.Transforms.ApplyOnnxModel(Fixture.Path("tokens.onnx")).Fit(rows);
        IDataView scored = transformer.Transform(rows);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 1, 2), scored.Schema["mean"].Type);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Int64), scored.Schema["less"].Type);
        float[][] means = Vectors<float>(scored, "mean");
        Assert.AreEqual(50f / 3, means[0][0], 1e-5f);
        CollectionAssert.AreEqual(new float[] { 0, 1 }, means[1]);
        long[][] less = Vectors<long>(scored, "less");
        CollectionAssert.AreEqual(new long[] { 0, 1, 1 }, less[0]);
        CollectionAssert.AreEqual(new long[] { -1 }, less[1]);
    }

    [TestMethod]
    public void Scalars_go_in_as_one_by_one_and_do_not_come_out()
    {
        IDataView token = _ml.Data.LoadFromEnumerable([new Token { ids = 2 }]);
        using OnnxTransformer tokens = _ml.Transforms.ApplyOnnxModel(Fixture.Path("tokens.onnx")).Fit(token);
        CollectionAssert.AreEqual(new float[] { 20, 5 }, Vectors<float>(tokens.Transform(token), "mean")[0]);
        CollectionAssert.AreEqual(new long[] { 1 }, Vectors<long>(tokens.Transform(token), "less")[0]);

        IDataView rows = _ml.Data.LoadFromEnumerable([new Pair { x = [10, 1] }]);
        using OnnxTransformer scalar = _ml.Transforms.ApplyOnnxModel(Fixture.Path("scalar.onnx")).Fit(rows);
        IDataView scored = scalar.Transform(rows);
        Assert.AreEqual(NumberDataViewType.Single, scored.Schema["sum"].Type);
        Assert.ThrowsExactly<NotSupportedException>(() => scored.Read<float>("sum"));
    }

    [TestMethod]
    public void Columns_of_every_type_go_through()
    {
        IDataView rows = _ml.Data.LoadFromEnumerable([new Types()]);
        using OnnxTransformer transformer = _ml.Transforms.ApplyOnnxModel(Fixture.Path("columns.onnx")).Fit(rows);
        IDataView scored = transformer.Transform(rows);
        var row = new Types();
        Came("FLOAT", row.FLOAT_in);
        Came("DOUBLE", row.DOUBLE_in);
        Came("INT64", row.INT64_in);
        Came("INT32", row.INT32_in);
        Came("INT16", row.INT16_in);
        Came("INT8", row.INT8_in);
        Came("UINT64", row.UINT64_in);
        Came("UINT16", row.UINT16_in);
        Came("UINT8", row.UINT8_in);
        Came("BOOL", row.BOOL_in);

        // A key goes in as the number it is, and comes out as one.
        Came("UINT32", row.UINT32_in);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.UInt32, 1, 2), scored.Schema["UINT32"].Type);
        CollectionAssert.AreEqual(row.STRING_in, Vectors<ReadOnlyMemory<char>>(scored, "STRING").Single().Select(text => text.ToString()).ToArray());

        void Came<T>(string column, T[] expected) => CollectionAssert.AreEqual(expected, Vectors<T>(scored, column).Single(), column);
    }

    [TestMethod]
    public void A_row_is_run_once_for_all_its_outputs_and_only_for_those_that_are_read()
    {
        using OnnxTransformer transformer = _ml.Transforms.ApplyOnnxModel(Fixture.Path("linear.onnx")).Fit(Rows);
        IDataView scored = transformer.Transform(Rows);
        float[][] probabilities = Vectors<float>(scored, "Probabilities", "Score");
        CollectionAssert.AreEqual(Vectors<float>(scored, "Probabilities")[1], probabilities[1]);
        double ratio = Math.Exp(Scores[1][1] - Scores[1][0]);
        Assert.AreEqual(1 / (1 + ratio), probabilities[1][0], 1e-6);
        Assert.HasCount(2, Vectors<float>(scored, "Features"));
    }

    [TestMethod]
    public void Weights_beside_a_model_file_are_found()
    {
        IDataView rows = _ml.Data.LoadFromEnumerable([new Pair { x = [10, 1] }]);
        using OnnxTransformer transformer = _ml.Transforms.ApplyOnnxModel(Fixture.Path("external.onnx")).Fit(rows);
        CollectionAssert.AreEqual(new float[] { 13, 24 }, Vectors<float>(transformer.Transform(rows), "y")[0]);
    }

    [TestMethod]
    public void Options_of_the_context_are_used()
    {
        using var optimized = new TemporaryFile();
        _ml.SetOnnxSessionOption(new OnnxSessionOptions { OptimizedModelFilePath = optimized.Path, IntraOpNumThreads = 1 });
        Assert.AreEqual(optimized.Path, _ml.GetOnnxSessionOption().OptimizedModelFilePath);
        using OnnxTransformer transformer = _ml.Transforms.ApplyOnnxModel(Fixture.Path("linear.onnx")).Fit(Rows);
        Assert.IsGreaterThan(0, new FileInfo(optimized.Path).Length);

        // Without a GPU one that is asked for is an error, or not used.
        Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Transforms.ApplyOnnxModel(Fixture.Path("linear.onnx"), gpuDeviceId: 0));
        using OnnxTransformer fallen = _ml.Transforms.ApplyOnnxModel(Fixture.Path("linear.onnx"), gpuDeviceId: 0, fallbackToCpu: true).Fit(Rows);
        AssertScores(fallen.Transform(Rows));
        _ml.GpuDeviceId = 0;
        _ml.FallbackToCpu = true;
        using OnnxTransformer ofContext = _ml.Transforms.ApplyOnnxModel(Fixture.Path("linear.onnx")).Fit(Rows);
        AssertScores(ofContext.Transform(Rows));
    }

    [TestMethod]
    public void What_does_not_fit_is_named()
    {
        string file = Fixture.Path("linear.onnx");
        Assert.Contains("absent.onnx", Assert.ThrowsExactly<IOException>(() => _ml.Transforms.ApplyOnnxModel(Fixture.Path("absent.onnx"))).Message);
        Assert.Contains(
            "[ErrorCode:InvalidProtobuf]",
            Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Transforms.ApplyOnnxModel(new MemoryStream([1, 2, 3]))).Message);
        Assert.Contains(
            "[Score,Probabilities.output]",
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ApplyOnnxModel("score", "Features", file)).Message);
        Assert.Contains(
            "[Features]",
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ApplyOnnxModel("Score", "features", file).Fit(Rows)).Message);
        Assert.Contains(
            "shape 3,4 is not compatible with the shape -1,3",
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(
                () => _ml.Transforms.ApplyOnnxModel(file, new Dictionary<string, int[]> { ["Features"] = [3, 4] })).Message);

        IDataView doubles = _ml.Transforms.Conversion.ConvertType("Features", outputKind: DataKind.Double).Fit(Rows).Transform(Rows);
        Assert.Contains(
            "Double",
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ApplyOnnxModel(file).Fit(doubles)).Message);
        IDataView pairs = _ml.Data.LoadFromEnumerable([new Pair { x = [1, 2], Features = [1, 2] }]);
        Assert.Contains(
            "has shape 1,3, but input data is of length 2",
            Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Transforms.ApplyOnnxModel(file).Fit(pairs)).Message);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ApplyOnnxModel(Fixture.Path("image.onnx")).Fit(
            _ml.Data.LoadFromEnumerable([new Image { image = [1, 2, 3, 4] }])));
        Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Transforms.ApplyOnnxModel(Fixture.Path("sequence.onnx")));

        OnnxTransformer disposed = _ml.Transforms.ApplyOnnxModel(file).Fit(Rows);
        IDataView scored = disposed.Transform(Rows);
        disposed.Dispose();
        disposed.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => Vectors<float>(scored, "Score"));
    }

    [TestMethod]
    public void A_given_shape_takes_the_place_of_sizes_that_are_not_known()
    {
        IDataView rows = _ml.Data.LoadFromEnumerable([new SixPixels { image = [1, -2, 3, -4, 5, -6] }]);
        var shapes = new Dictionary<string, int[]> { ["image"] = [1, 1, 2, 3], ["positive"] = [1, 1, 2, 3] };
        using OnnxTransformer transformer = _ml.Transforms.ApplyOnnxModel(Fixture.Path("image.onnx"), shapes).Fit(rows);
        foreach (ITransformer either in new[] { transformer, Operations.ModelFile.RoundTrip(_ml, transformer, rows.Schema) })
        {
            IDataView scored = either.Transform(rows);
            Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 1, 1, 2, 3), scored.Schema["positive"].Type);
            CollectionAssert.AreEqual(new float[] { 1, 0, 3, 0, 5, 0 }, Vectors<float>(scored, "positive")[0]);
        }

        // Such an input takes vectors of known size only.
        IDataView images = _ml.Data.LoadFromEnumerable([new Image { image = [1, -2, 3, -4, 5, -6] }]);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Vectors<float>(transformer.Transform(images), "positive"));
    }

    [TestMethod]
    public void A_damaged_model_file_is_refused()
    {
        using OnnxTransformer transformer = _ml.Transforms.ApplyOnnxModel(Fixture.Path("linear.onnx")).Fit(Rows);
        using var stream = new MemoryStream();
        _ml.Model.Save(transformer, Rows.Schema, stream);
        using (var zip = new System.IO.Compression.ZipArchive(stream, System.IO.Compression.ZipArchiveMode.Update, leaveOpen: true))
        {
            zip.Entries.Single(entry => entry.Name == "OnnxModel").Delete();
        }

        stream.Position = 0;
        Assert.Contains("OnnxModel", Assert.ThrowsExactly<FormatException>(() => _ml.Model.Load(stream, out _)).Message);
    }

    private static void AssertScores(IDataView scored)
    {
        float[][] scores = Vectors<float>(scored, "Score");
        Assert.HasCount(2, scores);
        CollectionAssert.AreEqual(Scores[0], scores[0]);
        CollectionAssert.AreEqual(Scores[1], scores[1]);
    }

    /// <summary>The values of a column, with others active beside it.</summary>
    private static T[][] Vectors<T>(IDataView view, string column, params string[] others)
    {
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema.Where(candidate => candidate.Name == column || others.Contains(candidate.Name)));
        var getter = cursor.GetGetter<VBuffer<T>>(view.Schema[column]);
        VBuffer<T> value = default;
        var vectors = new List<T[]>();
        while (cursor.MoveNext())
        {
            getter(ref value);
            vectors.Add([.. value.DenseValues()]);
        }

        return [.. vectors];
    }

    private sealed class Row
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Scored
    {
        public float[] Score { get; set; } = [];
    }

    private sealed class Tokens
    {
        public long[] ids { get; set; } = [];
    }

    private sealed class Token
    {
        public long ids { get; set; }
    }

    private sealed class Pair
    {
        [VectorType(2)]
        public float[] x { get; set; } = [];

        [VectorType(2)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Types
    {
        [VectorType(2)]
        public float[] FLOAT_in { get; set; } = [1.5f, -2];

        [VectorType(2)]
        public double[] DOUBLE_in { get; set; } = [1e-300, -2];

        [VectorType(2)]
        public long[] INT64_in { get; set; } = [long.MinValue, 7];

        [VectorType(2)]
        public int[] INT32_in { get; set; } = [int.MinValue, 7];

        [VectorType(2)]
        public short[] INT16_in { get; set; } = [short.MinValue, 7];

        [VectorType(2)]
        public sbyte[] INT8_in { get; set; } = [sbyte.MinValue, 7];

        [VectorType(2)]
        public ulong[] UINT64_in { get; set; } = [ulong.MaxValue, 7];

        [KeyType(3)]
        [VectorType(2)]
        public uint[] UINT32_in { get; set; } = [3, 1];

        [VectorType(2)]
        public ushort[] UINT16_in { get; set; } = [ushort.MaxValue, 7];

        [VectorType(2)]
        public byte[] UINT8_in { get; set; } = [byte.MaxValue, 7];

        [VectorType(2)]
        public bool[] BOOL_in { get; set; } = [true, false];

        [VectorType(2)]
        public string[] STRING_in { get; set; } = ["Grüße", ""];
    }

    private sealed class SixPixels
    {
        [VectorType(6)]
        public float[] image { get; set; } = [];
    }

    private sealed class Image
    {
        public float[] image { get; set; } = [];
    }
}
