using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers.FastTree;

using CalibratedTrees = CalibratedModelParametersBase<FastTreeBinaryModelParameters, PlattCalibrator>;

/// <summary>Boosting with the gradients of section 6 of Burges, From RankNet to LambdaRank to LambdaMART (2010).</summary>
public sealed class FastTreeBinaryTrainer : BoostingFastTreeTrainerBase<
    FastTreeBinaryTrainer.Options, BinaryPredictionTransformer<CalibratedTrees>, CalibratedTrees>
{
    private readonly double _sigmoid;

    internal FastTreeBinaryTrainer(IHostEnvironment env, Options options)
        : base(env, options, TrainerColumns.BooleanLabel(options.LabelColumnName)) => _sigmoid = 2 * options.LearningRate;

    private protected override SchemaShape.Column[] GetOutputColumns(SchemaShape inputSchema) => TrainerColumns.CalibratedBinary();

    private protected override CalibratedTrees CreateModel(Tree[] trees, int featureCount) =>
        new CalibratedModelParameters<FastTreeBinaryModelParameters, PlattCalibrator>(
            new FastTreeBinaryModelParameters(trees, featureCount), new PlattCalibrator(-_sigmoid, 0));

    private protected override BinaryPredictionTransformer<CalibratedTrees> MakeTransformer(CalibratedTrees model, DataViewSchema trainSchema) =>
        new(Host, model, trainSchema, FeatureColumn.Name);

    private protected override void GetTargets(TrainingSet rows, double[] scores, double[] targets)
    {
        var (positive, negative) = Shares(rows);
        for (int i = 0; i < targets.Length; i++)
        {
            bool label = rows.Labels[i] > 0;
            targets[i] = Response(label, scores[i]) * (label ? positive : negative);
        }
    }

    /// <summary>A Newton step: the mean gradient over the mean second derivative of the rows in a leaf.</summary>
    private protected override void AdjustLeaves(TrainingSet rows, double[] scores, GrownTree tree)
    {
        const double Epsilon = 1.4e-45;
        var (positive, negative) = Shares(rows);
        for (int leaf = 0; leaf < tree.LeafCount; leaf++)
        {
            double curvature = 0, weights = 0;
            foreach (int row in tree.RowsOf(leaf))
            {
                bool label = rows.Labels[row] > 0;
                double response = Math.Abs(Response(label, scores[row]));
                double weight = rows.WeightAt(row);
                curvature += weight * response * (_sigmoid - response) * (label ? positive : negative);
                weights += weight;
            }

            double output = FastTreeTrainerOptions.LearningRate * FastTreeTrainerOptions.Shrinkage
                * (tree.LeafValues[leaf] + Epsilon) / (curvature / weights + Epsilon);
            tree.LeafValues[leaf] = Math.Clamp(output, -FastTreeTrainerOptions.MaximumTreeOutput, FastTreeTrainerOptions.MaximumTreeOutput);
        }
    }

    private double Response(bool label, double score)
    {
        double sign = label ? _sigmoid : -_sigmoid;
        return sign / (1 + Math.Exp(sign * score));
    }

    private (double Positive, double Negative) Shares(TrainingSet rows)
    {
        if (!FastTreeTrainerOptions.UnbalancedSets)
        {
            return (1, 1);
        }

        int positive = rows.Labels.Count(label => label > 0);
        return positive > 0 && positive < rows.Count
            ? (1.0 / positive, 1.0 / (rows.Count - positive))
            : throw new InvalidOperationException("Only one class in training set.");
    }

    public sealed class Options : BoostedTreeOptions
    {
        public bool UnbalancedSets;
    }
}
