using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

public abstract class SdcaTrainerBase<TOptions, TTransformer, TModel> : StochasticTrainerBase<TTransformer, TModel>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
    where TOptions : SdcaTrainerBase<TOptions, TTransformer, TModel>.OptionsBase, new()
{
    private const long ExamplesToVisit = 500_000;

    internal SdcaTrainerBase(IHostEnvironment env, TOptions options, SchemaShape.Column label)
        : base(env.Register("SdcaTrainerBase"), TrainerColumns.Features(options.FeatureColumnName), label,
            TrainerColumns.Weight(options.ExampleWeightColumnName))
    {
        Contracts.CheckNonEmpty(options.FeatureColumnName);
        Contracts.CheckNonEmpty(options.LabelColumnName);
        Contracts.CheckParam(options.L2Regularization is null or >= 1e-9f, nameof(options.L2Regularization), "L2 constant must be at least 1E-09.");
        Contracts.CheckParam(options.L1Regularization is null or >= 0, nameof(options.L1Regularization), "L1 threshold must be non-negative.");
        Contracts.CheckParam(
            options.MaximumNumberOfIterations is null or > 0, nameof(options.MaximumNumberOfIterations), "Max number of iterations must be positive.");
        Contracts.CheckParam(
            options.ConvergenceTolerance is > 0 and <= 1,
            nameof(options.ConvergenceTolerance),
            "Convergence tolerance must be positive and no larger than 1.");
        Contracts.CheckParam(options.BiasLearningRate >= 0, nameof(options.BiasLearningRate), "Bias learning rate must be non-negative.");
        Contracts.CheckParam(options.NumberOfThreads is null or > 0, nameof(options.NumberOfThreads), "Must be positive (or empty for default)");
        TrainerOptions = options;
    }

    private protected TOptions TrainerOptions { get; }

    private protected abstract ISupportSdcaLoss Loss { get; }

    private protected sealed override TModel TrainModel(IDataView data, TModel? initial)
    {
        using var channel = Host.Start("Training");
        var rows = ReadTrainingSet(data, channel);
        var ascent = new DualCoordinateAscent(rows, Loss)
        {
            L2 = TrainerOptions.L2Regularization ?? DefaultL2(rows.Count),
            L1Threshold = TrainerOptions.L1Regularization ?? DefaultL1(rows.FeatureCount),
            BiasLearningRate = TrainerOptions.BiasLearningRate,
            Tolerance = TrainerOptions.ConvergenceTolerance,
            MaxIterations = TrainerOptions.MaximumNumberOfIterations ?? (int)Math.Max(3, ExamplesToVisit / rows.Count * 3),
            CheckFrequency = TrainerOptions.ConvergenceCheckFrequency is int every and > 0 ? every
                : TrainerOptions.ConvergenceCheckFrequency is null ? 1 : int.MaxValue,
            Shuffle = TrainerOptions.Shuffle ? Host.Rand : null,
        };
        int iterations = ascent.Run();
        channel.Info(MessageSensitivity.None, "Using model from iteration {0}.", iterations);
        return CreateModel(Array.ConvertAll(ascent.Weights, weight => (float)weight), (float)ascent.Bias);
    }

    private protected abstract float DefaultL2(int rowCount);

    private protected abstract TModel CreateModel(float[] weights, float bias);

    private static float DefaultL1(int featureCount) => featureCount switch
    {
        < 100 => 0,
        < 1000 => 0.25f,
        < 10000 => 0.5f,
        _ => 1,
    };

    public abstract class OptionsBase : TrainerInputBaseWithWeight
    {
        public float? L2Regularization;

        public float? L1Regularization;

        public float ConvergenceTolerance = 0.1f;

        public int? MaximumNumberOfIterations;

        public bool Shuffle = true;

        public int? ConvergenceCheckFrequency;

        public int? NumberOfThreads;

        public float BiasLearningRate;

        private protected OptionsBase()
        {
        }
    }
}
