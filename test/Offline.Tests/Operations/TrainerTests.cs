using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace MLNet.Pruning.Offline.Tests.Operations;

[TestClass]
public class TrainerTests
{
    private const int FeatureCount = 5;

    private static readonly MLContext _ml = new(seed: 1);
    private static readonly Row[] _rows = MakeRows(300, seed: 3);

    private static IDataView Data => _ml.Data.LoadFromEnumerable(_rows);

    [TestMethod]
    public void Logistic_regression_ends_where_the_gradient_vanishes()
    {
        var model = _ml.BinaryClassification.Trainers.LbfgsLogisticRegression(new LbfgsLogisticRegressionBinaryTrainer.Options
        {
            LabelColumnName = "Flag", L1Regularization = 0, L2Regularization = 0.5f, OptimizationTolerance = 1e-12f, ExampleWeightColumnName = "Weight",
        }).Fit(Data).Model;

        var (gradient, biasGradient) = LogisticGradient([.. model.SubModel.Weights], model.SubModel.Bias, l2: 0.5);
        foreach (double slope in gradient)
        {
            Assert.AreEqual(0, slope, 1e-5);
        }

        Assert.AreEqual(0, biasGradient, 1e-5);
        Assert.AreEqual(-1, model.Calibrator.Slope);
        Assert.AreEqual(0, model.Calibrator.Offset);
    }

    [TestMethod]
    public void The_l1_term_meets_the_optimality_conditions_and_makes_zeros()
    {
        const float l1 = 20;
        var model = _ml.BinaryClassification.Trainers.LbfgsLogisticRegression(new LbfgsLogisticRegressionBinaryTrainer.Options
        {
            LabelColumnName = "Flag", L1Regularization = l1, L2Regularization = 0, OptimizationTolerance = 1e-12f, ExampleWeightColumnName = "Weight",
        }).Fit(Data).Model;

        var (gradient, biasGradient) = LogisticGradient([.. model.SubModel.Weights], model.SubModel.Bias, l2: 0);
        double penalty = l1 / (double)_rows.Length;
        Assert.AreEqual(0, biasGradient, 1e-5);
        for (int i = 0; i < FeatureCount; i++)
        {
            float weight = model.SubModel.Weights[i];
            if (weight == 0)
            {
                Assert.IsLessThanOrEqualTo(penalty + 1e-6, Math.Abs(gradient[i]));
            }
            else
            {
                Assert.AreEqual(-penalty * Math.Sign(weight), gradient[i], 1e-5);
            }
        }

        Assert.IsTrue(model.SubModel.Weights.Contains(0));
        Assert.IsTrue(model.SubModel.Weights.Any(w => w != 0));
    }

    [TestMethod]
    public void Weights_can_be_kept_non_negative()
    {
        var model = _ml.BinaryClassification.Trainers.LbfgsLogisticRegression("Flag", enforceNonNegativity: true).Fit(Data).Model;
        Assert.IsTrue(model.SubModel.Weights.All(w => w >= 0));
        Assert.IsTrue(model.SubModel.Weights.Any(w => w > 0));
    }

