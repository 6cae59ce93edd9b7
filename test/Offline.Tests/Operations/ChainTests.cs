using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Operations;

/// <summary>Operations together in chains: prediction engines, scopes, caches, several cursors.</summary>
[TestClass]
public class ChainTests
{
    private static readonly MLContext _ml = new(seed: 1);

    private static readonly Flower[] _flowers = MakeFlowers();

    private static IEstimator<ITransformer> Pipeline => _ml.Transforms.Conversion.MapValueToKey("Label", "Name")
        .Append(_ml.Transforms.Concatenate("Features", "Length", "Sizes"))
        .Append(_ml.Transforms.NormalizeMeanVariance("Features"))
        .Append(_ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy())
        .Append(_ml.Transforms.Conversion.MapKeyToValue("Answer", "PredictedLabel"));

    [TestMethod]
    public void Prediction_engines_agree_with_views()
    {
        var data = _ml.Data.LoadFromEnumerable(_flowers);
        var model = Pipeline.Fit(data);
        var loaded = ModelFile.RoundTrip(_ml, model, data.Schema);
        var expected = _ml.Data.CreateEnumerable<Prediction>(model.Transform(data), reuseRowObject: false).ToArray();

        using var engine = _ml.Model.CreatePredictionEngine<Flower, Prediction>(loaded);
        for (int i = 0; i < _flowers.Length; i++)
        {
            var prediction = engine.Predict(_flowers[i]);
            Assert.AreEqual(expected[i].Answer, prediction.Answer);
            CollectionAssert.AreEqual(expected[i].Score, prediction.Score);
        }

        Assert.IsGreaterThan(0.9, expected.Zip(_flowers, (p, f) => p.Answer == f.Name ? 1.0 : 0).Average());
    }

    [TestMethod]
    public void Several_cursors_and_caches_give_the_same_rows()
    {
        var data = _ml.Data.LoadFromEnumerable(_flowers);
        var scored = Pipeline.Fit(data).Transform(data);
        string[] expected = [.. scored.GetColumn<string>("Answer")];

        CollectionAssert.AreEqual(expected, _ml.Data.Cache(scored).GetColumn<string>("Answer").ToArray());
        var rows = new string[expected.Length];
        var answer = scored.Schema["Answer"];
        foreach (var cursor in scored.GetRowCursorSet([answer], n: 3))
        {
            using (cursor)
            {
                var getter = cursor.GetGetter<ReadOnlyMemory<char>>(answer);
                ReadOnlyMemory<char> value = default;
                while (cursor.MoveNext())
                {
                    getter(ref value);
                    rows[cursor.Position] = value.ToString();
                }
            }
        }

        CollectionAssert.AreEqual(expected.Order().ToArray(), rows.Order().ToArray());
    }

    [TestMethod]
    public void Cross_validation_evaluates_with_the_steps_for_testing()
    {
        var label = new EstimatorChain<ITransformer>().Append(_ml.Transforms.Conversion.MapValueToKey("Label", "Name"), TransformerScope.TrainTest);
        var pipeline = label.Append(_ml.Transforms.Concatenate("Features", "Length", "Sizes"))
            .Append(_ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0));

        var folds = _ml.MulticlassClassification.CrossValidate(_ml.Data.LoadFromEnumerable(_flowers), pipeline, numberOfFolds: 3);

        Assert.IsTrue(folds.All(fold => fold.Metrics.MicroAccuracy > 0.8));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => _ml.MulticlassClassification.CrossValidate(_ml.Data.LoadFromEnumerable(_flowers), pipeline, numberOfFolds: 1));
    }

    [TestMethod]
    public void A_second_prediction_has_a_set_of_its_own()
    {
        var data = _ml.Transforms.Concatenate("Features", "Length", "Sizes").Fit(_ml.Data.LoadFromEnumerable(_flowers))
            .Transform(_ml.Data.LoadFromEnumerable(_flowers));
        var view = _ml.Regression.Trainers.Sdca("Length").Append(_ml.Regression.Trainers.Sdca("Length")).Fit(data).Transform(data);

        var scores = view.Schema.Where(column => column.Name == "Score").ToArray();
        Assert.HasCount(2, scores);
        Assert.IsTrue(scores[0].IsHidden);
        uint id = 0;
        scores[1].Annotations.GetValue("ScoreColumnSetId", ref id);
        Assert.AreEqual(2u, id);
    }

    private static Flower[] MakeFlowers()
    {
        var random = new Random(11);
        return [.. Enumerable.Range(0, 240).Select(i =>
        {
            string name = (i % 3) switch { 0 => "lily", 1 => "rose", _ => "tulip" };
            float center = i % 3;
            return new Flower
            {
                Name = name,
                Length = center + 0.3f * random.NextSingle(),
                Sizes = [2 - center + 0.3f * random.NextSingle(), random.NextSingle(), center == 1 ? 1 : 0],
            };
        })];
    }

    private sealed class Flower
    {
        public string Name { get; set; } = "";

        public float Length { get; set; }

        [VectorType(3)]
        public float[] Sizes { get; set; } = [];
    }

    private sealed class Prediction
    {
        public string Answer { get; set; } = "";

        public float[] Score { get; set; } = [];
    }
}
