using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>A row of weight n counts as n rows, in losses, gradients, metrics and importance.</summary>
[TestClass]
public class ExampleWeightTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    [DataRow(Loss.CrossEntropy, 3)]
    [DataRow(Loss.BinaryCrossEntropy, 1)]
    [DataRow(Loss.MeanSquaredError, 1)]
    [DataRow(Loss.MeanAbsoluteError, 1)]
    public void A_loss_and_its_gradient_are_those_of_rows_as_often_as_they_count(Loss loss, int outputs)
    {
        using var scope = NewDisposeScope();
        float[] weights = [2, 1, 0, 3];
        long[] repeated = [0, 0, 1, 3, 3, 3];
        var logits = rand([4, outputs], generator: new Generator(3));
        var targets = outputs > 1 ? tensor(new long[] { 0, 2, 1, 1 }) : tensor(new float[] { 0, 1, 1, 0 }).view(4, 1);
        (float Value, float[] Gradient) Of(Func<Tensor, Tensor> mean)
        {
            var leaf = logits.clone().requires_grad_();
            var value = mean(leaf);
            value.backward();
            return (value.item<float>(), [.. leaf.grad!.data<float>()]);
        }

        var weighted = Of(leaf => LossFunction.Mean(loss, leaf, targets, tensor(weights)));
        var often = Of(leaf => LossFunction.Mean(loss, leaf.index_select(0, tensor(repeated)), targets.index_select(0, tensor(repeated))));
        Assert.AreEqual(often.Value, weighted.Value, 1e-6);
        foreach (var (expected, found) in often.Gradient.Zip(weighted.Gradient))
        {
            Assert.AreEqual(expected, found, 1e-6);
        }

        Assert.AreEqual(0, LossFunction.Value(LossFunction.Mean(loss, logits, targets, zeros(4))), "rows that count nothing");
    }

    [TestMethod]
    public void A_squared_error_is_the_sum_by_weight_over_the_sum_of_weights()
    {
        using var scope = NewDisposeScope();
        var mean = LossFunction.Mean(Loss.MeanSquaredError, tensor(new float[] { 1, 2, 4 }).view(3, 1), zeros(3, 1), tensor(new float[] { 0.5f, 2, 0.25f }));
        Assert.AreEqual((0.5 * 1 + 2 * 4 + 0.25 * 16) / 2.75, LossFunction.Value(mean), 1e-6);
    }

    [TestMethod]
    [DataRow("numbers")]
    [DataRow("sides")]
    [DataRow("classes")]
    public void Training_on_weighted_rows_is_training_on_repeated_ones(string task)
    {
        var weighted = Rows(60);
        float[] First(IEnumerable<Row> rows, string? column)
        {
            var trained = Fit(task, rows, new()
            {
                Network = Network.Mlp(3, 5, task == "classes" ? 3 : 1), Epochs = 5, BatchSize = 10_000, LearningRate = 0.2, Optimizer = Optimizer.Sgd(0.5),
                ValidationFraction = 0, Seed = 5, ExampleWeightColumnName = column,
            });
            return [.. trained.Network.Parameters.SelectMany(parameter => parameter.Values.ToArray())];
        }

        var (one, other) = (First(weighted, "Weight"), First(Repeat(weighted), null));
        Assert.IsTrue(one.Zip(First(weighted, null)).Any(pair => Math.Abs(pair.First - pair.Second) > 1e-3), "weights change something");
        foreach (var (found, expected) in one.Zip(other))
        {
            Assert.AreEqual(expected, found, 1e-5);
        }
    }

    [TestMethod]
    public void Validation_metrics_are_those_that_MLNet_finds_on_repeated_rows()
    {
        var rows = Rows(200).ToArray();
        var held = Held(rows.Length);
        (NeuralNetworkTransformer Model, double Metric) Trained(string task, Metric metric)
        {
            var model = Fit(task, rows, new()
            {
                Network = Network.Mlp(3, 4, task == "classes" ? 3 : 1), Epochs = 2, ValidationFraction = 0.4, Seed = 9, Metric = metric,
                ExampleWeightColumnName = "Weight",
            });
            return (model, model.GetReport<TrainingReport>().Epochs[^1].Validation!.Metric);
        }

        IDataView Repeated(NeuralNetworkTransformer model) => model.Transform(_ml.Data.LoadFromEnumerable(Repeat(held.Select(row => rows[row]))));
        foreach (var (metric, measure) in new (Metric, Func<BinaryClassificationMetrics, double>)[]
        {
            (Metric.Accuracy, found => found.Accuracy), (Metric.AreaUnderRocCurve, found => found.AreaUnderRocCurve), (Metric.F1, found => found.F1Score),
        })
        {
            var (model, found) = Trained("sides", metric);
            Assert.AreEqual(measure(_ml.BinaryClassification.EvaluateNonCalibrated(Repeated(model), "Side")), found, 1e-5, metric.ToString());
        }

        foreach (var (metric, measure) in new (Metric, Func<RegressionMetrics, double>)[]
        {
            (Metric.RSquared, found => found.RSquared), (Metric.RootMeanSquaredError, found => found.RootMeanSquaredError),
            (Metric.MeanAbsoluteError, found => found.MeanAbsoluteError),
        })
        {
            var (model, found) = Trained("numbers", metric);
            Assert.AreEqual(measure(_ml.Regression.Evaluate(Repeated(model), "Number")), found, 1e-4, metric.ToString());
        }

        foreach (var (metric, measure) in new (Metric, Func<MulticlassClassificationMetrics, double>)[]
        {
            (Metric.Accuracy, found => found.MicroAccuracy), (Metric.MacroRecall, found => found.MacroAccuracy), (Metric.LogLoss, found => found.LogLoss),
        })
        {
            var (model, found) = Trained("classes", metric);
            Assert.AreEqual(measure(_ml.MulticlassClassification.Evaluate(Repeated(model), "Class")), found, 1e-4, metric.ToString());
        }
    }

    [TestMethod]
    public void Importance_by_losses_is_that_of_repeated_rows()
    {
        var rows = Rows(23).ToArray();
        var network = Network.Mlp(3, 4, 3).Initialize(2);
        CalibrationData Data(IReadOnlyList<Row> rows, bool isWeighted)
        {
            var data = new TrainingData(3, isWeighted);
            foreach (var row in rows)
            {
                row.Features.CopyTo(data.Next());
                data.Add(row.Class, row.Weight);
            }

            data.Split(0, 1);
            return new(data, LearningTask.Multiclass, Loss.CrossEntropy, CPU, 4, 1, default);
        }

        foreach (var importance in new[] { Importance.Taylor(), Importance.Gradient(), Importance.Snip(), Importance.Grasp(), Importance.Fisher(),
            Importance.DiagonalHessian() })
        {
            float[] Scores(CalibrationData data)
            {
                var scores = new float[12];
                importance.Measure(new ImportanceContext(network.Prune(Amount.Count(0)), data)).ScoreWeights(network["fc1.weight"], 0, scores);
                return scores;
            }

            var (weighted, repeated, plain) = (Scores(Data(rows, true)), Scores(Data([.. Repeat(rows)], false)), Scores(Data(rows, false)));
            Assert.IsTrue(weighted.Zip(plain).Any(pair => Math.Abs(pair.First - pair.Second) > 1e-3 * Math.Abs(pair.Second)), importance.ToString());
            foreach (var (found, expected) in weighted.Zip(repeated))
            {
                Assert.AreEqual(expected, found, 1e-4 * Math.Abs(expected) + 1e-7, importance.ToString());
            }
        }
    }

    [TestMethod]
    public void Later_steps_weigh_rows_too_also_after_a_file()
    {
        var rows = Rows(80).ToArray();
        var view = _ml.Data.LoadFromEnumerable(rows);
        var loaded = _ml.Transforms.LoadNetwork(new LoadNetworkOptions
        {
            Network = Network.Mlp(3, 4, 1).Initialize(1), LabelColumnName = "Number", ExampleWeightColumnName = "Weight", Seed = 9, ValidationFraction = 0.4,
            Training = new() { Metric = Metric.MeanAbsoluteError },
        }).Fit(view);
        var path = Path.GetTempFileName();
        _ml.Compression().Save(loaded, view.Schema, path);
        var again = _ml.Compression().Load(path, out _);
        File.Delete(path);
        var repeated = loaded.Transform(_ml.Data.LoadFromEnumerable(Repeat(Held(rows.Length).Select(row => rows[row]))));
        var expected = _ml.Regression.Evaluate(repeated, "Number").MeanAbsoluteError;
        foreach (var model in new[] { loaded, again })
        {
            var report = _ml.Transforms.Prune(0.5).Fit(model.Transform(view)).GetReport<PruningReport>();
            Assert.AreEqual(expected, report.Before!.Metric, 1e-5);
        }

        var without = _ml.Transforms.DropColumns("Weight").Fit(view).Transform(view);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.FineTune(1).Fit(again.Transform(without))).Message,
            "weight column 'Weight'");
    }

    [TestMethod]
    [DataRow(-1f, "column 'Weight' is -1")]
    [DataRow(float.NaN, "column 'Weight' is NaN")]
    [DataRow(float.PositiveInfinity, "column 'Weight' is")]
    public void A_weight_that_is_none_is_refused_or_its_row_left_out(float weight, string problem)
    {
        var rows = Rows(30).ToArray();
        rows[7].Weight = weight;
        var options = new NeuralNetworkOptions
        {
            Network = Network.Mlp(3, 1), Epochs = 1, Seed = 1, ExampleWeightColumnName = "Weight", ValidationFraction = 0,
        };
        var error = Assert.ThrowsExactly<TrainingDataException>(() => Fit("numbers", rows, options));
        StringAssert.Contains(error.Message, problem);
        Assert.AreEqual(("Weight", 7L), (error.Column, error.Row));
        var left = Fit("numbers", rows, options with { SkipInvalidRows = true, BatchSize = 100 });
        var others = Fit("numbers", rows.Where((_, i) => i != 7), options with { BatchSize = 100 });
        foreach (var (expected, found) in others.Network["fc1.weight"].Values.ToArray().Zip(left.Network["fc1.weight"].Values.ToArray()))
        {
            Assert.AreEqual(expected, found, 1e-6);
        }
    }

    [TestMethod]
    public void What_weights_cannot_be_is_refused_by_name()
    {
        var rows = Rows(30).ToArray();
        var options = new NeuralNetworkOptions
        {
            Network = Network.Mlp(3, 1), Epochs = 1, Seed = 9, ExampleWeightColumnName = "Weight", ValidationFraction = 0.4,
        };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() =>
            Fit("numbers", rows, options with { ExampleWeightColumnName = "Nowhere" })).Message, "weight column 'Nowhere'");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() =>
            Fit("numbers", rows, options with { ExampleWeightColumnName = "Side" })).Message, "Side");
        var pipeline = _ml.Regression.Trainers.NeuralNetwork(options with { ExampleWeightColumnName = "Features", LabelColumnName = "Number" });
        var shape = SchemaShapes.With(new SchemaShape([]), _ml.Data.LoadFromEnumerable(rows).Schema
            .Select(column => new DataViewSchema.DetachedColumn(column.Name, column.Type, column.Annotations)));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => pipeline.GetOutputSchema(shape));
        foreach (var row in Held(rows.Length))
        {
            rows[row].Weight = 0;
        }

        StringAssert.Contains(Assert.ThrowsExactly<TrainingDataException>(() => Fit("numbers", rows, options)).Message, "is 0 in all 12 rows to measure on");
        var trained = Fit("numbers", Rows(30), options);
        var view = trained.Transform(_ml.Data.LoadFromEnumerable(Rows(30)));
        var confident = _ml.Transforms.Prune(new PruningOptions { Tolerance = Tolerance.Confident(0.1) });
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => confident.Fit(view)).Message, "'Weight' weighs them");
    }

    private NeuralNetworkTransformer Fit(string task, IEnumerable<Row> rows, NeuralNetworkOptions options)
    {
        var view = _ml.Data.LoadFromEnumerable(rows);
        return task switch
        {
            "numbers" => _ml.Regression.Trainers.NeuralNetwork(options with { LabelColumnName = "Number" }).Fit(view),
            "sides" => _ml.BinaryClassification.Trainers.NeuralNetwork(options with { LabelColumnName = "Side" }).Fit(view),
            _ => _ml.MulticlassClassification.Trainers.NeuralNetwork(options with { LabelColumnName = "Class" }).Fit(view),
        };
    }

    /// <summary>The rows that a validation fraction of 0.4 holds back by the seed 9.</summary>
    private static int[] Held(int rows)
    {
        var data = new TrainingData(1);
        for (var i = 0; i < rows; i++)
        {
            data.Next()[0] = i;
            data.Add(i);
        }

        data.Split(0.4, 9);
        return [.. data.ValidationRows];
    }

    private static IEnumerable<Row> Repeat(IEnumerable<Row> rows) => rows.SelectMany(row => Enumerable.Repeat(row, (int)row.Weight));

    private static IEnumerable<Row> Rows(int count)
    {
        var random = new Random(4);
        for (var i = 0; i < count; i++)
        {
            float[] features = [random.NextSingle(), random.NextSingle(), random.NextSingle()];
            yield return new Row
            {
                Features = features,
                Number = features[0] - 2 * features[1] + random.NextSingle(),
                Side = features[0] + features[2] + random.NextSingle() > 1.5,
                Class = features[0] > 0.6 ? 2u : features[1] > 0.5 ? 1u : 0,
                Weight = random.Next(4),
            };
        }
    }

    private sealed class Row
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];

        public float Number { get; set; }

        public bool Side { get; set; }

        [KeyType(3)]
        public uint Class { get; set; }

        public float Weight { get; set; }
    }
}
