namespace MLNet.Pruning.Samples.Mnist;

/// <summary>Settings that recipes share.</summary>
internal static class Training
{
    private const int BatchSize = 128;

    /// <summary>5,000 of the 60,000 training images make all choices.</summary>
    public const double ValidationFraction = 5_000.0 / 60_000;

    public static NeuralNetworkOptions Dense(Network network, StageRun run, int epochs, Regularization? regularization, Distillation? distillation) => new()
    {
        Network = network,
        Epochs = epochs,
        BatchSize = BatchSize,
        LearningRate = 2e-3,
        LearningRateSchedule = LearningRateSchedule.OneCycle(),
        Regularization = regularization,
        Distillation = distillation,
        ValidationFraction = ValidationFraction,
        Seed = run.Seed,
        Progress = run.Progress,
    };

    /// <summary>What <see cref="Dense"/> does, for the report.</summary>
    public static string Describe(int epochs) => $"{epochs} epochs of Adam, one cycle up to 2e-3, batches of {BatchSize}";

    public static TrainingOptions Sparse(StageRun run, double learningRate, Regularization? regularization, Distillation? distillation) => new()
    {
        BatchSize = BatchSize,
        LearningRate = learningRate,
        LearningRateSchedule = LearningRateSchedule.Cosine(0.001),
        Regularization = regularization,
        Distillation = distillation,
        Seed = run.Seed,
        Progress = run.Progress,
    };

    public static TrainingOptions Tuning(StageRun run, int epochs, double learningRate, Distillation? distillation)
        => Sparse(run, learningRate, null, distillation) with { Epochs = epochs };

    /// <summary>What <see cref="Sparse"/> does, for the report.</summary>
    public static string DescribeSparse(int epochs, double learningRate)
        => $"{epochs} epochs of Adam from {learningRate} along half a cosine, batches of {BatchSize}";
}
