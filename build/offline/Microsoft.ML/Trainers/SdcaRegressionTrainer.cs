using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

public sealed class SdcaRegressionTrainer : SdcaTrainerBase<
    SdcaRegressionTrainer.Options, RegressionPredictionTransformer<LinearRegressionModelParameters>, LinearRegressionModelParameters>
{
    internal SdcaRegressionTrainer(IHostEnvironment env, Options options)
        : base(env, options, TrainerColumns.SingleLabel(options.LabelColumnName)) => Loss = options.LossFunction ?? new SquaredLoss();

    private protected override ISupportSdcaLoss Loss { get; }

    private protected override SchemaShape.Column[] GetOutputColumns(SchemaShape inputSchema) => TrainerColumns.Regression();

    private protected override RegressionPredictionTransformer<LinearRegressionModelParameters> MakeTransformer(
        LinearRegressionModelParameters model, DataViewSchema trainSchema) => new(Host, model, trainSchema, FeatureColumn.Name);

    private protected override float DefaultL2(int rowCount) => rowCount switch
    {
        > 10000 => 1e-4f,
        < 200 => 1e-2f,
        _ => 1e-3f,
    };

    private protected override LinearRegressionModelParameters CreateModel(float[] weights, float bias) => new(weights, bias);

    public sealed class Options : OptionsBase
    {
        public Options()
        {
            ConvergenceTolerance = 0.01f;
            BiasLearningRate = 1;
        }

        public ISupportSdcaRegressionLoss? LossFunction { get; set; }
    }
}
