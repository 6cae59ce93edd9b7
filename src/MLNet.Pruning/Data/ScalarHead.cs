using Microsoft.ML.Trainers;

namespace MLNet.Pruning.Data;

/// <summary>
/// A linear model of ML.NET's over one number. What ML.NET's ONNX transformer gives are vectors; of the transformers that load without
/// an assembly of ours a linear model is the one that makes a scalar of a vector of one. It is given (score - bias) / weight, and so
/// gives back the score, to one or two units in its last place.
/// </summary>
/// <param name="Transformer">The model, which reads the column <see cref="Column"/>.</param>
/// <param name="Weight">What it multiplies by.</param>
/// <param name="Bias">What it adds.</param>
internal sealed record ScalarHead(ITransformer Transformer, float Weight, float Bias)
{
    /// <summary>The column that the head reads.</summary>
    public const string Column = "MLNet.Pruning.Value";

    /// <summary>One that appends Score, PredictedLabel and Probability, the logistic function of the score.</summary>
    public static ScalarHead Binary(MLContext ml)
    {
        var head = ml.BinaryClassification.Trainers.LbfgsLogisticRegression(new LbfgsLogisticRegressionBinaryTrainer.Options
        {
            FeatureColumnName = Column,
            LabelColumnName = nameof(Point.Side),
            L1Regularization = 0,
            L2Regularization = 0.1f,
            NumberOfThreads = 1,
        }).Fit(Points(ml, 1, -1));
        return new(head, head.Model.SubModel.Weights[0], head.Model.SubModel.Bias);
    }

    /// <summary>One that appends Score.</summary>
    public static ScalarHead Regression(MLContext ml)
    {
        var head = ml.Regression.Trainers.Sdca(new SdcaRegressionTrainer.Options
        {
            FeatureColumnName = Column,
            LabelColumnName = nameof(Point.Label),
            L1Regularization = 0,
            L2Regularization = 0.01f,
            MaximumNumberOfIterations = 10,
            NumberOfThreads = 1,
            Shuffle = false,
        }).Fit(Points(ml, 1, -1));
        return new(head, head.Model.Weights[0], head.Model.Bias);
    }

    /// <summary>What the head makes of numbers, in its own arithmetic.</summary>
    public float[] Apply(MLContext ml, float[] values) => [.. Transformer.Transform(Points(ml, values)).GetColumn<float>(ScoreColumns.Score)];

    private static IDataView Points(MLContext ml, params float[] values)
        => ml.Data.LoadFromEnumerable(values.Select(value => new Point { Values = [value], Label = value, Side = value > 0 }));

    internal sealed class Point
    {
        [ColumnName(Column), VectorType(1)]
        public float[] Values { get; set; } = [];

        public float Label { get; set; }

        public bool Side { get; set; }
    }
}
