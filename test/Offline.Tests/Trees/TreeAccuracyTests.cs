using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Trees;

/// <summary>Metrics beside those of scikit-learn's HistGradientBoosting and RandomForest, on the same five splits (test/peers/boosting.py).</summary>
[TestClass]
public class TreeAccuracyTests
{
    private static readonly MLContext _ml = new(seed: 1);

    private static readonly Dictionary<string, double[]> _peer = JsonSerializer.Deserialize<Dictionary<string, double[]>>(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "boosting.json")))!;

    [TestMethod]
    [DataRow("FastTree cancer", "breast_cancer.csv", 1)]
    [DataRow("FastTree odd", "optdigits.csv", 0)]
    [DataRow("FastTree digit", "optdigits.csv", 0)]
    [DataRow("FastForest cancer", "breast_cancer.csv", 1)]
    [DataRow("FastForest odd", "optdigits.csv", 0)]
    [DataRow("FastForest digit", "optdigits.csv", 0)]
    public void Metrics_are_those_of_another_implementation_within_the_noise_of_the_splits(string name, string table, int skippedLines)
    {
        Example[] rows = Read(table, skippedLines);
        bool forest = name.StartsWith("FastForest", StringComparison.Ordinal);
        double[] ours = [.. Enumerable.Range(0, 5).Select(fold =>
        {
            var train = View(rows.Where((_, i) => i % 5 != fold));
            var test = View(rows.Where((_, i) => i % 5 == fold));
            return name.EndsWith("digit", StringComparison.Ordinal)
                ? _ml.Regression.Evaluate((forest ? _ml.Regression.Trainers.FastForest().Fit(train) : (ITransformer)_ml.Regression.Trainers.FastTree().Fit(train)).Transform(test)).RSquared
                : _ml.BinaryClassification.EvaluateNonCalibrated(
                    (forest ? _ml.BinaryClassification.Trainers.FastForest("Side").Fit(train) : (ITransformer)_ml.BinaryClassification.Trainers.FastTree("Side").Fit(train)).Transform(test), "Side").AreaUnderRocCurve;
        })];

        // Two standard errors of the difference of the means over the splits.
        double noise = 2 * Math.Sqrt((Variance(ours) + Variance(_peer[name])) / 5);
        Assert.AreEqual(_peer[name].Average(), ours.Average(), noise, $"{name}: {string.Join(' ', ours)} against {string.Join(' ', _peer[name])}");
    }

    private static double Variance(double[] values) => values.Sum(value => Math.Pow(value - values.Average(), 2)) / (values.Length - 1);

    private static IDataView View(IEnumerable<Example> rows)
    {
        Example[] all = [.. rows];
        var definition = SchemaDefinition.Create(typeof(Example));
        definition[nameof(Example.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, all[0].Features.Length);
        return _ml.Data.LoadFromEnumerable(all, definition);
    }

    private static Example[] Read(string table, int skippedLines)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "samples", "data", table)))
        {
            folder = folder.Parent!;
        }

        return [.. File.ReadLines(Path.Combine(folder.FullName, "samples", "data", table)).Skip(skippedLines).Select(line =>
        {
            float[] fields = Array.ConvertAll(line.Split(','), field => float.Parse(field, CultureInfo.InvariantCulture));
            return new Example { Features = fields[..^1], Label = fields[^1], Side = fields[^1] % 2 == 1 };
        })];
    }

    private sealed class Example
    {
        public float[] Features { get; set; } = [];

        public float Label { get; set; }

        public bool Side { get; set; }
    }
}
