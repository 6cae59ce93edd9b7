using Microsoft.ML;

namespace MLNet.Pruning.Samples.Mnist;

/// <summary>LeNet-5 in the sizes of Caffe's, 20 and 50 filters of 5 x 5 and 500 units, with a ReLU behind each; 431,080 weights and biases.</summary>
internal static class LeNet5
{
    private const int DenseEpochs = 12;
    private const double LearningRate = 1.5e-3;
    private const int RemovalSteps = 5;
    private const int RemovalEpochs = 3;
    private const int TuningEpochs = 120;
    private const double TuningRate = 2e-3;
    private const int SparseEpochs = 120;
    private const double Sparsity = 0.968;
    private const double L1 = 1e-4;

    /// <summary>The dense network, from which smaller ones of any kind may learn.</summary>
    public static Stage Teacher { get; } = new("teacher", DenseEpochs, $"LeNet-5, {Training.Describe(DenseEpochs)}",
        (ml, run) => ml.MulticlassClassification.Trainers.NeuralNetwork(Training.Dense(Create(), run, DenseEpochs, null, null)));

    public static Recipe Weights { get; } = new("lenet5", Create,
    [
        Teacher,
        Removal(12, 25, 80),
        new("prune", SparseEpochs, $"weights by magnitude in the whole network, cubic to {Sparsity} in the first 0.5 of one training; "
            + $"{Training.DescribeSparse(SparseEpochs, LearningRate)}, L1 {L1}, distilled from the dense network (temperature 4, weight 0.7)",
            (ml, run) => ml.Transforms.Prune(new PruningOptions
            {
                Amount = Amount.Fraction(Sparsity),
                Schedule = Schedule.Cubic(200),
                Training = SparseTraining.Gradual(every: 100, until: 0.5),
                FineTuneEpochs = SparseEpochs,
                FineTuning = Training.Sparse(run, LearningRate, Regularization.L1(L1), Taught(run)),
            })),
    ]);

    /// <summary>4 filters, 13 filters, 208 inputs and 57 units take 153,226 multiply-adds; 5-10-76-16 takes 153,376.</summary>
    public static Recipe Structure { get; } = new("lenet5-structured", Create,
    [
        Teacher,
        Removal(4, 13, 57),
        new("tune", TuningEpochs, $"{Training.DescribeSparse(TuningEpochs, TuningRate)}, distilled from the dense network (temperature 4, weight 0.7)",
            (ml, run) => ml.Transforms.FineTune(Training.Tuning(run, TuningEpochs, TuningRate, Taught(run)))),
    ]);

    private static Stage Removal(int conv1, int conv2, int hidden) => new("remove", RemovalSteps * RemovalEpochs,
        $"filters and units by Taylor importance to {conv1}-{conv2}-{hidden} in {RemovalSteps} steps of {RemovalEpochs} epochs, Adam from {LearningRate} "
            + "along half a cosine, distilled from the dense network (temperature 4, weight 0.7)",
        (ml, run) => ml.Transforms.Prune(new PruningOptions
        {
            Granularity = Granularity.Unit,
            Importance = Importance.Taylor(2048),
            Layers = [LayerRule.Named("conv1", Amount.Count(20 - conv1)), LayerRule.Named("conv2", Amount.Count(50 - conv2)),
                LayerRule.Named("fc1", Amount.Count(500 - hidden))],
            Alignment = 1,
            Schedule = Schedule.Geometric(RemovalSteps),
            FineTuneEpochs = RemovalEpochs,
            FineTuning = Training.Sparse(run, LearningRate, null, Taught(run)),
        }));

    private static Network Create() => Network.Sequential([1, 28, 28],
        Layer.Conv2d(20, 5), Layer.Relu(), Layer.MaxPool(2), Layer.Conv2d(50, 5), Layer.Relu(), Layer.MaxPool(2), Layer.Flatten(), Layer.Dense(500),
        Layer.Relu(), Layer.Dense(10));

    internal static Distillation Taught(StageRun run) => Distillation.Response(4, 0.7, run.After("teacher"));
}