    [TestMethod]
    public void Maximum_entropy_ends_where_the_gradient_vanishes()
    {
        const double l2 = 0.3;
        var model = _ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(new LbfgsMaximumEntropyMulticlassTrainer.Options
        {
            LabelColumnName = "Class", L1Regularization = 0, L2Regularization = (float)l2, OptimizationTolerance = 1e-12f,
        }).Fit(Data).Model;
        VBuffer<float>[] buffers = [];
        model.GetWeights(ref buffers, out int classCount);
        var weights = Array.ConvertAll(buffers, b => b.DenseValues().ToArray());
        float[] biases = [.. model.GetBiases()];

        Assert.AreEqual(3, classCount);
        var gradient = new double[classCount, FeatureCount + 1];
        foreach (var row in _rows)
        {
            double[] scores = [.. Enumerable.Range(0, classCount).Select(c => biases[c] + row.Features.Zip(weights[c], (x, w) => (double)x * w).Sum())];
            double sum = scores.Sum(Math.Exp);
            for (int c = 0; c < classCount; c++)
            {
                double error = Math.Exp(scores[c]) / sum - (row.Class == c ? 1 : 0);
                gradient[c, FeatureCount] += error / _rows.Length;
                for (int i = 0; i < FeatureCount; i++)
                {
                    gradient[c, i] += error * row.Features[i] / _rows.Length;
                }
            }
        }

        for (int c = 0; c < classCount; c++)
        {
            Assert.AreEqual(0, gradient[c, FeatureCount], 1e-5);
            for (int i = 0; i < FeatureCount; i++)
            {
                Assert.AreEqual(0, gradient[c, i] + l2 * weights[c][i] / _rows.Length, 1e-5);
            }
        }
    }

    [TestMethod]
    public void Sdca_finds_the_ridge_regression()
    {
        const double l2 = 0.05;
        var model = _ml.Regression.Trainers.Sdca(new SdcaRegressionTrainer.Options
        {
            LabelColumnName = "Target", L2Regularization = (float)l2, L1Regularization = 0, ConvergenceTolerance = 1e-9f, MaximumNumberOfIterations = 3000,
        }).Fit(Data).Model;

        double[] expected = Ridge(l2);
        for (int i = 0; i < FeatureCount; i++)
        {
            Assert.AreEqual(expected[i], model.Weights[i], 1e-3);
        }

        Assert.AreEqual(expected[FeatureCount], model.Bias, 1e-3);
    }

    [TestMethod]
    public void Sdca_with_an_l1_term_makes_zeros()
    {
        var model = _ml.Regression.Trainers.Sdca("Target", l2Regularization: 0.01f, l1Regularization: 50, maximumNumberOfIterations: 200).Fit(Data).Model;
        Assert.IsTrue(model.Weights.Contains(0));
        Assert.IsTrue(model.Weights.Any(w => w != 0));
    }

    [TestMethod]
    public void Training_is_the_same_bits_again()
    {
        static float[] Weights() => [.. new MLContext(seed: 9).Regression.Trainers.Sdca("Target").Fit(Data).Model.Weights];
        CollectionAssert.AreEqual(Weights(), Weights());
    }

    [TestMethod]
    public void Training_goes_on_from_a_model()
    {
        var trainer = _ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(
            new LbfgsMaximumEntropyMulticlassTrainer.Options { LabelColumnName = "Class", MaximumNumberOfIterations = 1 });
        var once = trainer.Fit(Data);
        var twice = trainer.Fit(Data, once.Model);
        double Loss(ITransformer model) => _ml.MulticlassClassification.Evaluate(model.Transform(Data), "Class").LogLoss;
        Assert.IsLessThan(Loss(once), Loss(twice));
    }

