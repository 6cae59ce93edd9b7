using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers.FastTree;

/// <summary>Boosting of the residuals.</summary>
public sealed class FastTreeRegressionTrainer : BoostingFastTreeTrainerBase<
    FastTreeRegressionTrainer.Options, RegressionPredictionTransformer<FastTreeRegressionModelParameters>, FastTreeRegressionModelParameters>
{
    internal FastTreeRegressionTrainer(IHostEnvironment env, Options options)
        : base(env, options, TrainerColumns.SingleLabel(options.LabelColumnName))
    {
    }

    private protected override SchemaShape.Column[] GetOutputColumns(SchemaShape inputSchema) => TrainerColumns.Regression();

    private protected override FastTreeRegressionModelParameters CreateModel(Tree[] trees, int featureCount) => new(trees, featureCount);

    private protected override RegressionPredictionTransformer<FastTreeRegressionModelParameters> MakeTransformer(
        FastTreeRegressionModelParameters model, DataViewSchema trainSchema) => new(Host, model, trainSchema, FeatureColumn.Name);

    private protected override void GetTargets(TrainingSet rows, double[] scores, double[] targets)
    {
        for (int i = 0; i < targets.Length; i++)
        {
            targets[i] = rows.Labels[i] - scores[i];
        }
    }

    private protected override void AdjustLeaves(TrainingSet rows, double[] scores, GrownTree tree)
    {
        for (int leaf = 0; leaf < tree.LeafCount; leaf++)
        {
            tree.LeafValues[leaf] *= FastTreeTrainerOptions.LearningRate * FastTreeTrainerOptions.Shrinkage;
        }
    }

    public sealed class Options : BoostedTreeOptions
    {
    }
}
