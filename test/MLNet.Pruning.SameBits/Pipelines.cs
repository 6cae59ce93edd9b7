using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.SameBits;

/// <summary>Small pipelines, one or more of every kind of step and of every part of it that draws or adds up numbers.</summary>
internal static class Pipelines
{
    private static readonly string[] s_names = ["first", "second", "third", "fourth"];

    public static IEnumerable<(string Name, Func<MLContext, (ITransformer Model, string Report)> Fit)> All =>
    [
        .. Prunings().Select(pruning => (pruning.Name, Fit: Pruned(pruning.Options))),
        ("regularised", Trained(new() { Regularization = Regularization.L1(1e-3) + Regularization.GroupLasso(1e-3), TargetedDropout = new(0.5, 0.5) })),
        ("distilled", Distilled(Distillation.Response() + Distillation.Relations())),
        ("AutoPrune, weights", Searched(Budget.Parameters(150), Granularity.Weight, SearchStrategy.SensitivityGuided)),
        ("AutoPrune, neurons", Searched(Budget.Parameters(150), Granularity.Neuron, SearchStrategy.Evolutionary(4, 2))),
        ("AutoPrune, dynamic programming", Searched(Budget.MultiplyAdds(150), Granularity.Weight, SearchStrategy.DynamicProgramming(6))),
        ("AutoPrune, policy", Searched(Budget.MultiplyAdds(150), Granularity.Neuron, SearchStrategy.LearnedPolicy(4, 2))),
        ("sensitivity", Measured),
        .. Enum.GetValues<TreePruningMethod>().Select(method => ($"trees, {method}", Trees(method))),
        ("masks put together", Masked),
    ];

    public static IEnumerable<float> Scores(ITransformer model, MLContext ml)
    {
        var scored = model.Transform(Rows.Of(ml));
        return scored.Schema["Score"].Type is VectorDataViewType ? scored.GetColumn<float[]>("Score").SelectMany(row => row) : scored.GetColumn<float>("Score");
    }

    private static IEnumerable<(string Name, PruningOptions Options)> Prunings()
    {
        foreach (var training in new[]
        {
            SparseTraining.Gradual(every: 2), SparseTraining.Soft(every: 2), SparseTraining.Surgery(every: 2), SparseTraining.RigL(every: 2),
            SparseTraining.Set(every: 2),
            SparseTraining.L0(), SparseTraining.VariationalDropout(),
        })
        {
            yield return ($"{training}", new() { Training = training, FineTuneEpochs = 4 });
        }

        foreach (var importance in new[]
        {
            Importance.Random(), Importance.Movement(epochs: 2), Importance.DiagonalHessian(), Importance.OptimalBrainSurgeon(), Importance.Wanda(),
            Importance.WandaPlusPlus(), Importance.Grasp(), Importance.Snip(), Importance.SynFlow, Importance.WoodFisher(),
            Importance.OptimalBrainSurgeon(order: SurgeonOrder.Greedy),
        })
        {
            yield return ($"{importance}", new() { Importance = importance, Schedule = Schedule.Cubic(2), FineTuneEpochs = 1 });
        }

        yield return ("Erdos-Renyi", new() { Scope = Scope.Distributed(Distribution.ErdosRenyi), Importance = Importance.Random() });
        yield return ("LAMP", new() { Scope = Scope.Distributed(Distribution.Lamp) });
        yield return ("LossChange, greedy", new() { Importance = Importance.LossChange(), Granularity = Granularity.Neuron, Amount = Amount.Count(3),
            Schedule = Schedule.OneShot.Greedy(), Alignment = 1 });
        yield return ("ActivationMean, rewound", new() { Importance = Importance.ActivationMean(), Granularity = Granularity.Neuron, Rewind = Rewind.ToInitial,
            FineTuneEpochs = 1, Alignment = 1 });
        yield return ("Osscar", new() { Importance = Importance.Osscar(), Granularity = Granularity.Neuron, Alignment = 1 });
        yield return ("Reconstruct", new() { Recovery = Recovery.Reconstruct() });
        yield return ("Newton", new() { Recovery = Recovery.Newton() });
        yield return ("MergeNearest", new() { Recovery = Recovery.MergeNearest(), Granularity = Granularity.Neuron, Alignment = 1 });
        yield return ("LowRank", new() { Recovery = Recovery.LowRank(1), Amount = Amount.Fraction(0.9) });
    }

