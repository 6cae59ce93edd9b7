using MLNet.Pruning.Data;
using MLNet.Pruning.Pipeline.Steps.PruneTrees;
using MLNet.Pruning.Tests.Compression.Trees;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Microsoft.ML.Trainers.LightGbm;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Trees of several classes, an ensemble each: LightGBM's, and those of one-versus-all. What is compared with is ML.NET's own scoring.</summary>
[TestClass]
public class TreesOfClassesTests
{
    private readonly MLContext _ml = new(1);

    public static IEnumerable<object[]> Kinds => [["light"], ["light softmax"], ["boosted"], ["boosted raw"], ["forest"]];

    private IDataView Rows => View(TreeTables.Make(500, seed: 5));

    [TestMethod]
    [DynamicData(nameof(Kinds))]
    public void Trees_that_are_read_score_as_the_model_does_on_missing_values_too(string kind)
    {
        var model = Trainer(kind).Fit(Rows);
        var missing = View(TreeTables.Make(100, seed: 6).Select((row, i) => new TreeTables.Row
        {
            Features = [.. row.Features.Select((value, f) => (i + f) % 3 == 0 ? float.NaN : f == 4 ? float.NegativeInfinity : value)],
        }));
        foreach (var rows in new[] { Rows, missing })
        {
            var (expected, own) = (Scored(model, rows), Scored(Unpruned(model), rows));
            Close.AreEqual(expected.Scores, own.Scores, 1e-6, kind);
            CollectionAssert.AreEqual(expected.Labels, own.Labels);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Kinds))]
    public void Columns_are_those_of_the_model_pruned_and_metrics_those_of_ML_NET(string kind)
    {
        var (model, held) = (Trainer(kind).Fit(Rows), View(TreeTables.Make(300, seed: 7)));
        var options = new TreePruningOptions { Budget = Budget.Trees(12), ValidationData = held, LabelColumnName = "Key", Metric = Metric.Accuracy };
        var step = _ml.Transforms.PruneTrees(model, options);
        var pruned = step.Fit(Rows);
        SameColumns.Assert(model.GetOutputSchema(Rows.Schema), pruned.GetOutputSchema(Rows.Schema));
        Assert.AreEqual(LearningTask.Multiclass, pruned.Task);
        Assert.IsLessThanOrEqualTo(12, pruned.Cost.Trees);
        Assert.AreEqual(Accuracy(model), pruned.Report.MetricBefore, 1e-6);
        Assert.AreEqual(Accuracy(pruned), pruned.Report.MetricAfter, 1e-6);
        Assert.IsGreaterThan(0.7, pruned.Report.MetricAfter);

        // A chain checks the shape that the step says it gives.
        var chain = step.Append(_ml.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(Rows);
        CollectionAssert.IsSubsetOf(chain.Transform(Rows).GetColumn<string>("PredictedLabel").Distinct().ToArray(), new[] { "low", "middle", "high" });

        double Accuracy(ITransformer fitted) => _ml.MulticlassClassification.Evaluate(fitted.Transform(held), "Key").MicroAccuracy;
    }

    [TestMethod]
    [DataRow("light")]
    [DataRow("light softmax")]
    [DataRow("boosted")]
    public void The_log_loss_is_ML_NETs(string kind)
    {
        var (model, held) = (Trainer(kind).Fit(Rows), View(TreeTables.Make(300, seed: 8)));
        var options = new TreePruningOptions { Budget = Budget.Trees(9), ValidationData = held, LabelColumnName = "Key", Metric = Metric.LogLoss };
        var pruned = _ml.Transforms.PruneTrees(model, options).Fit(Rows);
        foreach (var (fitted, metric) in new (ITransformer, double)[] { (model, pruned.Report.MetricBefore), (pruned, pruned.Report.MetricAfter) })
        {
            Assert.AreEqual(_ml.MulticlassClassification.Evaluate(fitted.Transform(held), "Key").LogLoss, metric, 1e-5);
        }
    }

    [TestMethod]
    [DataRow("light")]
    [DataRow("light softmax")]
    [DataRow("forest")]
    public void Every_method_that_takes_them_keeps_to_the_budget(string kind)
    {
        var model = Trainer(kind).Fit(Rows);
        var before = _ml.Compression().Measure(model).Trees!;
        foreach (var method in Enum.GetValues<TreePruningMethod>())
        {
            if (kind != "forest" && method is TreePruningMethod.Kappa or TreePruningMethod.MarginDistance)
            {
                continue;
            }

            var options = new TreePruningOptions { Budget = Budget.NodeFraction(0.4), Method = method, LabelColumnName = "Key", Seed = 3 };
            var pruned = _ml.Transforms.PruneTrees(model, options).Fit(Rows);
            Assert.AreEqual(before, pruned.Report.Before);
            Assert.IsLessThanOrEqualTo(0.4 * before.Nodes, pruned.Cost.Nodes, $"{method}");
            Assert.IsGreaterThan(0.7, pruned.Report.MetricAfter, $"{method}");
        }
    }

    [TestMethod]
    [DataRow("light")]
    [DataRow("light softmax")]
    [DataRow("boosted raw")]
    public void Saved_by_ML_NET_and_as_ONNX_it_scores_the_same(string kind)
    {
        var options = new TreePruningOptions { Budget = Budget.Trees(12), LabelColumnName = "Key", Seed = 3 };
        var model = _ml.Transforms.PruneTrees(Trainer(kind), options).Fit(Rows);
        var rows = _ml.Data.TakeRows(_ml.Transforms.SelectColumns("Features").Fit(Rows).Transform(Rows), 60);
        var (scores, labels) = Scored(model, rows);
        var loaded = LoaderProcess.Score(_ml, model, rows);
        Close.AreEqual(scores, [.. loaded["Score"].Rows.SelectMany(row => row)], 1e-5, "scores");
        CollectionAssert.AreEqual(labels, loaded["PredictedLabel"].Rows.Select(row => (uint)row[0]).ToArray());
        CollectionAssert.AreEquivalent(new[] { "low", "middle", "high" }, loaded["PredictedLabel"].KeyValues);
        CollectionAssert.AreEqual(loaded["PredictedLabel"].KeyValues, loaded["Score"].SlotNames);

        using var onnx = new MemoryStream();
        model.SaveOnnx(onnx);
        using var session = new InferenceSession(onnx.ToArray());
        float[] features = [.. rows.GetColumn<float[]>("Features").SelectMany(row => row)];
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("features", new DenseTensor<float>(features, [60, TreeTables.FeatureCount]))]);
        Close.AreEqual(scores, [.. results.Single(result => result.Name == "score").AsEnumerable<float>()], 1e-5, "ONNX");
    }

    [TestMethod]
    [DynamicData(nameof(Kinds))]
    public void Saved_by_this_package_it_goes_on_as_if_it_had_never_left_memory(string kind)
    {
        var options = new TreePruningOptions { Budget = Budget.Trees(15), LabelColumnName = "Key", Seed = 4 };
        var model = _ml.Transforms.PruneTrees(Trainer(kind), options).Fit(Rows);
        var path = Path.GetTempFileName();
        _ml.Compression().Save(model, Rows.Schema, path);
        var loaded = _ml.Compression().Load(path, out _);
        File.Delete(path);
        CollectionAssert.AreEqual(Scored(model, Rows).Scores, Scored(loaded, Rows).Scores);
        SameColumns.Assert(Trainer(kind).Fit(Rows).GetOutputSchema(Rows.Schema), loaded.GetOutputSchema(Rows.Schema));
        var further = options with { Budget = Budget.Nodes(60), Method = TreePruningMethod.CostComplexity };
        var again = _ml.Transforms.PruneTrees(model, further).Fit(Rows);
        Assert.IsLessThanOrEqualTo(60, again.Cost.Nodes);
        CollectionAssert.AreEqual(Scored(again, Rows).Scores, Scored(_ml.Transforms.PruneTrees(loaded, further).Fit(Rows), Rows).Scores);
    }

    [TestMethod]
    public void Missing_values_go_the_ways_that_LightGBM_learnt()
    {
        // Where the first feature is missing the label is high: the splits on it send missing values to either side.
        var random = new Random(9);
        TreeTables.Row[] rows = [.. TreeTables.Make(600, seed: 9).Select(row =>
        {
            var isMissing = random.Next(4) == 0;
            var features = row.Features.ToArray();
            features[0] = isMissing ? float.NaN : features[0];
            features[1] = random.Next(5) == 0 ? 0 : features[1];
            return new TreeTables.Row { Features = features, Label = isMissing ? 5 : row.Label, Side = isMissing || row.Side };
        })];
        foreach (var zeros in new[] { false, true })
        {
            var regression = new LightGbmRegressionTrainer.Options { NumberOfIterations = 20, NumberOfThreads = 1, UseZeroAsMissingValue = zeros };
            var model = _ml.Regression.Trainers.LightGbm(regression).Fit(_ml.View(rows));
            var state = TreeReader.Read(model).State;
            Assert.IsNotEmpty(state.Trees.Ensembles[0].Lows);
            Close.AreEqual(model.Scores(_ml.View(rows)), Unpruned(model).Scores(_ml.View(rows)), 1e-6, "scores");

            var pruned = _ml.Transforms.PruneTrees(model, Budget.Trees(6)).Fit(_ml.View(rows));
            using var onnx = new MemoryStream();
            pruned.SaveOnnx(onnx);
            using var session = new InferenceSession(onnx.ToArray());
            float[] features = [.. rows.SelectMany(row => row.Features)];
            using var results = session.Run([NamedOnnxValue.CreateFromTensor("features", new DenseTensor<float>(features, [600, TreeTables.FeatureCount]))]);
            Close.AreEqual(pruned.Scores(_ml.View(rows)), [.. results.First().AsEnumerable<float>()], 1e-5, "ONNX");
            Assert.IsGreaterThan(0.7, _ml.Regression.Evaluate(pruned.Transform(_ml.View(rows))).RSquared);
        }
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Categorical_splits_are_read(bool ofClasses)
    {
        var random = new Random(11);
        Order[] orders = [.. Enumerable.Range(0, 1500).Select(_ =>
        {
            var (city, size) = (random.Next(12), random.NextSingle());
            var value = (city is 1 or 4 or 7 or 9 ? 3 : city is 2 or 3 ? -1 : 1) * size + (random.NextSingle() * 0.2f);
            return new Order { City = $"c{city}", Size = size, Label = value, Grade = value > 1 ? "high" : value > 0 ? "middle" : "low" };
        })];
        var rows = _ml.Transforms.Categorical.OneHotEncoding("CityFeatures", "City").Append(_ml.Transforms.Concatenate("Features", "CityFeatures", "Size"))
            .Append(_ml.Transforms.Conversion.MapValueToKey("Key", "Grade")).Fit(_ml.Data.LoadFromEnumerable(orders))
            .Transform(_ml.Data.LoadFromEnumerable(orders));
        ISingleFeaturePredictionTransformer<object> model = ofClasses
            ? _ml.MulticlassClassification.Trainers.LightGbm(new LightGbmMulticlassTrainer.Options
            {
                LabelColumnName = "Key",
                NumberOfIterations = 20,
                NumberOfThreads = 1,
                UseCategoricalSplit = true,
                MinimumExampleCountPerGroup = 10,
            }).Fit(rows)
            : _ml.Regression.Trainers.LightGbm(new LightGbmRegressionTrainer.Options
            {
                NumberOfIterations = 20,
                NumberOfThreads = 1,
                UseCategoricalSplit = true,
                MinimumExampleCountPerGroup = 10,
            }).Fit(rows);
        Assert.IsNotEmpty(TreeReader.Read(model).State.Trees.Ensembles[0].Sets);
        var options = new TreePruningOptions { Budget = Budget.Trees(9), LabelColumnName = ofClasses ? "Key" : "Label" };
        var pruned = _ml.Transforms.PruneTrees(model, options).Fit(rows);
        if (ofClasses)
        {
            Close.AreEqual(Scored(model, rows).Scores, Scored(Unpruned(model), rows).Scores, 1e-6, "scores");
            Assert.IsGreaterThan(0.9, _ml.MulticlassClassification.Evaluate(pruned.Transform(rows), "Key").MicroAccuracy);
        }
        else
        {
            Close.AreEqual(model.Scores(rows), Unpruned(model).Scores(rows), 1e-6, "scores");
            Assert.IsGreaterThan(0.9, _ml.Regression.Evaluate(pruned.Transform(rows)).RSquared);
        }
    }

    [TestMethod]
    public void A_chain_that_ML_NET_saved_is_pruned_as_it_is_loaded()
    {
        var path = Path.GetTempFileName();
        foreach (var kind in new[] { "light", "light softmax" })
        {
            var chain = Trainer(kind).Append(_ml.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(Rows);
            _ml.Model.Save(chain, Rows.Schema, path);
            var loaded = _ml.Model.Load(path, out _);
            Close.AreEqual(Scored(((IEnumerable<ITransformer>)loaded).First(), Rows).Scores, Scored(Unpruned(loaded), Rows).Scores, 1e-6, kind);
            var pruned = _ml.Transforms.PruneTrees(loaded, Budget.Trees(12), labelColumnName: "Key").Fit(Rows);
            Assert.IsGreaterThan(0.8, _ml.MulticlassClassification.Evaluate(pruned.Transform(Rows), "Key").MicroAccuracy, kind);
        }

        File.Delete(path);
    }

    [TestMethod]
    public void A_network_is_distilled_from_them()
    {
        var model = _ml.Transforms.PruneTrees(Trainer("light"), Budget.Trees(24), labelColumnName: "Key").Fit(Rows);
        var student = _ml.Transforms.Distill(Network.Mlp(TreeTables.FeatureCount, 32, 16, 3), labelColumnName: "Key", epochs: 60, learningRate: 3e-3,
            teacher: model).Fit(View(TreeTables.Make(2000, seed: 14)));
        var held = View(TreeTables.Make(300, seed: 12));
        var (teacher, own) = (Scored(model, held).Labels, Scored(student, held).Labels);
        Assert.IsGreaterThan(0.7, teacher.Zip(own).Count(pair => pair.First == pair.Second) / 300.0);
    }

    [TestMethod]
    public void What_does_not_fit_is_refused_with_the_reason()
    {
        var model = Trainer("light").Fit(Rows);
        var options = new TreePruningOptions { Budget = Budget.Trees(6), LabelColumnName = "Key" };
        var ordered = _ml.Transforms.Conversion.MapValueToKey("Key", "Grade", keyData: _ml.Data.LoadFromEnumerable(
            new[] { new Named { Value = "low" }, new Named { Value = "middle" }, new Named { Value = "high" } })).Fit(Rows).Transform(Rows);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.PruneTrees(model, options).Fit(ordered)).Message,
            "expected the same in the same order");

        var two = _ml.Transforms.Conversion.MapValueToKey("Key", "Side").Fit(Rows).Transform(Rows);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.PruneTrees(model, options).Fit(two)).Message,
            "a key of 3 values");
        Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.PruneTrees(model, options with { Metric = Metric.AreaUnderRocCurve }).Fit(Rows));
        StringAssert.Contains(Assert.ThrowsExactly<TreePruningException>(() =>
            _ml.Transforms.PruneTrees(model, options with { Method = TreePruningMethod.Kappa }).Fit(Rows)).Message, "binary forest");

        var ranked = _ml.Transforms.Conversion.MapValueToKey("Group", "Grade").Fit(Rows).Transform(Rows);
        var ranking = _ml.Ranking.Trainers.LightGbm("Relevance", "Features", "Group", numberOfIterations: 3).Fit(ranked);
        StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => _ml.Transforms.PruneTrees((ITransformer)ranking)).Message, "LightGbmRanking");
    }

    private IEstimator<ISingleFeaturePredictionTransformer<object>> Trainer(string kind)
    {
        var trainers = _ml.MulticlassClassification.Trainers;
        return kind switch
        {
            "light" or "light softmax" => trainers.LightGbm(new LightGbmMulticlassTrainer.Options
            {
                LabelColumnName = "Key",
                NumberOfIterations = 20,
                NumberOfThreads = 1,
                UseSoftmax = kind == "light softmax",
            }),
            "boosted" => trainers.OneVersusAll(_ml.BinaryClassification.Trainers.FastTree("Key", numberOfTrees: 15), "Key"),
            "boosted raw" => trainers.OneVersusAll(_ml.BinaryClassification.Trainers.FastTree("Key", numberOfTrees: 15), "Key", useProbabilities: false),
            _ => trainers.OneVersusAll(_ml.BinaryClassification.Trainers.FastForest("Key", numberOfTrees: 15), "Key"),
        };
    }

    private IDataView View(IEnumerable<TreeTables.Row> rows)
    {
        var view = _ml.Data.LoadFromEnumerable(rows.Select(row => new Graded
        {
            Features = row.Features, Side = row.Side, Grade = row.Label < 0.5 ? "low" : row.Label < 2 ? "middle" : "high", Relevance = row.Side ? 1 : 0,
        }));
        var names = _ml.Data.LoadFromEnumerable(new[] { new Named { Value = "middle" }, new Named { Value = "low" }, new Named { Value = "high" } });
        return _ml.Transforms.Conversion.MapValueToKey("Key", "Grade", keyData: names).Fit(view).Transform(view);
    }

    private static PrunedTreesTransformer Unpruned(ITransformer model)
    {
        var state = TreeReader.Read(model).State;
        return new(state, new DataViewSchema.Builder().ToSchema(), new(default, state.Trees.Cost, state.Trees.Cost, "", 0, 0, 0, 0));
    }

    private static (float[] Scores, uint[] Labels) Scored(ITransformer model, IDataView rows)
    {
        var scored = model.Transform(rows);
        return ([.. scored.GetColumn<float[]>("Score").SelectMany(scores => scores)], [.. scored.GetColumn<uint>("PredictedLabel")]);
    }

    internal sealed class Graded
    {
        [VectorType(TreeTables.FeatureCount)]
        public float[] Features { get; set; } = [];

        public string Grade { get; set; } = "";

        public bool Side { get; set; }

        public float Relevance { get; set; }
    }

    internal sealed class Named
    {
        public string Value { get; set; } = "";
    }

    internal sealed class Order
    {
        public string City { get; set; } = "";

        public float Size { get; set; }

        public float Label { get; set; }

        public string Grade { get; set; } = "";
    }
}
