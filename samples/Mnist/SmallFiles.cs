using Microsoft.ML;

namespace MLNet.Pruning.Samples.Mnist;

/// <summary>Networks in as few bytes as they will go: pruned, rounded to a few values that are trained, and written with the arithmetic coder.</summary>
internal static class SmallFiles
{
    private const int SparseEpochs = 80;
    private const double SparseRate = 1.5e-3;
    private const double Sparsity = 0.95;
    private const double L1 = 1e-4;
    private const int CodedEpochs = 8;
    private const double CodedRate = 5e-4;
    private const int Bits = 4;
    private const double BitPrice = 0.002;

    /// <summary>LeNet-300-100 of the recipe <c>lenet300</c>.</summary>
    public static Recipe LeNet300Small { get; } = new("lenet300-small", LeNet300.Weights.Network,
        [.. LeNet300.Weights.Stages, Coded(LeNet300.Taught, null)]);

    /// <summary>LeNet-5, with more weights left and images shifted.</summary>
    public static Recipe LeNet5Small { get; } = new("lenet5-small", LeNet5.Weights.Network,
    [
        .. LeNet5.Weights.Stages.Take(2),
        new("prune", SparseEpochs, $"weights by magnitude in the whole network, cubic to {Sparsity} in the first 0.5 of one training; "
            + $"{Training.DescribeSparse(SparseEpochs, SparseRate)}, L1 {L1}, images shifted by up to a pixel, distilled from the dense network "
            + "(temperature 4, weight 0.7)",
            (ml, run) => ml.Transforms.Prune(new PruningOptions
            {
                Amount = Amount.Fraction(Sparsity),
                Schedule = Schedule.Cubic(200),
                Training = SparseTraining.Gradual(every: 100, until: 0.5),
                FineTuneEpochs = SparseEpochs,
                FineTuning = Training.Sparse(run, SparseRate, Regularization.L1(L1), LeNet5.Taught(run)) with { Augmentation = Augmentation.Shift(1) },
            })),
        Coded(LeNet5.Taught, Augmentation.Shift(1)),
    ]);

    /// <summary>LeNet-5 of the recipe <c>lenet5</c>.</summary>
    public static Recipe LeNet5Smallest { get; } = new("lenet5-smallest", LeNet5.Weights.Network,
        [.. LeNet5.Weights.Stages, Coded(LeNet5.Taught, null)]);

    private static Stage Coded(Func<StageRun, Distillation> taught, Augmentation? augmentation) => new("codebook", CodedEpochs,
        $"weights and biases of a layer on {1 << Bits} values, a bit worth {BitPrice} of a weight's mean square; "
            + $"{Training.DescribeSparse(CodedEpochs, CodedRate)}{(augmentation is null ? "" : ", images shifted by up to a pixel")}, distilled from the "
            + "teacher (temperature 4, weight 0.7)",
        (ml, run) => ml.Transforms.Quantize(new QuantizationOptions
        {
            Quantizer = Quantizer.Codebook(Bits, rate: BitPrice, biases: true),
            Epochs = CodedEpochs,
            FineTuning = Training.Sparse(run, CodedRate, null, taught(run)) with { Augmentation = augmentation },
            Seed = run.Seed,
        }));
}
