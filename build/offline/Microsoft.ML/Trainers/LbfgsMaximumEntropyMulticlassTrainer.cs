using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

public sealed class LbfgsMaximumEntropyMulticlassTrainer : LbfgsTrainerBase<
    LbfgsMaximumEntropyMulticlassTrainer.Options, MulticlassPredictionTransformer<MaximumEntropyModelParameters>, MaximumEntropyModelParameters>
{
    /// <summary>How much the mean improvement remembers of the iterations before the last.</summary>
    private const double Memory = 0.25;

    internal LbfgsMaximumEntropyMulticlassTrainer(IHostEnvironment env, Options options)
        : base(env, options, TrainerColumns.KeyLabel(options.LabelColumnName))
    {
    }

    public MulticlassPredictionTransformer<MaximumEntropyModelParameters> Fit(IDataView trainData, MaximumEntropyModelParameters modelParameters) =>
        TrainTransformer(trainData, modelParameters);

    private protected override int GetClassCount(DataViewSchema.Column label) => checked((int)((KeyDataViewType)label.Type).Count);

    private protected override SchemaShape.Column[] GetOutputColumns(SchemaShape inputSchema)
    {
        inputSchema.TryFindColumn(LabelColumn.Name, out var label);
        return TrainerColumns.Multiclass(label);
    }

    private protected override MulticlassPredictionTransformer<MaximumEntropyModelParameters> MakeTransformer(
        MaximumEntropyModelParameters model, DataViewSchema trainSchema) => new(Host, model, trainSchema, FeatureColumn.Name, LabelColumn.Name);

    /// <summary>Stops when the geometrically weighted mean improvement falls below the tolerance.</summary>
    private protected override Terminates MakeTermination()
    {
        double improvement = 0;
        return (iteration, previous, value) =>
        {
            improvement = previous - value + Memory * improvement;
            return improvement * (1 - Memory) / (1 - Math.Pow(Memory, iteration)) < TrainerOptions.OptimizationTolerance;
        };
    }

    private protected override double Accumulate(
        in VBuffer<float> features, float label, double weight, ReadOnlySpan<double> point, Span<double> gradient, Span<double> scores)
    {
        int classCount = scores.Length;
        int featureCount = point.Length / classCount - 1;
        double max = double.NegativeInfinity;
        for (int i = 0; i < classCount; i++)
        {
            scores[i] = point[i] + LinearKernels.Dot(point.Slice(classCount + i * featureCount, featureCount), in features);
            max = Math.Max(max, scores[i]);
        }

        double sum = 0;
        foreach (double score in scores)
        {
            sum += Math.Exp(score - max);
        }

        double logSum = max + Math.Log(sum);
        int own = (int)label;
        double loss = logSum - scores[own];
        for (int i = 0; i < classCount; i++)
        {
            double factor = weight * (Math.Exp(scores[i] - logSum) - (i == own ? 1 : 0));
            gradient[i] += factor;
            LinearKernels.AddMultiple(gradient.Slice(classCount + i * featureCount, featureCount), factor, in features);
        }

        return weight * loss;
    }

    private protected override MaximumEntropyModelParameters CreateModel(double[] point, int classCount) => new(
        Array.ConvertAll(point[classCount..], weight => (float)weight),
        Array.ConvertAll(point[..classCount], bias => (float)bias));

    private protected override double[] FromModel(MaximumEntropyModelParameters model, int classCount, int featureCount)
    {
        VBuffer<float>[] weights = [];
        model.GetWeights(ref weights, out int modelClasses);
        if (modelClasses != classCount)
        {
            throw new InvalidOperationException(
                $"The initialization predictor has {modelClasses} classes, the training data {classCount}.");
        }

        CheckShape(weights[0].Length, featureCount);
        return [.. model.GetBiases(), .. weights.SelectMany(vector => vector.DenseValues())];
    }

    public sealed class Options : OptionsBase
    {
    }
}
