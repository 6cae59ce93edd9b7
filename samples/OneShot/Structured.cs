using Microsoft.ML;

namespace MLNet.Pruning.Samples.OneShot;

using Training = Mnist.Training;

/// <summary>
/// Networks that are trained here and lose half of the filters of every layer without training: by size alone, by size and what is left fitted to the dense
/// network, and in the best of several ways. A seed draws the first weights, the calibration rows and the 5,000 training images that choose between the ways.
/// </summary>
internal static class Structured
{
    private const int Rows = 512, ResidualEpochs = 4;

    public static IReadOnlyList<string> Ways { get; } = ["plain removal", "Reconstruct", "PruneOneShot"];

    public static Recipe LeNet5 { get; } = Recipe("lenet5", Mnist.LeNet5.Structure.Network, Mnist.LeNet5.Teacher);

    public static Recipe ResNet20 { get; } = Recipe("resnet20", Residual, new("dense", ResidualEpochs,
        $"three stages of three residual blocks of 16, 32 and 64 filters, {Training.Describe(ResidualEpochs)}",
        (ml, run) => ml.MulticlassClassification.Trainers.NeuralNetwork(Training.Dense(Residual(), run, ResidualEpochs, null, null))));

    private static Recipe Recipe(string name, Func<Network> network, Stage dense)
    {
        var plain = new PruningOptions
        {
            Granularity = Granularity.Filter, Amount = Amount.Fraction(0.5), Scope = Scope.Layer, Alignment = 1, Recovery = Recovery.None,
        };
        var fitted = plain with { Recovery = Recovery.Reconstruct(Rows, damping: null) };
        var best = new OneShotOptions { Granularity = Granularity.Filter, Amount = plain.Amount, Scope = Scope.Layer, Alignment = 1, Rows = Rows };
        return new(name, network,
        [
            dense,
            new(Ways[0], 1, $"half of the filters of every layer by {plain.Importance}", (ml, run)
                => new Measured(run, Load(ml, run, dense).Append(ml.Transforms.Prune(plain)))),
            new(Ways[1], 1, $"the same, {fitted.Recovery}", (ml, run) => new Measured(run, Load(ml, run, dense).Append(ml.Transforms.Prune(fitted)))),
            new(Ways[2], 1, $"half of the filters of every layer, the best of {best.Effort} on validation rows, {Rows} rows", (ml, run)
                => new Measured(run, Load(ml, run, dense).Append(ml.Transforms.PruneOneShot(best with { Seed = run.Seed })))),
        ]) { IsChain = false };
    }

    /// <summary>
    /// As ResNet-20 (He et al. 2016), for images of 28 x 28 with one channel: the first convolution halves them, and one more leads into each later stage.
    /// </summary>
    private static Network Residual() => Network.Sequential([1, 28, 28],
        [.. Stage(16), .. Stage(32), .. Stage(64), Layer.GlobalAveragePool(), Layer.Flatten(), Layer.Dense(10)]);

    private static IEnumerable<Layer> Stage(int filters)
    {
        Layer[] into = [Layer.Conv2d(filters, 3, stride: 2, padding: 1, bias: false), Layer.BatchNorm(), Layer.Relu()];
        return into.Concat(Enumerable.Range(0, 3).SelectMany(_ => (Layer[])[
            Layer.Residual(Layer.Conv2d(filters, 3, padding: 1, bias: false), Layer.BatchNorm(), Layer.Relu(),
                Layer.Conv2d(filters, 3, padding: 1, bias: false), Layer.BatchNorm()),
            Layer.Relu()]));
    }

    private static LoadNetworkEstimator Load(MLContext ml, StageRun run, Stage dense) => ml.Transforms.LoadNetwork(new LoadNetworkOptions
    {
        Network = run.After(dense.Name), LabelColumnName = "Label", Task = LearningTask.Multiclass, ValidationFraction = Training.ValidationFraction,
        Seed = run.Seed,
    });
}