    private static NeuralNetworkOptions Options(TrainingOptions? training = null) => new()
    {
        // Names of their own: what depends on the hashes of names differs more often with more of them.
        Network = Network.Sequential([Rows.Width], Layer.Dense(10, name: s_names[0]), Layer.Relu(), Layer.Dense(9, name: s_names[1]), Layer.Relu(),
            Layer.Dense(8, name: s_names[2]),
            Layer.Relu(), Layer.Dense(3, name: s_names[3])),
        LabelColumnName = "Class",
        Epochs = 3,
        BatchSize = 10,
        ValidationFraction = 0.2,
        Regularization = training?.Regularization,
        TargetedDropout = training?.TargetedDropout,
    };

    private static Func<MLContext, (ITransformer, string)> Pruned(PruningOptions options) => ml =>
    {
        var model = ml.MulticlassClassification.Trainers.NeuralNetwork(Options()).Append(ml.Transforms.Prune(options)).Fit(Rows.Of(ml));
        return (model, $"{model.LastTransformer.Report}");
    };

    private static Func<MLContext, (ITransformer, string)> Trained(TrainingOptions training)
        => ml => (ml.MulticlassClassification.Trainers.NeuralNetwork(Options(training)).Append(ml.Transforms.FineTune(epochs: 1)).Fit(Rows.Of(ml)), "");

    private static Func<MLContext, (ITransformer, string)> Distilled(Distillation distillation) => ml =>
    {
        var student = Options() with { Network = Network.Mlp(Rows.Width, 5, 3), Distillation = distillation };
        return (ml.MulticlassClassification.Trainers.NeuralNetwork(Options()).Append(ml.Transforms.Distill(student)).Fit(Rows.Of(ml)), "");
    };

    private static Func<MLContext, (ITransformer, string)> Searched(Budget budget, Granularity granularity, SearchStrategy strategy) => ml =>
    {
        var model = ml.MulticlassClassification.Trainers.NeuralNetwork(Options())
            .Append(ml.Transforms.AutoPrune(budget, granularity, strategy, fineTuneEpochs: 1)).Fit(Rows.Of(ml));
        return (model, $"{model.LastTransformer.Report}");
    };

    private static (ITransformer, string) Measured(MLContext ml)
    {
        var model = ml.MulticlassClassification.Trainers.NeuralNetwork(Options()).Fit(Rows.Of(ml));
        return (model, $"{ml.Compression().Sensitivity(model, Rows.Of(ml), new() { Importance = Importance.Taylor() })}");
    }

    private static Func<MLContext, (ITransformer, string)> Trees(TreePruningMethod method) => ml =>
    {
        var options = new TreePruningOptions { Budget = Budget.NodeFraction(0.6), Method = method, LabelColumnName = "Side", ValidationFraction = 0.4 };
        var pruned = ml.Transforms.PruneTrees(ml.BinaryClassification.Trainers.FastForest("Side", numberOfTrees: 6, minimumExampleCountPerLeaf: 2), options)
            .Fit(Rows.Of(ml));
        return (pruned, $"{pruned.Report}");
    };

    private static (ITransformer, string) Masked(MLContext ml)
    {
        var model = ml.MulticlassClassification.Trainers.NeuralNetwork(Options()).Fit(Rows.Of(ml));
        var masks = Enumerable.Range(0, 3).Select(seed => model.Network.Prune(Amount.Fraction(0.5), Importance.Random(seed)).Masks).ToArray();
        var pruned = model.Network.WithMasks(WeightMask.Vote(2, masks)).Network;
        return (ml.Transforms.LoadNetwork(pruned, labelColumnName: "Class").Fit(Rows.Of(ml)), $"{pruned}");
    }
}
