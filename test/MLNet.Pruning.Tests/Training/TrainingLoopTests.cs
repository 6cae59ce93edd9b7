using MLNet.Pruning.Data;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Training;

[TestClass]
public class TrainingLoopTests
{
    [TestMethod]
    public void Early_stopping_restores_the_best_weights()
    {
        var options = Digits.Options(200) with { EarlyStoppingPatience = 4, Seed = 3, LearningRate = 2e-2 };
        var stopped = Fit(options);
        var best = stopped.GetReport<TrainingReport>().Epochs.MaxBy(epoch => epoch.Validation!.Metric)!;
        Assert.IsLessThan(200, stopped.GetReport<TrainingReport>().Epochs.Count);
        Assert.AreEqual(best.Epoch + 4, stopped.GetReport<TrainingReport>().Epochs.Count, "four epochs after the first best one");

        // The same training cut off at that epoch ends with the same weights.
        options = options with { Epochs = best.Epoch, EarlyStoppingPatience = null };
        CollectionAssert.AreEqual(Fit(options).Network["fc1.weight"].Values.ToArray(), stopped.Network["fc1.weight"].Values.ToArray());
    }

    [TestMethod]
    public void Validation_rows_are_never_trained_on()
    {
        var data = new TrainingData(1);
        for (var i = 0; i < 103; i++)
        {
            data.Next()[0] = i;
            data.Add(i);
        }

        data.Split(0.2, seed: 7);
        Assert.AreEqual(21, data.ValidationRows.Length);
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 103).ToArray(), data.ValidationRows.Concat(data.TrainingRows).ToArray());
        var again = data.ValidationRows;
        data.Split(0.2, seed: 7);
        CollectionAssert.AreEqual(again.ToArray(), data.ValidationRows.ToArray());
        for (var i = 0; i < 103; i++)
        {
            Assert.AreEqual(i, data.Row(i)[0]);
        }
    }

    [TestMethod]
    public void Rows_are_kept_over_many_chunks()
    {
        const int Width = 300_000;
        var data = new TrainingData(Width);
        for (var i = 0; i < 10; i++)
        {
            data.Next().Fill(i);
            data.Add(-i);
        }

        for (var i = 0; i < 10; i++)
        {
            Assert.IsFalse(data.Row(i).ContainsAnyExcept(i));
            Assert.AreEqual(-i, data.Target(i));
        }
    }

    [TestMethod]
    public void Warm_up_rises_by_one_part_each_step_and_then_follows_the_schedule()
    {
        var schedule = LearningRateSchedule.Constant.WithWarmup(2);
        for (var step = 0; step < 30; step++)
        {
            Assert.AreEqual(Math.Min(1, (step + 1) / 20.0), schedule.Factor(step / 10.0, 3, 10), 1e-12);
        }
    }

    [TestMethod]
    public void One_cycle_rises_and_falls_along_cosines()
    {
        var schedule = LearningRateSchedule.OneCycle(rise: 0.25, initial: 0.04, final: 0.001);
        Assert.AreEqual(0.04, schedule.Factor(0, 8, 10), 1e-12);
        Assert.AreEqual((0.04 + 1) / 2, schedule.Factor(1, 8, 10), 1e-12, "halfway up");
        Assert.AreEqual(1, schedule.Factor(2, 8, 10), 1e-12);
        Assert.AreEqual((1 + 0.001) / 2, schedule.Factor(5, 8, 10), 1e-12, "halfway down");
        Assert.AreEqual(0.001, schedule.Factor(8, 8, 10), 1e-12);
    }

    [TestMethod]
    public void Steps_fall_at_whole_epochs()
    {
        var schedule = LearningRateSchedule.Step(2, 0.1);
        CollectionAssert.AreEqual(new[] { 1, 1, 0.1, 0.1, 0.01 },
            Enumerable.Range(0, 5).Select(epoch => Math.Round(schedule.Factor(epoch, 5, 3), 12)).ToArray());
    }

    [TestMethod]
    public void A_last_batch_of_one_row_does_not_reach_batch_statistics()
    {
        // 33 rows in batches of 8: batch normalisation over one row has no variance.
        var options = Digits.Options(2) with { Network = Network.Sequential([64], Layer.Dense(8), Layer.BatchNorm(), Layer.Relu(), Layer.Dense(10)),
            BatchSize = 8, ValidationFraction = 0 };
        var ml = new MLContext(1);
        var labelled = Digits.Prepare(ml).Fit(Digits.Load(ml)).Transform(Digits.Load(ml));
        var trained = ml.MulticlassClassification.Trainers.NeuralNetwork(options).Fit(ml.Data.TakeRows(labelled, 33));
        Assert.IsTrue(trained.Network["bn1.variance"].Values.ToArray().All(float.IsFinite));
    }

    private static NeuralNetworkTransformer Fit(NeuralNetworkOptions options)
    {
        var ml = new MLContext(1);
        return Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(options)).Fit(Digits.Load(ml)).LastTransformer;
    }
}
