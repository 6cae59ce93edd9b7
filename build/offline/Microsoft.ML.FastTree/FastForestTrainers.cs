using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers.FastTree;

/// <summary>Trees that each predict the side as 1 or -1; the score is their sum, without a calibrator.</summary>
public sealed class FastForestBinaryTrainer : RandomForestTrainerBase<
    FastForestBinaryTrainer.Options, BinaryPredictionTransformer<FastForestBinaryModelParameters>, FastForestBinaryModelParameters>
{
    internal FastForestBinaryTrainer(IHostEnvironment env, Options options)
        : base(env, options, TrainerColumns.BooleanLabel(options.LabelColumnName))
    {
    }

    private protected override SchemaShape.Column[] GetOutputColumns(SchemaShape inputSchema) =>
        [.. TrainerColumns.CalibratedBinary().Where(column => column.Name != DefaultColumnNames.Probability)];

    private protected override FastForestBinaryModelParameters CreateModel(Tree[] trees, int featureCount) => new(trees, featureCount);

    private protected override BinaryPredictionTransformer<FastForestBinaryModelParameters> MakeTransformer(
        FastForestBinaryModelParameters model, DataViewSchema trainSchema) => new(Host, model, trainSchema, FeatureColumn.Name);

    private protected override void GetTargets(TrainingSet rows, double[] scores, double[] targets)
    {
        for (int i = 0; i < targets.Length; i++)
        {
            targets[i] = rows.Labels[i] > 0 ? 1 : -1;
        }
    }

    public sealed class Options : FastForestOptionsBase
    {
    }
}

/// <summary>Trees that each predict the label; the score is their mean.</summary>
public sealed class FastForestRegressionTrainer : RandomForestTrainerBase<
    FastForestRegressionTrainer.Options, RegressionPredictionTransformer<FastForestRegressionModelParameters>, FastForestRegressionModelParameters>
{
    internal FastForestRegressionTrainer(IHostEnvironment env, Options options)
        : base(env, options, TrainerColumns.SingleLabel(options.LabelColumnName))
    {
    }

    private protected override SchemaShape.Column[] GetOutputColumns(SchemaShape inputSchema) => TrainerColumns.Regression();

    private protected override FastForestRegressionModelParameters CreateModel(Tree[] trees, int featureCount) => new(trees, featureCount);

    private protected override RegressionPredictionTransformer<FastForestRegressionModelParameters> MakeTransformer(
        FastForestRegressionModelParameters model, DataViewSchema trainSchema) => new(Host, model, trainSchema, FeatureColumn.Name);

    private protected override void GetTargets(TrainingSet rows, double[] scores, double[] targets)
    {
        for (int i = 0; i < targets.Length; i++)
        {
            targets[i] = rows.Labels[i];
        }
    }

    public sealed class Options : FastForestOptionsBase
    {
    }
}
