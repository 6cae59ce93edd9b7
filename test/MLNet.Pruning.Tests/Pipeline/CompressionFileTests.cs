using System.IO.Compression;
using MLNet.Pruning.Pipeline.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>ml.Compression().Save and Load: nothing is lost, damage is named, an interrupted save leaves the old file.</summary>
[TestClass]
public class CompressionFileTests
{
    private readonly MLContext _ml = new(1);
    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    [TestCleanup]
    public void Delete() => File.Delete(_path);

    [TestMethod]
    public void A_chain_goes_on_as_if_it_had_never_left_memory()
    {
        var data = _ml.Data.Cache(Digits.Load(_ml));
        var options = Digits.Options(3) with { RewindEpoch = 1, Optimizer = Optimizer.Sgd(0.8, nesterov: true),
            LearningRateSchedule = LearningRateSchedule.Cosine(0.1).WithWarmup(0.5), BatchSize = 32, LearningRate = 0.05, WeightDecay = 1e-4,
            GradientClipping = 3, TargetedDropout = new(0.3, 0.2), LastLayers = 2, Augmentation = Augmentation.Shift(1, 8, 8),
            Distillation = Distillation.Response(3, 0.4, Network.Mlp(64, 16, 10).Initialize(4)) };
        var model = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(options))
            .Append(_ml.Transforms.Prune(0.7, schedule: Schedule.Linear(2), fineTuneEpochs: 1))
            .Append(_ml.Transforms.Conversion.MapKeyToValue("Answer", "PredictedLabel")).Fit(data);
        var loaded = Reload(model, data.Schema, out var schema);

        CollectionAssert.AreEqual(data.Schema.Select(column => $"{column.Name} {column.Type}").ToArray(),
            schema.Select(column => $"{column.Name} {column.Type}").ToArray());
        CollectionAssert.AreEqual(Scores(model, data), Scores(loaded, data));
        CollectionAssert.AreEqual(model.Transform(data).GetColumn<float>("Answer").ToArray(), loaded.Transform(data).GetColumn<float>("Answer").ToArray());
        var (before, after) = (Last(model), Last(loaded));
        CollectionAssert.AreEqual(before.Network.Parameters.Select(parameter => $"{parameter} {parameter.Trainable}").ToArray(),
            after.Network.Parameters.Select(parameter => $"{parameter} {parameter.Trainable}").ToArray());
        foreach (var parameter in before.Network.Parameters)
        {
            CollectionAssert.AreEqual(parameter.Values.ToArray(), after.Network[parameter.Name].Values.ToArray());
        }

        foreach (var (name, mask) in before.Masks)
        {
            CollectionAssert.AreEqual(mask.ToArray(), after.Masks[name].ToArray());
        }

        var (report, kept) = (before.GetReport<PruningReport>(), after.GetReport<PruningReport>());
        Assert.AreEqual(report.ToString(), kept.ToString());
        foreach (var structure in new[] { "fc1.weight[3,17]", "fc1.weight[30,40]", "fc2.weight[9,31]" })
        {
            Assert.AreEqual(report.Decision(structure), kept.Decision(structure));
        }

        Assert.AreEqual(string.Join(' ', report.Histograms), string.Join(' ', kept.Histograms));

