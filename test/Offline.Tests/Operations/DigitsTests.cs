using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Operations;

/// <summary>A linear model on real data: 8 x 8 images of handwritten digits.</summary>
[TestClass]
public class DigitsTests
{
    private const int PixelCount = 64;

    private static readonly Digit[] _digits = Read();

    [TestMethod]
    public void Cross_validation_of_a_linear_model_on_digits()
    {
        var ml = new MLContext(seed: 1);
        var data = ml.Data.LoadFromEnumerable(_digits);
        var pipeline = ml.Transforms.Conversion.MapValueToKey("Label", "Name")
            .Append(ml.Transforms.NormalizeMinMax("Features"))
            .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, optimizationTolerance: 1e-5f))
            .Append(ml.Transforms.Conversion.MapKeyToValue("Answer", "PredictedLabel"));

        var folds = ml.MulticlassClassification.CrossValidate(data, pipeline, numberOfFolds: 4);

        Assert.HasCount(4, folds);
        CollectionAssert.AreEqual(new[] { 0, 1, 2, 3 }, folds.Select(f => f.Fold).ToArray());
        int heldOut = 0;
        foreach (var fold in folds)
        {
            string[] answers = [.. fold.ScoredHoldOutSet.GetColumn<string>("Answer")];
            string[] truth = [.. fold.ScoredHoldOutSet.GetColumn<string>("Name")];
            heldOut += answers.Length;
            // The accuracy is the share of right answers, and a linear model gets well over nine in ten.
            Assert.AreEqual(answers.Zip(truth, (a, t) => a == t ? 1.0 : 0).Average(), fold.Metrics.MicroAccuracy, 1e-12);
            Assert.IsGreaterThan(0.93, fold.Metrics.MicroAccuracy);
            Assert.IsLessThan(0.4, fold.Metrics.LogLoss);
        }

        Assert.AreEqual(_digits.Length, heldOut);
    }

    [TestMethod]
    public void Binary_and_regression_cross_validate()
    {
        var ml = new MLContext(seed: 1);
        var data = ml.Data.LoadFromEnumerable(_digits);
        var normalize = ml.Transforms.NormalizeMinMax("Features");

        var binary = ml.BinaryClassification.CrossValidate(
            data, normalize.Append(ml.BinaryClassification.Trainers.LbfgsLogisticRegression("IsZero")), 3, "IsZero");
        Assert.HasCount(3, binary);
        Assert.IsTrue(binary.All(f => f.Metrics.AreaUnderRocCurve > 0.99 && f.Metrics.LogLossReduction > 0.8));

        var plain = ml.BinaryClassification.CrossValidateNonCalibrated(
            data, normalize.Append(ml.BinaryClassification.Trainers.LbfgsLogisticRegression("IsZero")), 3, "IsZero");
        Assert.AreEqual(binary[0].Metrics.AreaUnderRocCurve, plain[0].Metrics.AreaUnderRocCurve);

        var regression = ml.Regression.CrossValidate(data, normalize.Append(ml.Regression.Trainers.Sdca("Ink")), 3, "Ink");
        Assert.IsTrue(regression.All(f => f.Metrics.RSquared > 0.99));
    }

    private static Digit[] Read()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "samples", "data", "optdigits.csv")))
        {
            folder = folder.Parent;
        }

        Assert.IsNotNull(folder, "samples/data/optdigits.csv is not above the folder of the tests");
        return [.. File.ReadLines(Path.Combine(folder.FullName, "samples", "data", "optdigits.csv")).Select(line =>
        {
            float[] fields = Array.ConvertAll(line.Split(','), field => float.Parse(field, CultureInfo.InvariantCulture));
            return new Digit
            {
                Features = fields[..PixelCount],
                Name = fields[PixelCount].ToString(CultureInfo.InvariantCulture),
                IsZero = fields[PixelCount] == 0,
                Ink = fields[..PixelCount].Average(),
            };
        })];
    }

    private sealed class Digit
    {
        [VectorType(PixelCount)]
        public float[] Features { get; set; } = [];

        public string Name { get; set; } = "";

        public bool IsZero { get; set; }

        public float Ink { get; set; }
    }
}