    [TestMethod]
    public void Multiclass_columns_carry_types_and_annotations()
    {
        var chain = _ml.Transforms.Conversion.MapValueToKey("Label", "Name").Append(_ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy());
        var model = chain.Fit(Data);

        foreach (var view in new[] { model.Transform(Data), ModelFile.RoundTrip(_ml, model, Data.Schema).Transform(Data) })
        {
            var score = view.Schema["Score"];
            var predicted = view.Schema["PredictedLabel"];
            Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 3), score.Type);
            Assert.AreEqual(new KeyDataViewType(typeof(uint), 3), predicted.Type);
            Assert.AreEqual("MulticlassClassification", Text(score, "ScoreColumnKind"));
            Assert.AreEqual("Score", Text(score, "ScoreValueKind"));
            Assert.AreEqual("PredictedLabel", Text(predicted, "ScoreValueKind"));
            Assert.AreEqual(1u, SetId(score));
            Assert.AreEqual(1u, SetId(predicted));
            string[] names = [.. _rows.Select(r => r.Name).Distinct()];
            CollectionAssert.AreEqual(names, Texts(score, "SlotNames"));
            CollectionAssert.AreEqual(names, Texts(score, "TrainingLabelValues"));
            CollectionAssert.AreEqual(names, Texts(predicted, "KeyValues"));
            Assert.AreEqual(1, view.GetColumn<float[]>("Score").First().Sum(), 1e-5);
        }

        CollectionAssert.AreEqual(
            model.Transform(Data).GetColumn<uint>("PredictedLabel").ToArray(),
            ModelFile.RoundTrip(_ml, model, Data.Schema).Transform(Data).GetColumn<uint>("PredictedLabel").ToArray());
    }

    [TestMethod]
    public void Binary_columns_carry_types_and_annotations()
    {
        var model = _ml.BinaryClassification.Trainers.LbfgsLogisticRegression("Flag").Fit(Data);
        var loaded = ModelFile.RoundTrip(_ml, model, Data.Schema);

        Assert.IsInstanceOfType(loaded, model.GetType());
        foreach (var view in new[] { model.Transform(Data), loaded.Transform(Data) })
        {
            string[] names = [.. view.Schema.Skip(Data.Schema.Count).Select(c => c.Name)];
            CollectionAssert.AreEqual(new[] { "PredictedLabel", "Score", "Probability" }, names);
            Assert.AreEqual("BinaryClassification", Text(view.Schema["Probability"], "ScoreColumnKind"));
            Assert.IsTrue(view.Schema["Probability"].IsNormalized());
            float score = view.GetColumn<float>("Score").First();
            Assert.AreEqual(1 / (1 + Math.Exp(-score)), view.GetColumn<float>("Probability").First(), 1e-6);
            Assert.AreEqual(score > 0, view.GetColumn<bool>("PredictedLabel").First());
        }
    }

    [TestMethod]
    public void Regression_predicts_by_its_weights_also_from_a_file()
    {
        var model = _ml.Regression.Trainers.Sdca("Target").Fit(Data);
        float expected = model.Model.Bias + _rows[0].Features.Zip(model.Model.Weights, (x, w) => x * w).Sum();
        foreach (var view in new[] { model.Transform(Data), ModelFile.RoundTrip(_ml, model, Data.Schema).Transform(Data) })
        {
            Assert.AreEqual(expected, view.GetColumn<float>("Score").First(), 1e-5);
        }

        Assert.AreEqual("Features", model.FeatureColumnName);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, FeatureCount), model.FeatureColumnType);
    }

    [TestMethod]
    public void Wrong_columns_are_named()
    {
        var missing = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Regression.Trainers.Sdca("Nothing").Fit(Data));
        StringAssert.Contains(missing.Message, "'Nothing'");
        var wrong = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => _ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Flag").Fit(Data));
        StringAssert.Contains(wrong.Message, "Key");
        var model = _ml.Regression.Trainers.Sdca("Target").Fit(Data);
        var other = _ml.Transforms.Concatenate("Features", "Features", "Target").Fit(Data).Transform(Data);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => model.Transform(other)).Message, "Vector<Single, 5>");
    }

    [TestMethod]
    public void Rows_with_missing_values_are_left_out()
    {
        var bad = MakeRows(2, seed: 4);
        bad[0].Features[1] = float.NaN;
        bad[1].Target = float.PositiveInfinity;
        var with = _ml.Data.LoadFromEnumerable(_rows.Concat(bad));
        static IReadOnlyList<float> Weights(IDataView data) => new MLContext(seed: 2).Regression.Trainers.Sdca("Target").Fit(data).Model.Weights;
        CollectionAssert.AreEqual(Weights(Data).ToArray(), Weights(with).ToArray());
        Assert.ThrowsExactly<InvalidOperationException>(() => Weights(_ml.Data.LoadFromEnumerable(bad)));
    }

    private static (double[] Weights, double Bias) LogisticGradient(float[] weights, float bias, double l2)
    {
        var gradient = new double[FeatureCount];
        double biasGradient = 0, total = _rows.Sum(r => (double)r.Weight);
        foreach (var row in _rows)
        {
            double score = bias + row.Features.Zip(weights, (x, w) => (double)x * w).Sum();
            double error = row.Weight * (1 / (1 + Math.Exp(-score)) - (row.Flag ? 1 : 0));
            biasGradient += error / total;
            for (int i = 0; i < FeatureCount; i++)
            {
                gradient[i] += error * row.Features[i] / total;
            }
        }

        for (int i = 0; i < FeatureCount; i++)
        {
            gradient[i] += l2 * weights[i] / total;
        }

        return (gradient, biasGradient);
    }

    /// <summary>Solves the normal equations of mean squared error + l2/2 |w|², the bias last and unregularized.</summary>
    private static double[] Ridge(double l2)
    {
        int size = FeatureCount + 1;
        var a = new double[size, size + 1];
        foreach (var row in _rows)
        {
            double[] x = [.. row.Features.Select(f => (double)f), 1];
            for (int i = 0; i < size; i++)
            {
                for (int j = 0; j < size; j++)
                {
                    a[i, j] += 2 * x[i] * x[j] / _rows.Length;
                }

                a[i, size] += 2 * x[i] * row.Target / _rows.Length;
            }
        }

        for (int i = 0; i < FeatureCount; i++)
        {
            a[i, i] += l2;
        }

        for (int pivot = 0; pivot < size; pivot++)
        {
            for (int i = 0; i < size; i++)
            {
                double factor = i == pivot ? 0 : a[i, pivot] / a[pivot, pivot];
                for (int j = pivot; j <= size; j++)
                {
                    a[i, j] -= factor * a[pivot, j];
                }
            }
        }

        return [.. Enumerable.Range(0, size).Select(i => a[i, size] / a[i, i])];
    }

    private static string Text(DataViewSchema.Column column, string name)
    {
        ReadOnlyMemory<char> value = default;
        column.Annotations.GetValue(name, ref value);
        return value.ToString();
    }

    private static uint SetId(DataViewSchema.Column column)
    {
        uint value = 0;
        column.Annotations.GetValue("ScoreColumnSetId", ref value);
        return value;
    }

    private static string[] Texts(DataViewSchema.Column column, string name)
    {
        VBuffer<ReadOnlyMemory<char>> value = default;
        column.Annotations.GetValue(name, ref value);
        return [.. value.DenseValues().Select(text => text.ToString())];
    }

    private static Row[] MakeRows(int count, int seed)
    {
        var random = new Random(seed);
        var rows = new Row[count];
        for (int i = 0; i < count; i++)
        {
            var features = new float[FeatureCount];
            for (int j = 0; j < FeatureCount; j++)
            {
                features[j] = random.NextSingle() * 2 - 1;
            }

            double target = 2 * features[0] - features[1] + 0.5 + 0.3 * (random.NextDouble() - 0.5);
            rows[i] = new Row
            {
                Features = features,
                Target = (float)target,
                Flag = target + random.NextDouble() - 0.5 > 0.5,
                Class = target + random.NextDouble() < 0.3 ? 0u : features[2] > 0 ? 1u : 2u,
                Name = features[3] > 0.3 ? "left" : features[4] > 0 ? "middle" : "right",
                Weight = random.Next(1, 4),
            };
        }

        return rows;
    }

    private sealed class Row
    {
        [VectorType(FeatureCount)]
        public float[] Features { get; set; } = [];

        public float Target { get; set; }

        public bool Flag { get; set; }

        [KeyType(3)]
        public uint Class { get; set; }

        public string Name { get; set; } = "";

        public float Weight { get; set; }
    }
}
