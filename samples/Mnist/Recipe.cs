using Microsoft.ML;

namespace MLNet.Pruning.Samples.Mnist;

/// <summary>A network and the steps that make it small.</summary>
/// <param name="Name">As the command line has it.</param>
/// <param name="Network">What is trained first.</param>
/// <param name="Stages">The steps in turn.</param>
internal sealed record Recipe(string Name, Func<Network> Network, IReadOnlyList<Stage> Stages)
{
    public static IReadOnlyList<Recipe> All { get; } = [LeNet300.Weights, LeNet5.Weights, LeNet300.Structure, LeNet5.Structure];
}

/// <summary>A step of a recipe.</summary>
/// <param name="Name">Name of its file.</param>
/// <param name="Epochs">Epochs it trains, for the progress bar.</param>
/// <param name="Settings">What it does, for the report; a run with other settings is not continued.</param>
/// <param name="Create">The step with a seed.</param>
internal sealed record Stage(string Name, int Epochs, string Settings, Func<MLContext, StageRun, IEstimator<NeuralNetworkTransformer>> Create);

/// <summary>What a step is run with.</summary>
/// <param name="Seed">Seed of the split, the first weights and the order of images.</param>
/// <param name="Progress">Told of every epoch.</param>
/// <param name="After">The network after an earlier step of that name, with the same seed.</param>
internal sealed record StageRun(int Seed, IProgress<EpochResult> Progress, Func<string, Network> After);
