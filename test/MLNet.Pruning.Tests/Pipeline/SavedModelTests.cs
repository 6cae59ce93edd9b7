using System.Collections.Immutable;
using MLNet.Pruning.Networks.Graph;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Models saved by ML.NET, loaded and scored in a process that knows only ML.NET and its ONNX transformer.</summary>
[TestClass]
public class SavedModelTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void Multiclass_with_keys_of_numbers_scores_the_same()
    {
        var data = Digits.Load(_ml);
        var chain = Digits.Prepare(_ml).Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(1))).Append(_ml.Transforms.Prune(0.8));
        var model = chain.Fit(data);
        var rows = _ml.Data.TakeRows(data, 40);
        var loaded = LoaderProcess.Score(_ml, model.Compact(), rows);
        var scored = model.Transform(rows);
        AssertScores(scored, loaded);
        VBuffer<float> keys = default;
        scored.Schema["PredictedLabel"].Annotations.GetValue("KeyValues", ref keys);
        CollectionAssert.AreEqual(keys.DenseValues().Select(key => key.ToString()).ToArray(), loaded["PredictedLabel"].KeyValues);
        Assert.AreEqual(scored.Schema["PredictedLabel"].Type.ToString(), loaded["PredictedLabel"].Type);
        Assert.AreEqual("Vector<Single, 10>", loaded["Score"].Type);
    }

    [TestMethod]
    public void Multiclass_with_keys_of_text_keeps_slot_names_and_key_values()
    {
        var rows = Rows();
        var chain = _ml.Transforms.Conversion.MapValueToKey("Label", "Class")
            .Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Sequential([3], Layer.Dense(8), Layer.Gelu(), Layer.Dense(3), Layer.Softmax()),
                epochs: 30, learningRate: 1e-2));
        var model = chain.Fit(rows);
        var loaded = LoaderProcess.Score(_ml, model, rows);
        AssertScores(model.Transform(rows), loaded);
        CollectionAssert.AreEqual(new[] { "red", "green", "blue, or so" }, loaded["PredictedLabel"].KeyValues);
        CollectionAssert.AreEqual(new[] { "red", "green", "blue, or so" }, loaded["Score"].SlotNames);
        Assert.AreEqual(3, loaded["PredictedLabel"].Rows.Select(row => row[0]).Distinct().Count(), "every class is predicted for some row");
    }

    [TestMethod]
    public void Binary_gives_scalars_of_the_same_value()
    {
        var rows = Rows();
        var model = _ml.BinaryClassification.Trainers.NeuralNetwork(Network.Mlp(3, 8, 1), "Side", epochs: 5).Fit(rows);
        var loaded = LoaderProcess.Score(_ml, model, rows);
        AssertScores(model.Transform(rows), loaded);
        CollectionAssert.AreEqual(new[] { "Boolean", "Single", "Single" },
            new[] { loaded["PredictedLabel"].Type, loaded["Score"].Type, loaded["Probability"].Type });
        Assert.AreEqual(2, loaded["PredictedLabel"].Rows.Select(row => row[0]).Distinct().Count(), "both sides are predicted");
    }

    [TestMethod]
    public void Regression_gives_a_scalar_of_the_same_value()
    {
        var rows = Rows();
        var model = _ml.Regression.Trainers.NeuralNetwork(Network.Mlp(3, 8, 1), "Number", epochs: 5).Fit(rows);
        var loaded = LoaderProcess.Score(_ml, model, rows);
        AssertScores(model.Transform(rows), loaded);
        Assert.AreEqual("Single", loaded["Score"].Type);
        CollectionAssert.AreEquivalent(new[] { "Score" }, loaded.Keys);
    }

    [TestMethod]
    public void Token_ids_as_integers_and_as_keys_are_read_from_their_columns()
    {
        var path = Zoo.Network("lstm").Path;
        var rows = _ml.Data.LoadFromEnumerable(LoadNetworkTests.Sentences(60));
        foreach (var column in new[] { "Ids", "Words", "Narrow" })
        {
            var chain = _ml.Transforms.Conversion.MapValueToKey("Label", "Class")
                .Append(_ml.Transforms.Conversion.MapValueToKey("Words", "Texts",
                    keyOrdinality: Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality.ByValue))
                .Append(_ml.Transforms.LoadNetwork(path, [column]));
            var model = chain.Fit(rows);
            AssertScores(model.Transform(rows), LoaderProcess.Score(_ml, model, rows));
        }
    }

    [TestMethod]
    public void Images_with_their_channels_last_are_read_as_they_lie()
    {
        var network = Network.Sequential([3, 4, 5], Layer.Conv2d(6, 3), Layer.Relu(), Layer.Flatten(), Layer.Dense(1)).Initialize(3);
        var random = new Random(1);
        var images = Enumerable.Range(0, 12).Select(_ => new Image { Pixels = [.. Enumerable.Range(0, 60).Select(_ => random.NextSingle())] }).ToArray();
        var rows = _ml.Data.LoadFromEnumerable(images);
        var options = new LoadNetworkOptions { Network = network, InputColumnNames = ["Pixels"], Task = LearningTask.Regression,
            ImageLayout = ImageLayout.ChannelsLast };
        var model = _ml.Transforms.LoadNetwork(options).Fit(rows);
        AssertScores(model.Transform(rows), LoaderProcess.Score(_ml, model, rows));

        // The same images in planes, read by a network that is told so.
        var planes = images.Select(image => new Image { Pixels = [.. Enumerable.Range(0, 60).Select(i => image.Pixels[i % 20 * 3 + i / 20])] });
        options = options with { ImageLayout = ImageLayout.ChannelsFirst };
        var view = _ml.Data.LoadFromEnumerable(planes);
        CollectionAssert.AreEqual(_ml.Transforms.LoadNetwork(options).Fit(view).Transform(view).GetColumn<float>("Score").ToArray(),
            model.Transform(rows).GetColumn<float>("Score").ToArray());
    }

    [TestMethod]
    public void A_label_without_key_values_is_predicted_as_such_a_key()
    {
        var rows = Rows();
        var model = _ml.Transforms.LoadNetwork(Network.Mlp(3, 4).Initialize(2), labelColumnName: "None", task: LearningTask.Multiclass).Fit(rows);
        var loaded = LoaderProcess.Score(_ml, model, rows);
        AssertScores(model.Transform(rows), loaded);
        Assert.AreEqual(model.Transform(rows).Schema["PredictedLabel"].Type.ToString(), loaded["PredictedLabel"].Type);
        Assert.IsEmpty(loaded["PredictedLabel"].KeyValues);
    }

    [TestMethod]
    public void Compact_drops_what_is_superseded_and_nothing_that_is_read()
    {
        var rows = Rows();
        var keys = _ml.Transforms.Conversion.MapValueToKey("Label", "Class");
        var trained = keys.Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(3, 8, 3), epochs: 1));
        var fitted = trained.Append(_ml.Transforms.Prune(0.5)).Append(_ml.Transforms.FineTune(1))
            .Append(_ml.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(rows);
        // Of one runtime, which gives the same bits before and after.
        var plain = fitted.WithRuntime(ScoringRuntime.OnnxRuntime);
        var compact = (IEnumerable<ITransformer>)plain.Compact();
        Assert.AreEqual(1, compact.OfType<NeuralNetworkTransformer>().Count());
        Assert.AreEqual(3, compact.Count());
        CollectionAssert.AreEqual(plain.Transform(rows).GetColumn<float[]>("Score").SelectMany(score => score).ToArray(),
            plain.Compact().Transform(rows).GetColumn<float[]>("Score").SelectMany(score => score).ToArray());

        var kept = trained.Append(_ml.Transforms.CopyColumns("Dense", "Score")).Append(_ml.Transforms.Prune(0.5)).Fit(rows)
            .WithRuntime(ScoringRuntime.OnnxRuntime);
        Assert.AreEqual(2, ((IEnumerable<ITransformer>)kept.Compact()).OfType<NeuralNetworkTransformer>().Count());
        Assert.AreSame(kept, kept.Compact());

        // A step between that reads something else does not hold it.
        var other = trained.Append(_ml.Transforms.CopyColumns("Copy", "Features")).Append(_ml.Transforms.Prune(0.5)).Fit(rows);
        Assert.AreEqual(1, ((IEnumerable<ITransformer>)other.Compact()).OfType<NeuralNetworkTransformer>().Count());
        AssertScores(fitted.LastTransformer is null ? rows : other.Transform(rows), LoaderProcess.Score(_ml, other, rows));
    }

    /// <summary>Not beside other tests: the folder of temporary files is everybody's.</summary>
    [TestMethod, DoNotParallelize]
    public void Temporary_files_are_gone_afterwards_and_after_a_failure_too()
    {
        var rows = Rows();
        var model = _ml.Transforms.LoadNetwork(Network.Mlp(3, 8, 1).Initialize(1), labelColumnName: "Number").Fit(rows);
        _ml.Model.Save(model, rows.Schema, new MemoryStream());
        Assert.IsEmpty(Left());

        // ONNX Runtime does not know the operator.
        var parts = Network.Mlp(3, 1).Initialize(1).Parts;
        var odd = new Network(parts with
        {
            Nodes = [.. parts.Nodes, new Node("odd", "Odd", [parts.Outputs[0]], ["odd"]) { Domain = "example" }],
            Outputs = ["odd"],
            Declared = new Dictionary<string, TensorInfo> { ["odd"] = new("odd", [TensorInfo.Batch, 1]) }.ToImmutableDictionary(),
        });
        var failing = _ml.Transforms.LoadNetwork(odd, labelColumnName: "Number").Fit(rows);
        var e = Assert.Throws<Exception>(() => _ml.Model.Save(failing, rows.Schema, new MemoryStream()));
        StringAssert.Contains(e.ToString(), "Odd");
        Assert.IsEmpty(Left());

        static string[] Left() => Directory.GetFiles(Path.GetTempPath(), "MLNet.Pruning.*.onnx");
    }

    private static void AssertScores(IDataView scored, Dictionary<string, LoadedColumn> loaded)
    {
        var score = scored.Schema["Score"];
        var expected = score.Type is VectorDataViewType ? scored.GetColumn<float[]>("Score").SelectMany(row => row).ToArray()
            : [.. scored.GetColumn<float>("Score")];
        Assert.IsGreaterThan(1, expected.Distinct().Count());
        Close.AreEqual(expected, loaded["Score"].Rows.SelectMany(row => row).ToArray(), 1e-5, "Score");
        if (scored.Schema.GetColumnOrNull("Probability") is not null)
        {
            Close.AreEqual([.. scored.GetColumn<float>("Probability")], loaded["Probability"].Rows.SelectMany(row => row).ToArray(), 1e-5, "Probability");
            Close.AreEqual([.. scored.GetColumn<bool>("PredictedLabel").Select(side => side ? 1f : 0)],
                loaded["PredictedLabel"].Rows.SelectMany(row => row).ToArray(), 0, "PredictedLabel");
        }
        else if (scored.Schema.GetColumnOrNull("PredictedLabel") is { Type: KeyDataViewType })
        {
            Close.AreEqual([.. scored.GetColumn<uint>("PredictedLabel").Select(key => (float)key)],
                loaded["PredictedLabel"].Rows.SelectMany(row => row).ToArray(), 0, "PredictedLabel");
        }
    }

    private IDataView Rows()
    {
        var random = new Random(5);
        return _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 90).Select(i => new Row
        {
            Features = [i % 3 + 0.2f * random.NextSingle(), random.NextSingle(), i % 2],
            Class = new[] { "red", "green", "blue, or so" }[i % 3],
            Side = i % 2 == 0,
            Number = 2 * (i % 3) - 1,
        }).ToArray());
    }

    private sealed class Row
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];

        public string Class { get; set; } = "";

        public bool Side { get; set; }

        public float Number { get; set; }
    }

    private sealed class Image
    {
        [VectorType(60)]
        public float[] Pixels { get; set; } = [];
    }
}