        // The same steps on both, from the weights at the start and early on too, give the same network.
        foreach (var rewind in new[] { Rewind.None, Rewind.ToInitial, Rewind.ToEarly })
        {
            var step = new PruningOptions { Amount = Amount.Fraction(0.9), FineTuneEpochs = 1, Rewind = rewind };
            CollectionAssert.AreEqual(GoOn(model, data, step), GoOn(loaded, data, step), rewind.ToString());
        }
    }

    [TestMethod]
    public void What_was_loaded_is_saved_as_the_same_bytes()
    {
        var data = _ml.Data.Cache(Digits.Load(_ml));
        var model = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(1)))
            .Append(_ml.Transforms.Prune(0.7, schedule: Schedule.Linear(2))).Fit(data);
        var loaded = Reload(model, data.Schema, out var schema);
        var first = File.ReadAllBytes(_path);
        _ml.Compression().Save(loaded, schema, _path);
        CollectionAssert.AreEqual(first, File.ReadAllBytes(_path));
    }

    [TestMethod]
    public void Columns_of_every_type_come_back_with_the_schema()
    {
        PrimitiveDataViewType[] items =
        [
            NumberDataViewType.Single, NumberDataViewType.Double, NumberDataViewType.SByte, NumberDataViewType.Byte, NumberDataViewType.Int16,
            NumberDataViewType.UInt16, NumberDataViewType.Int32, NumberDataViewType.UInt32, NumberDataViewType.Int64, NumberDataViewType.UInt64,
            TextDataViewType.Instance, BooleanDataViewType.Instance, DateTimeDataViewType.Instance, DateTimeOffsetDataViewType.Instance,
            TimeSpanDataViewType.Instance, new KeyDataViewType(typeof(byte), 7), new KeyDataViewType(typeof(ulong), ulong.MaxValue),
        ];
        DataViewType[] types = [.. items, .. items.Select(item => new VectorDataViewType(item)), .. items.Select(item => new VectorDataViewType(item, 2, 3))];
        var (model, features) = Small();
        var schema = new DataViewSchema.Builder();
        schema.AddColumn("Features", features["Features"].Type);
        foreach (var (i, type) in types.Index())
        {
            schema.AddColumn($"{i}", type);
        }

        var before = schema.ToSchema();
        _ = Reload(model, before, out var after);
        Assert.AreSequenceEqual(before.Select(column => (column.Name, column.Type)), after.Select(column => (column.Name, column.Type)));
        Assert.IsNotNull(Entry("schema.json"));

        // Names of values are ML.NET's own to write.
        var names = new DataViewSchema.Annotations.Builder();
        names.Add<VBuffer<ReadOnlyMemory<char>>>("SlotNames", new VectorDataViewType(TextDataViewType.Instance, 2),
            (ref VBuffer<ReadOnlyMemory<char>> value) => value = new(2, ["a".AsMemory(), "b".AsMemory()]));
        schema.AddColumn("Named", new VectorDataViewType(NumberDataViewType.Single, 2), names.ToAnnotations());
        _ = Reload(model, schema.ToSchema(), out after);
        VBuffer<ReadOnlyMemory<char>> slots = default;
        after["Named"].Annotations.GetValue("SlotNames", ref slots);
        Assert.AreEqual("a b", string.Join(' ', slots.DenseValues()));
        Assert.IsNotNull(Entry("schema.zip"));

        ZipArchiveEntry? Entry(string name)
        {
            using var zip = ZipFile.OpenRead(_path);
            return zip.GetEntry(name);
        }
    }

    [TestMethod]
    public void A_network_of_a_file_with_token_ids_goes_on()
    {
        var rows = _ml.Data.LoadFromEnumerable(LoadNetworkTests.Sentences(60));
        var model = _ml.Transforms.Conversion.MapValueToKey("Label", "Class").Append(_ml.Transforms.LoadNetwork(Zoo.Network("lstm").Path, ["Ids"]))
            .Append(_ml.Transforms.Prune(0.3)).Fit(rows);
        var loaded = Reload(model, rows.Schema, out _);
        CollectionAssert.AreEqual(Scores(model, rows), Scores(loaded, rows));
        var step = new PruningOptions { Amount = Amount.Fraction(0.6), FineTuneEpochs = 1 };
        CollectionAssert.AreEqual(GoOn(model, rows, step), GoOn(loaded, rows, step));
        CollectionAssert.AreEqual(new[] { "class 0", "class 1" }, Texts(loaded.Transform(rows).Schema["PredictedLabel"])[..2]);
    }

    [TestMethod]
    public void Binary_and_regression_and_a_network_alone_come_back()
    {
        var data = Digits.Load(_ml);
        var regression = _ml.Regression.Trainers.NeuralNetwork(Network.Mlp(64, 8, 1), epochs: 1).Fit(data);
        var loaded = Reload(regression, data.Schema, out _);
        Assert.IsInstanceOfType<NeuralNetworkTransformer>(loaded);
        Close.AreEqual([.. regression.Transform(data).GetColumn<float>("Score")], loaded.Transform(data).GetColumn<float>("Score").ToArray(), 1e-6, "Score");
        Assert.AreEqual(1, ((NeuralNetworkTransformer)loaded).GetReport<TrainingReport>().Epochs.Count);

        var network = Network.Sequential([1, 8, 8], Layer.Conv2d(4, 3), Layer.BatchNorm(), Layer.Gelu(), Layer.Dropout(0.2), Layer.Flatten(), Layer.Dense(1))
            .Initialize(1);
        var binary = _ml.Transforms.LoadNetwork(network, ["Features"], labelColumnName: "None", task: LearningTask.Binary).Fit(data);
        // Written for a version of the standard that has no Gelu, which is then computed from its parts.
        Close.AreEqual([.. binary.Transform(data).GetColumn<float>("Probability")],
            Reload(binary, data.Schema, out _).Transform(data).GetColumn<float>("Probability").ToArray(), 1e-6, "Probability");
    }

    [TestMethod]
    public void A_damaged_file_is_refused_by_name_wherever_the_damage_is()
    {
        var (model, schema) = Small();
        _ml.Compression().Save(model, schema, _path);
        var whole = File.ReadAllBytes(_path);
        for (var cut = 0; cut < whole.Length; cut += whole.Length / 40)
        {
            Refused(whole[..cut]);
        }

        // A bit anywhere in what the file says or holds; those of dates and the like in the zip's own headers mean nothing.
        var expected = Bits(Last(model).Network);
        var refused = 0;
        for (var i = 0; i < whole.Length; i += Math.Max(1, whole.Length / 300))
        {
            var damaged = whole.ToArray();
            damaged[i] ^= 4;
            File.WriteAllBytes(_path, damaged);
            try
            {
                CollectionAssert.AreEqual(expected, Bits(Last(_ml.Compression().Load(_path, out _)).Network), $"byte {i}");
            }
            catch (ModelFileException e)
            {
                StringAssert.Contains(e.Message, _path);
                refused++;
            }
        }

        Assert.IsGreaterThan(200, refused);

        void Refused(byte[] content)
        {
            File.WriteAllBytes(_path, content);
            StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => _ml.Compression().Load(_path, out _)).Message, _path);
        }
    }

    [TestMethod]
    public void A_missing_or_foreign_entry_is_named()
    {
        var (model, schema) = Small();
        _ml.Compression().Save(model, schema, _path);
        using (var zip = ZipFile.Open(_path, ZipArchiveMode.Update))
        {
            zip.GetEntry("0/network.onnx")!.Delete();
        }

        StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => _ml.Compression().Load(_path, out _)).Message, "'0/network.onnx' is missing");
        _ml.Model.Save(model, schema, _path);
        StringAssert.Contains(Assert.ThrowsExactly<ModelFileException>(() => _ml.Compression().Load(_path, out _)).Message,
            "not written by ml.Compression().Save");
        File.Delete(_path);
        Assert.ThrowsExactly<FileNotFoundException>(() => _ml.Compression().Load(_path, out _));
        Assert.ThrowsExactly<ArgumentException>(() => _ml.Compression().Save(_ml.Transforms.CopyColumns("A", "Label").Fit(Digits.Load(_ml)), schema, _path));
    }

    [TestMethod]
    public void A_save_that_fails_leaves_the_old_file_and_nothing_beside_it()
    {
        var (model, schema) = Small();
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var path = Path.Combine(folder.FullName, "model");
            _ml.Compression().Save(model, schema, path);
            var old = File.ReadAllBytes(path);
            var failing = new TransformerChain<ITransformer>(model, new Unsaveable());
            Assert.ThrowsExactly<IOException>(() => _ml.Compression().Save(failing, schema, path));
            CollectionAssert.AreEqual(old, File.ReadAllBytes(path));
            Assert.HasCount(1, folder.GetFiles());
            // ML.NET writes the time into its part of the file, in steps of two seconds.
            Thread.Sleep(2100);
            _ml.Compression().Save(model, schema, path);
            CollectionAssert.AreEqual(old, File.ReadAllBytes(path), "the same model gives the same file");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int[] Bits(Network network) => [.. network.Parameters.SelectMany(parameter => parameter.Values.ToArray())
        .Select(BitConverter.SingleToInt32Bits)];

    private (ITransformer Model, DataViewSchema Schema) Small()
    {
        var data = Digits.Load(_ml);
        return (_ml.Transforms.LoadNetwork(Network.Mlp(64, 2, 1).Initialize(1)).Fit(data), data.Schema);
    }

    private ITransformer Reload(ITransformer model, DataViewSchema schema, out DataViewSchema loadedSchema)
    {
        _ml.Compression().Save(model, schema, _path);
        return new MLContext(7).Compression().Load(_path, out loadedSchema);
    }

    private static float[] GoOn(ITransformer model, IDataView data, PruningOptions options)
    {
        var ml = new MLContext(3);
        var scored = model.Transform(data);
        return Scores(new EstimatorChain<ITransformer>().Append(ml.Transforms.Prune(options)).Append(ml.Transforms.FineTune(1)).Fit(scored), scored);
    }

    private static float[] Scores(ITransformer model, IDataView data) => [.. model.Transform(data).GetColumn<float[]>("Score").SelectMany(score => score)];

    private static NeuralNetworkTransformer Last(ITransformer model) => NetworkChains.Last(model)!;

    private static string[] Texts(DataViewSchema.Column column)
    {
        VBuffer<ReadOnlyMemory<char>> values = default;
        column.Annotations.GetValue("KeyValues", ref values);
        return [.. values.DenseValues().Select(value => value.ToString()).Order()];
    }

    private sealed class Unsaveable : ITransformer
    {
        public bool IsRowToRowMapper => false;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inputSchema;

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotSupportedException();

        public IDataView Transform(IDataView input) => input;

        public void Save(ModelSaveContext ctx) => throw new IOException("the disk is full");
    }
}
