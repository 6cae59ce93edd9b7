using Microsoft.ML;

namespace MLNet.Pruning.Samples.Mnist;

/// <summary>784-300-100-10 with 266,610 weights and biases.</summary>
internal static class LeNet300
{
    private const int DenseEpochs = 10;
    private const double LearningRate = 1e-3;
    private const int SparseEpochs = 200;
    private const int NarrowEpochs = 200;
    private const double Sparsity = 0.9866;
    private const double L1 = 1e-4;
    private const double GroupLasso = 2e-5;
    private static readonly FactorizationOptions s_factors = new()
    {
        Factorizer = Factorizer.DataAwareSvd, Rank = Rank.Within(Budget.Parameters(266_610 / 4)), CalibrationRows = 8192,
    };

    private static readonly (string Layer, int Inputs, int Left)[] s_widths = [("fc1", 784, 97), ("fc2", 300, 71), ("fc3", 100, 33)];

    public static Recipe Weights { get; } = new("lenet300", Create,
    [
        LeNet5.Teacher,
        new("dense", DenseEpochs, $"784-300-100-10, {Training.Describe(DenseEpochs)}, L1 {L1}, distilled from the teacher (temperature 4, weight 0.7)",
            (ml, run) => ml.MulticlassClassification.Trainers.NeuralNetwork(Training.Dense(Create(), run, DenseEpochs, Regularization.L1(L1), Taught(run)))),
        new("prune", SparseEpochs, $"weights by magnitude in the whole network, cubic to {Sparsity} in the first 0.5 of one training; "
            + $"{Training.DescribeSparse(SparseEpochs, LearningRate)}, L1 {L1}, distilled from the teacher (temperature 4, weight 0.7)",
            (ml, run) => ml.Transforms.Prune(new PruningOptions
            {
                Amount = Amount.Fraction(Sparsity),
                Schedule = Schedule.Cubic(200),
                Training = SparseTraining.Gradual(every: 100, until: 0.5),
                FineTuneEpochs = SparseEpochs,
                FineTuning = Training.Sparse(run, LearningRate, Regularization.L1(L1), Taught(run)),
            })),
    ]);

    public static Recipe Structure { get; } = new("lenet300-structured", Create,
    [
        LeNet5.Teacher,
        new("dense", DenseEpochs, $"784-300-100-10, {Training.Describe(DenseEpochs)}, distilled from the teacher (temperature 4, weight 0.7)",
            (ml, run) => ml.MulticlassClassification.Trainers.NeuralNetwork(Training.Dense(Create(), run, DenseEpochs, null, Taught(run)))),
        new("columns", NarrowEpochs, "columns by Wanda, cubic to 97-71-33 in the first 0.5 of one training; "
            + $"{Training.DescribeSparse(NarrowEpochs, LearningRate)}, L1 {L1}, group lasso on columns {GroupLasso}, distilled from the teacher (temperature "
                + "4, weight 0.7)",
            (ml, run) => ml.Transforms.Prune(new PruningOptions
            {
                Granularity = Granularity.Column,
                Importance = Importance.Wanda(1024),
                Layers = [.. s_widths.Select(width => LayerRule.Named(width.Layer, Amount.Count(width.Inputs - width.Left)))],
                Schedule = Schedule.Cubic(200),
                Training = SparseTraining.Gradual(every: 100, until: 0.5),
                FineTuneEpochs = NarrowEpochs,
                FineTuning = Training.Sparse(run, LearningRate, Regularization.L1(L1) + Regularization.GroupLasso(GroupLasso, Granularity.Column), Taught(run)),
            })),
        new("units", 0, "units that nothing reads any more are removed",
            (ml, run) => ml.Transforms.Prune(new PruningOptions { Granularity = Granularity.Neuron, Importance = Importance.Taylor(1024),
                Amount = Amount.Below(1e-20), Normalize = false })),
    ]);

    public static Recipe Factors { get; } = new("lenet300-factorized", Create,
    [
        new("dense", DenseEpochs, $"784-300-100-10, {Training.Describe(DenseEpochs)}",
            (ml, run) => ml.MulticlassClassification.Trainers.NeuralNetwork(Training.Dense(Create(), run, DenseEpochs, null, null))),
        new("factorize", 0, $"{s_factors.Factorizer}, {s_factors.Rank}, outputs of {s_factors.CalibrationRows} training images, nothing is trained",
            (ml, run) => ml.Transforms.Factorize(s_factors with { Seed = run.Seed })),
    ]) { Against = "dense" };

    private static Network Create() => Network.Mlp(784, 300, 100, 10);

    internal static Distillation Taught(StageRun run) => Distillation.Response(4, 0.7, run.After("teacher"));
}
