using Microsoft.ML;

namespace MLNet.Pruning.Offline.Tests.Operations;

[TestClass]
public class RegressionMetricsTests
{
    private static readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void Metrics_follow_their_definitions()
    {
        Row[] rows =
        [
            new() { Label = 1, Score = 1.5f },
            new() { Label = 2, Score = 1 },
            new() { Label = 4, Score = 4.25f },
            new() { Label = float.NaN, Score = 100 },
            new() { Label = 3, Score = float.NaN },
        ];

        var metrics = _ml.Regression.Evaluate(_ml.Data.LoadFromEnumerable(rows));

        double squares = (0.25 + 1 + 0.0625) / 3;
        double mean = 7 / 3.0;
        double variance = ((1 - mean) * (1 - mean) + (2 - mean) * (2 - mean) + (4 - mean) * (4 - mean)) / 3;
        Assert.AreEqual((0.5 + 1 + 0.25) / 3, metrics.MeanAbsoluteError, 1e-12);
        Assert.AreEqual(squares, metrics.MeanSquaredError, 1e-12);
        Assert.AreEqual(Math.Sqrt(squares), metrics.RootMeanSquaredError, 1e-12);
        Assert.AreEqual(squares, metrics.LossFunction, 1e-12);
        Assert.AreEqual(1 - squares / variance, metrics.RSquared, 1e-12);
    }

    [TestMethod]
    public void Constant_labels_have_no_r_squared()
    {
        Row[] rows = [new() { Label = 2, Score = 1 }, new() { Label = 2, Score = 3 }];
        Assert.AreEqual(double.NaN, _ml.Regression.Evaluate(_ml.Data.LoadFromEnumerable(rows)).RSquared);
    }

    private sealed class Row
    {
        public float Label { get; set; }

        public float Score { get; set; }
    }
}
