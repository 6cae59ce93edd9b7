using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Binary classification and regression through the whole chain, on problems whose answer is known.</summary>
[TestClass]
public class TaskTests
{
    [TestMethod]
    public void Binary_chain_learns_a_circle_that_no_line_can()
    {
        var ml = new MLContext(1);
        var data = ml.Data.Cache(ml.Data.LoadFromEnumerable(Points(800)));
        var network = Network.Mlp(2, 24, 24, 1);
        var chain = ml.BinaryClassification.Trainers.NeuralNetwork(network, "Inside", epochs: 60, batchSize: 32, learningRate: 5e-3)
            .Append(ml.Transforms.Prune(0.6, schedule: Schedule.Linear(3), fineTuneEpochs: 10));
        var split = ml.Data.TrainTestSplit(data, 0.25, seed: 1);
        var scored = chain.Fit(split.TrainSet).Transform(split.TestSet);
        var metrics = ml.BinaryClassification.Evaluate(scored, "Inside");
        Assert.IsGreaterThan(0.93, metrics.Accuracy);
        Assert.IsGreaterThan(0.97, metrics.AreaUnderRocCurve);
        var rows = ml.Data.CreateEnumerable<BinaryRow>(scored, false).ToArray();
        Assert.AreEqual(metrics.Accuracy, rows.Average(row => row.PredictedLabel == row.Inside ? 1.0 : 0), 1e-9);
        foreach (var row in rows)
        {
            Assert.AreEqual(1 / (1 + Math.Exp(-row.Score)), row.Probability, 1e-6);
            Assert.AreEqual(row.Probability > 0.5f, row.PredictedLabel);
        }
    }

    [TestMethod]
    public void Regression_chain_learns_a_parabola()
    {
        var ml = new MLContext(2);
        var data = ml.Data.Cache(ml.Data.LoadFromEnumerable(Points(800)));
        var network = Network.Sequential([2], Layer.Dense(32), Layer.Tanh(), Layer.Dense(1));
        var chain = ml.Regression.Trainers.NeuralNetwork(new NeuralNetworkOptions
        {
            Network = network, LabelColumnName = "Distance", Epochs = 80, BatchSize = 32, LearningRate = 1e-2,
            LearningRateSchedule = LearningRateSchedule.Cosine(),
        }).Append(ml.Transforms.Prune(0.3, fineTuneEpochs: 20));
        var split = ml.Data.TrainTestSplit(data, 0.25, seed: 1);
        var metrics = ml.Regression.Evaluate(chain.Fit(split.TrainSet).Transform(split.TestSet), "Distance");
        Assert.IsGreaterThan(0.97, metrics.RSquared);
        Assert.IsGreaterThan(0.9, ml.Regression.CrossValidate(data, chain, 2, "Distance").Min(fold => fold.Metrics.RSquared));
    }

    [TestMethod]
    public void Score_columns_are_those_of_MLNets_own_trainers()
    {
        var ml = new MLContext(4);
        var data = ml.Data.LoadFromEnumerable(Points(50));
        SameColumns.Assert(ml.BinaryClassification.Trainers.LbfgsLogisticRegression("Inside").Fit(data).Transform(data).Schema,
            ml.BinaryClassification.Trainers.NeuralNetwork(Network.Mlp(2, 1), "Inside", epochs: 1).Fit(data).Transform(data).Schema);
        SameColumns.Assert(ml.Regression.Trainers.Sdca("Distance", maximumNumberOfIterations: 1).Fit(data).Transform(data).Schema,
            ml.Regression.Trainers.NeuralNetwork(Network.Mlp(2, 1), "Distance", epochs: 1).Fit(data).Transform(data).Schema);
    }

    [TestMethod]
    public void A_network_that_ends_in_its_own_softmax_scores_like_one_that_does_not()
    {
        var ml = new MLContext(3);
        var data = Digits.Load(ml);
        float[][] Scores(params Layer[] end)
        {
            var options = Digits.Options(2) with { Network = Network.Sequential([64], [Layer.Dense(16), Layer.Relu(), Layer.Dense(10), .. end]), Seed = 9 };
            return [.. Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(options)).Fit(data).Transform(data)
                .GetColumn<float[]>("Score").Take(50)];
        }

        foreach (var (with, without) in Scores(Layer.Softmax()).Zip(Scores()))
        {
            Close.AreEqual(without, with, 1e-6, "score");
        }
    }

    private static IEnumerable<Point> Points(int count)
    {
        var random = new Random(5);
        for (var i = 0; i < count; i++)
        {
            var (x, y) = (random.NextSingle() * 2 - 1, random.NextSingle() * 2 - 1);
            yield return new Point { Features = [x, y], Inside = x * x + y * y < 0.64f, Distance = x * x + y * y };
        }
    }

    private sealed class Point
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public bool Inside { get; set; }

        public float Distance { get; set; }
    }

    private sealed class BinaryRow
    {
        public bool Inside { get; set; }

        public float Score { get; set; }

        public float Probability { get; set; }

        public bool PredictedLabel { get; set; }
    }
}
