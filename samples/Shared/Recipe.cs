using Microsoft.ML;

namespace MLNet.Pruning.Samples;

/// <summary>A network and the steps that train it and make it small.</summary>
/// <param name="Name">As the command line has it.</param>
/// <param name="Network">What it is about.</param>
/// <param name="Stages">The steps in turn.</param>
internal sealed record Recipe(string Name, Func<Network> Network, IReadOnlyList<Stage> Stages)
{
    /// <summary>The rows it works on with a seed, from a folder of MNIST where it is about that.</summary>
    public Func<MLContext, DirectoryInfo?, int, IDataView> Rows { get; init; } = (ml, folder, _) => MnistFiles.Training(ml, folder!);

    /// <summary>Whether <see cref="Rows"/> needs the folder.</summary>
    public bool NeedsData { get; init; } = true;

    /// <summary>The step whose network the last one is compared with on the test rows too; null for none.</summary>
    public string? Against { get; init; }

    /// <summary>Whether each step goes on with the model of the one before; else all start from the rows.</summary>
    public bool IsChain { get; init; } = true;
}

/// <summary>A step of a recipe.</summary>
/// <param name="Name">Name of its file.</param>
/// <param name="Epochs">Epochs it trains, for the progress bar.</param>
/// <param name="Settings">What it does, for the report; a run with other settings is not continued.</param>
/// <param name="Create">The step with a seed.</param>
internal sealed record Stage(string Name, int Epochs, string Settings, Func<MLContext, StageRun, IEstimator<ITransformer>> Create);

/// <summary>What a step is run with.</summary>
/// <param name="Seed">Seed of the split, the first weights and the order of rows.</param>
/// <param name="Progress">Called with every epoch.</param>
/// <param name="After">The network after an earlier step of that name, with the same seed.</param>
/// <param name="Model">The file that the model goes to.</param>
internal sealed record StageRun(int Seed, IProgress<EpochResult> Progress, Func<string, Network> After, string Model);
