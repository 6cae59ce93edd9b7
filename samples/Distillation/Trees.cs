using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Samples.Distillation;

/// <summary>200 trees of FastTree on the breast cancer table of Wisconsin teach a network of 30-32-1.</summary>
internal static class Trees
{
    private const int Epochs = 60;
    private const double TestFraction = 0.2;

    public static Recipe Recipe { get; } = new("trees", Student,
    [
        new("alone", Epochs, $"30-32-1 on standardised values, {Describe}",
            (ml, run) => Standardise(ml).Append(ml.BinaryClassification.Trainers.NeuralNetwork(Options(run, null)))),
        new("taught", Epochs, $"30-32-1 on standardised values, {Describe}, distilled from 200 trees of FastTree (temperature 2, weight 0.7)",
            (ml, run) => Standardise(ml).Append(ml.BinaryClassification.Trainers.FastTree(numberOfTrees: 200))
                .Append(ml.Transforms.Distill(Options(run, MLNet.Pruning.Distillation.Response(2, 0.7))))),
    ])
    {
        NeedsData = false,
        IsChain = false,
        Rows = (ml, _, seed) => Split(ml, seed).TrainSet,
    };

    private static string Describe => $"{Epochs} epochs of AdamW from 3e-3 along half a cosine, weight decay 1, batches of 32, rows of a fifth of the table "
        + "held back by the seed for the test";

    /// <summary>A fifth of the table for the test, another for each seed.</summary>
    public static DataOperationsCatalog.TrainTestData Split(MLContext ml, int seed)
    {
        var rows = ml.Data.LoadFromTextFile(Path.Combine(AppContext.BaseDirectory, "breast_cancer.csv"),
            [new("Features", DataKind.Single, 0, 29), new("Class", DataKind.Single, 30)], separatorChar: ',', hasHeader: true);
        var labelled = ml.Transforms.CustomMapping<Class, Side>((from, to) => to.Label = from.Value == 1, contractName: null).Fit(rows).Transform(rows);
        return ml.Data.TrainTestSplit(ml.Data.Cache(labelled), TestFraction, seed: seed);
    }

    private static Network Student() => Network.Mlp(30, 32, 1);

    private static IEstimator<ITransformer> Standardise(MLContext ml) => ml.Transforms.NormalizeMeanVariance("Features", fixZero: false);

    private static NeuralNetworkOptions Options(StageRun run, MLNet.Pruning.Distillation? distillation) => new()
    {
        Network = Student(),
        Epochs = Epochs,
        BatchSize = 32,
        LearningRate = 3e-3,
        LearningRateSchedule = LearningRateSchedule.Cosine(0.01),
        Optimizer = Optimizer.AdamW(),
        WeightDecay = 1,
        Distillation = distillation,
        Seed = run.Seed,
        Progress = run.Progress,
    };

    internal sealed class Class
    {
        [ColumnName("Class")]
        public float Value { get; set; }
    }

    internal sealed class Side
    {
        public bool Label { get; set; }
    }
}
