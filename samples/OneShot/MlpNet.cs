using System.Globalization;
using Microsoft.ML;

namespace MLNet.Pruning.Samples.OneShot;

/// <summary>
/// The dense network that WoodFisher, CBS and CHITA are compared on, at seven sparsities: by size, in one stage and in many. A seed draws the calibration rows
/// and the 5,000 of the 60,000 training images that choose between the ways that one stage tries.
/// </summary>
internal static class MlpNet
{
    /// <summary>Calibration rows: of the one stage, and of each of many, which take turns.</summary>
    private const int Rows = 20_000, RowsAStage = 5_000;

    private const double Ridge = 5;

    /// <summary>By the name of the recipe.</summary>
    public static IReadOnlyDictionary<string, double[]> Sparsities { get; } = new Dictionary<string, double[]>
    {
        ["mlpnet"] = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98], ["mlpnet-0.8"] = [0.8],
    };

    public static IReadOnlyList<string> Ways { get; } = ["by size", "one stage", "many stages"];

    public static Recipe Recipe(string name, string path)
    {
        var dense = new Lazy<Network>(() => Network.FromOnnx(path));
        return new(name, () => dense.Value,
        [
            new("dense", 0, $"{Path.GetFileName(path)} as it is", (ml, run) => Load(ml, run, dense.Value)),
            .. Sparsities[name].SelectMany(sparsity => Ways.Select(way => Stage(sparsity, way, dense))),
        ])
        {
            IsChain = false, Rows = (ml, folder, _) => MnistFiles.Training(ml, folder!, Pixel),
        };
    }

    /// <summary>Name of the stage of a sparsity and a way.</summary>
    public static string Name(double sparsity, string way) => string.Create(CultureInfo.InvariantCulture, $"{way} {sparsity}");

    /// <summary>A pixel, from 0 to 1, as the network was trained with it.</summary>
    public static float Pixel(float value) => (value - 0.1307f) / 0.3081f;

    private static Stage Stage(double sparsity, string way, Lazy<Network> dense)
    {
        var one = new OneShotOptions { Amount = Amount.Fraction(sparsity), Rows = Rows };
        var many = new PruningOptions
        {
            Amount = Amount.Fraction(sparsity), Importance = Importance.CombinatorialBrainSurgeon(RowsAStage, Ridge), Schedule = Schedule.Cubic(12).Hold(18),
            Recovery = Recovery.None, FineTuneEpochs = 0,
        };
        return way switch
        {
            "by size" => new(Name(sparsity, way), 1, "L1", (ml, run)
                => new Measured(run, Load(ml, run, dense.Value).Append(ml.Transforms.Prune(new PruningOptions
                {
                    Amount = Amount.Fraction(sparsity), Recovery = Recovery.None,
                })))),
            "one stage" => new(Name(sparsity, way), 1, $"the best of {one.Effort} on validation rows, {Rows} rows", (ml, run)
                => new Measured(run, Load(ml, run, dense.Value).Append(ml.Transforms.PruneOneShot(one with { Seed = run.Seed })))),
            _ => new(Name(sparsity, way), 1, $"{many.Importance}, {many.Schedule}", (ml, run)
                => new Measured(run, Load(ml, run, dense.Value).Append(ml.Transforms.Prune(many with { FineTuning = new() { Seed = run.Seed } })))),
        };
    }

    private static LoadNetworkEstimator Load(MLContext ml, StageRun run, Network network) => ml.Transforms.LoadNetwork(new LoadNetworkOptions
    {
        Network = network, ValidationFraction = 5_000.0 / 60_000, Seed = run.Seed,
    });
}
