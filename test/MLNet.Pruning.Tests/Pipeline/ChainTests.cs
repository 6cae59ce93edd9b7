using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Train, prune, fine-tune and evaluate as one ML.NET chain, on the digits.</summary>
[TestClass]
public class ChainTests
{
    [TestMethod]
    public void One_fit_trains_prunes_and_fine_tunes()
    {
        var ml = new MLContext(1);
        var split = ml.Data.TrainTestSplit(Digits.Load(ml), 0.2, seed: 1);
        var networks = new List<NeuralNetworkTransformer>();
        var model = Digits.Prepare(ml)
            .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(20)).WithOnFitDelegate(networks.Add))
            .Append(ml.Transforms.Prune(0.8, schedule: Schedule.Cubic(4), fineTuneEpochs: 3).WithOnFitDelegate(networks.Add))
            .Append(ml.Transforms.FineTune(5).WithOnFitDelegate(networks.Add))
            .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            .Fit(split.TrainSet);

        var (dense, pruned, tuned) = (networks[0], networks[1], networks[2]);
        Assert.AreEqual(0, ml.Compression().Measure(dense).Total.Sparsity, "a later step leaves an earlier network as it was");
        const int Weights = 64 * 32 + 32 * 10, Zeros = 1894; // 0.8 of the weights, rounded
        Assert.AreEqual(Weights - Zeros, ml.Compression().Measure(pruned).Total.NonZeroWeights);
        Assert.AreEqual(Weights - Zeros, ml.Compression().Measure(tuned).Total.NonZeroWeights);
        Assert.AreEqual(ml.Compression().Measure(tuned).Total, ml.Compression().Measure(model).Total, "the model's network is its last");
        Assert.AreEqual(4, pruned.GetReport<PruningReport>().Steps.Count);
        Assert.AreEqual(5, tuned.GetReport<TrainingReport>().Epochs.Count);
        Assert.AreNotEqual(pruned.Network["fc1.weight"].Values.ToArray().Sum(), tuned.Network["fc1.weight"].Values.ToArray().Sum());
        foreach (var (name, mask) in tuned.Masks)
        {
            for (var i = 0; i < mask.Count; i++)
            {
                Assert.AreEqual(mask[i], tuned.Network[name].Values[i] != 0, $"{name}[{i}]");
            }
        }

        // A linear model of ML.NET reaches about 96%; guessing 10%.
        var metrics = ml.MulticlassClassification.Evaluate(model.Transform(split.TestSet));
        Assert.IsGreaterThan(0.93, metrics.MicroAccuracy);
    }

    [TestMethod]
    public void Evaluate_agrees_with_counting_by_hand()
    {
        var ml = new MLContext(2);
        var data = Digits.Load(ml);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options())).Fit(data);
        var scored = model.Transform(data);
        var metrics = ml.MulticlassClassification.Evaluate(scored);
        var labels = scored.GetColumn<uint>("Label").ToArray();
        var scores = scored.GetColumn<float[]>("Score").ToArray();
        var predicted = scored.GetColumn<uint>("PredictedLabel").ToArray();
        Assert.AreEqual(labels.Zip(predicted).Average(pair => pair.First == pair.Second ? 1.0 : 0), metrics.MicroAccuracy, 1e-9);
        Assert.AreEqual(labels.Zip(scores).Average(pair => -Math.Log(pair.Second[pair.First - 1])), metrics.LogLoss, 1e-4);
        foreach (var (score, label) in scores.Zip(predicted))
        {
            Assert.AreEqual(1, score.Sum(), 1e-5, "probabilities");
            Assert.AreEqual(score.Max(), score[label - 1]);
        }
    }

    [TestMethod]
    public void PredictionEngine_and_Transform_agree_and_give_the_label_back()
    {
        var ml = new MLContext(3);
        var data = ml.Data.TakeRows(Digits.Load(ml), 700);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options()))
            .Append(ml.Transforms.Prune(0.5)).Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(data);
        using var engine = ml.Model.CreatePredictionEngine<Digits.Row, Digits.Prediction>(model);
        var rows = ml.Data.CreateEnumerable<Digits.Row>(data, reuseRowObject: false).ToArray();
        var predictions = ml.Data.CreateEnumerable<Digits.Prediction>(model.Transform(data), reuseRowObject: false).ToArray();
        Assert.AreEqual(700, predictions.Length);
        for (var i = 0; i < rows.Length; i += 13)
        {
            var single = engine.Predict(rows[i]);
            Assert.AreEqual(predictions[i].PredictedLabel, single.PredictedLabel);
            Close.AreEqual(predictions[i].Score, single.Score, 1e-5, $"row {i}");
        }
    }

    [TestMethod]
    public void Score_columns_have_the_types_and_annotations_of_MLNets_own_trainers()
    {
        var ml = new MLContext(4);
        var data = Digits.Load(ml);
        var prepare = ml.Transforms.Conversion.ConvertType("Label", outputKind: DataKind.String).Append(Digits.Prepare(ml));
        var own = prepare.Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(1))).Append(ml.Transforms.Prune(0.5)).Fit(data)
            .Transform(data).Schema;
        var linear = prepare.Append(ml.MulticlassClassification.Trainers
            .LbfgsMaximumEntropy(new Microsoft.ML.Trainers.LbfgsMaximumEntropyMulticlassTrainer.Options
        {
            MaximumNumberOfIterations = 1,
        })).Fit(data).Transform(data).Schema;
        SameColumns.Assert(linear, own);
        VBuffer<ReadOnlyMemory<char>> slots = default, keys = default;
        own["Score"].GetSlotNames(ref slots);
        own["PredictedLabel"].GetKeyValues(ref keys);
        CollectionAssert.AreEqual(slots.DenseValues().Select(value => value.ToString()).ToArray(),
            keys.DenseValues().Select(value => value.ToString()).ToArray());
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 10).Select(digit => digit.ToString()).ToArray(),
            keys.DenseValues().Select(value => value.ToString()).ToArray());
    }

    [TestMethod]
    public void CrossValidate_fits_the_whole_chain_in_every_fold()
    {
        var ml = new MLContext(5);
        var chain = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(10)))
            .Append(ml.Transforms.Prune(0.5, fineTuneEpochs: 2));
        var folds = ml.MulticlassClassification.CrossValidate(Digits.Load(ml), chain, numberOfFolds: 3);
        Assert.AreEqual(3, folds.Count);
        foreach (var fold in folds)
        {
            Assert.IsGreaterThan(0.85, fold.Metrics.MicroAccuracy);
            Assert.AreEqual(0.5, ml.Compression().Measure(fold.Model).Total.Sparsity, 1e-3);
        }
    }

    [TestMethod]
    public void Caching_shuffling_and_filtering_keep_rows_and_scores_together()
    {
        var ml = new MLContext(6);
        var data = ml.Data.Cache(Digits.Load(ml));
        var model = Digits.Prepare(ml).AppendCacheCheckpoint(ml)
            .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options())).AppendCacheCheckpoint(ml).Append(ml.Transforms.Prune(0.3)).Fit(data);
        var straight = ml.Data.CreateEnumerable<Scored>(model.Transform(data), false).ToArray();
        var expected = straight.ToDictionary(row => string.Join(',', row.Features), row => row.Score[3]);
        var shuffled = ml.Data.CreateEnumerable<Scored>(model.Transform(ml.Data.ShuffleRows(data, seed: 3)), false).ToArray();
        Assert.AreEqual(straight.Length, shuffled.Length);
        Assert.IsFalse(straight.Zip(shuffled).All(pair => pair.First.Features.SequenceEqual(pair.Second.Features)), "the order changed");
        foreach (var row in shuffled.Concat(ml.Data.CreateEnumerable<Scored>(ml.Data.Cache(model.Transform(data)), false))
            .Concat(ml.Data.CreateEnumerable<Scored>(ml.Data.SkipRows(model.Transform(data), 777), false)))
        {
            Assert.AreEqual(expected[string.Join(',', row.Features)], row.Score[3], 1e-6);
        }
    }

    [TestMethod]
    public void A_superseded_network_is_never_run()
    {
        var ml = new MLContext(7);
        var data = Digits.Load(ml);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(1))).Append(ml.Transforms.Prune(0.5)).Fit(data);
        var scored = model.Transform(data);
        var own = scored.Schema["Score"];
        Assert.AreEqual(2, scored.Schema.Count(column => column.Name == "Score"), "the older column is still there, hidden");
        using var cursor = scored.GetRowCursor([own]);
        var older = scored.Schema.First(column => column.Name == "Score" && column.IsHidden);
        Assert.IsFalse(cursor.IsColumnActive(older));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => cursor.GetGetter<VBuffer<float>>(older));
    }

    [TestMethod]
    public void Same_seed_gives_the_same_bits_and_another_seed_others()
    {
        Assert.AreEqual(Fingerprint(11), Fingerprint(11));
        Assert.AreNotEqual(Fingerprint(11), Fingerprint(12));

        static string Fingerprint(int seed)
        {
            var ml = new MLContext(seed);
            NeuralNetworkTransformer? last = null;
            var network = Network.Sequential([64], Layer.Dense(24), Layer.BatchNorm(), Layer.Relu(), Layer.Dropout(0.3), Layer.Dense(10));
            Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(network, epochs: 3))
                .Append(ml.Transforms.Prune(0.7, Importance.Random(seed), schedule: Schedule.Linear(2)))
                .Append(ml.Transforms.FineTune(2).WithOnFitDelegate(network => last = network))
                .Fit(Digits.Load(ml));
            return string.Join(';', last!.Network.Parameters.SelectMany(parameter => parameter.Values.ToArray())
                .Select(value => BitConverter.SingleToInt32Bits(value)));
        }
    }

    [TestMethod]
    public void Fits_in_parallel_give_the_bits_of_fits_in_turn()
    {
        var alone = Enumerable.Range(0, 3).Select(Fit).ToArray();
        var together = new float[3][];
        Parallel.For(0, 3, seed => together[seed] = Fit(seed));
        for (var seed = 0; seed < 3; seed++)
        {
            CollectionAssert.AreEqual(alone[seed], together[seed]);
        }

        static float[] Fit(int seed)
        {
            var ml = new MLContext(seed);
            var network = Network.Sequential([64], Layer.Dense(24), Layer.Relu(), Layer.Dropout(0.3), Layer.Dense(10));
            return Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(network, epochs: 2))
                .Fit(Digits.Load(ml)).LastTransformer.Network["fc1.weight"].Values.ToArray();
        }
    }

    private sealed class Scored
    {
        public float[] Features { get; set; } = [];

        public float[] Score { get; set; } = [];
    }
}
