using MLNet.Pruning.Compression.Trees.Ensembles;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.LightGbm;

namespace MLNet.Pruning.Tests.Compression.Trees;

/// <summary>Rows for trees, and models of ML.NET's own fitted to them.</summary>
internal static class TreeTables
{
    public const int FeatureCount = 6;

    /// <summary>The label is a bumpy function of four of six features with noise; the side is whether it is high.</summary>
    public static Row[] Make(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            float[] x = [.. Enumerable.Range(0, FeatureCount).Select(_ => MathF.Round(random.NextSingle() * 100) / 10)];
            var label = MathF.Sin(x[0]) * 2 + (x[1] > 4 ? x[2] : -x[2]) / 4 + x[3] / 5 + random.NextSingle();
            return new Row { Features = x, Label = label, Side = label > 1.5f };
        })];
    }

    public static IDataView View(this MLContext ml, IEnumerable<Row> rows) => ml.Data.LoadFromEnumerable(rows);

    /// <summary>One fitted model of each kind that can be pruned.</summary>
    public static ITransformer Fit(this MLContext ml, string kind, IDataView rows, int trees = 30)
        => ((IEstimator<ITransformer>)ml.Trainer(kind, trees)).Fit(rows);

    public static IEstimator<ISingleFeaturePredictionTransformer<object>> Trainer(this MLContext ml, string kind, int trees = 30) => kind switch
    {
        "boosted sides" => ml.BinaryClassification.Trainers.FastTree("Side", numberOfTrees: trees),
        "boosted numbers" => ml.Regression.Trainers.FastTree(numberOfTrees: trees),
        "light sides" => ml.BinaryClassification.Trainers.LightGbm(new LightGbmBinaryTrainer.Options
        {
            LabelColumnName = "Side", NumberOfIterations = trees, NumberOfThreads = 1,
        }),
        "light numbers" => ml.Regression.Trainers.LightGbm(new LightGbmRegressionTrainer.Options { NumberOfIterations = trees, NumberOfThreads = 1 }),
        "forest of sides" => ml.BinaryClassification.Trainers.FastForest("Side", numberOfTrees: trees),
        _ => ml.Regression.Trainers.FastForest(numberOfTrees: trees),
    };

    public static string Label(string kind) => kind.EndsWith("sides") ? "Side" : "Label";

    public static float[] Scores(this ITransformer model, IDataView rows) => [.. model.Transform(rows).GetColumn<float>("Score")];

    public static TreeRows ToTreeRows(DecisionTreeEnsemble ensemble, IEnumerable<Row> rows)
    {
        var all = rows.ToArray();
        var values = new float[all.Length * ensemble.Width];
        for (var i = 0; i < all.Length; i++)
        {
            all[i].Features.CopyTo(values, i * ensemble.Width);
            ensemble.CompleteRow(values.AsSpan(i * ensemble.Width, ensemble.Width));
        }

        return new(values, ensemble.Width, [.. all.Select(row => ensemble.Task == LearningTask.Binary ? row.Side ? 1 : 0 : row.Label)]);
    }

    public sealed class Row
    {
        [VectorType(FeatureCount)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }

        public bool Side { get; set; }

        public float Weight { get; set; } = 1;
    }

    public sealed class Prediction
    {
        public float Score { get; set; }
    }
}
