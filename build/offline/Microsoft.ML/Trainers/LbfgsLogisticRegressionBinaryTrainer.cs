using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

using CalibratedLinear = CalibratedModelParametersBase<LinearBinaryModelParameters, PlattCalibrator>;

public sealed class LbfgsLogisticRegressionBinaryTrainer : LbfgsTrainerBase<
    LbfgsLogisticRegressionBinaryTrainer.Options, BinaryPredictionTransformer<CalibratedLinear>, CalibratedLinear>
{
    private const int ImprovementWindow = 5;

    internal LbfgsLogisticRegressionBinaryTrainer(IHostEnvironment env, Options options)
        : base(env, options, TrainerColumns.BooleanLabel(options.LabelColumnName))
    {
    }

    public BinaryPredictionTransformer<CalibratedLinear> Fit(IDataView trainData, LinearModelParameters modelParameters) => TrainTransformer(
        trainData,
        modelParameters is null ? null : Calibrate([.. modelParameters.Weights], modelParameters.Bias));

    private protected override int GetClassCount(DataViewSchema.Column label) => 1;

    private protected override SchemaShape.Column[] GetOutputColumns(SchemaShape inputSchema) => TrainerColumns.CalibratedBinary();

    private protected override BinaryPredictionTransformer<CalibratedLinear> MakeTransformer(CalibratedLinear model, DataViewSchema trainSchema) =>
        new(Host, model, trainSchema, FeatureColumn.Name);

    /// <summary>Stops when the mean relative improvement over the last iterations falls below the tolerance.</summary>
    private protected override Terminates MakeTermination()
    {
        var past = new Queue<double>(ImprovementWindow);
        return (_, _, value) =>
        {
            bool enough = past.Count == ImprovementWindow
                && (past.Dequeue() - value) / ImprovementWindow < TrainerOptions.OptimizationTolerance * Math.Abs(value);
            past.Enqueue(value);
            return enough;
        };
    }

    private protected override double Accumulate(
        in VBuffer<float> features, float label, double weight, ReadOnlySpan<double> point, Span<double> gradient, Span<double> scores)
    {
        double score = point[0] + LinearKernels.Dot(point[1..], in features);
        double signed = label > 0 ? score : -score;
        // log(1 + exp(-s)) and 1 / (1 + exp(s)), without overflow on either side.
        double tail = Math.Exp(-Math.Abs(signed));
        double loss = Math.Max(-signed, 0) + Math.Log(1 + tail);
        double wrong = signed > 0 ? tail / (1 + tail) : 1 / (1 + tail);
        double factor = label > 0 ? -weight * wrong : weight * wrong;
        gradient[0] += factor;
        LinearKernels.AddMultiple(gradient[1..], factor, in features);
        return weight * loss;
    }

    private protected override CalibratedLinear CreateModel(double[] point, int classCount) =>
        Calibrate(Array.ConvertAll(point[1..], weight => (float)weight), (float)point[0]);

    private protected override double[] FromModel(CalibratedLinear model, int classCount, int featureCount)
    {
        CheckShape(model.SubModel.Weights.Count, featureCount);
        return [model.SubModel.Bias, .. model.SubModel.Weights];
    }

    /// <summary>The score is a log-odds, so the calibration is the logistic function itself.</summary>
    private static CalibratedModelParameters<LinearBinaryModelParameters, PlattCalibrator> Calibrate(float[] weights, float bias) =>
        new(new LinearBinaryModelParameters(weights, bias), new PlattCalibrator(-1, 0));

    public sealed class Options : OptionsBase
    {
    }
}
