using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers.FastTree;

public abstract class FastTreeTrainerBase<TOptions, TTransformer, TModel> : TrainerEstimatorBaseWithGroupId<TTransformer, TModel>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TOptions : TreeOptions, new()
    where TModel : class
{
    private static readonly TrainerInfo _info = new(normalization: false, caching: false);

    private protected FastTreeTrainerBase(IHostEnvironment env, TOptions options, SchemaShape.Column label)
        : base(env.Register("FastTreeTraining"), TrainerColumns.Features(options.FeatureColumnName), label,
            TrainerColumns.Weight(options.ExampleWeightColumnName)) => FastTreeTrainerOptions = options;

    public override TrainerInfo Info => _info;

    private protected TOptions FastTreeTrainerOptions { get; }

    private protected sealed override TModel TrainModel(IDataView data, TModel? initial)
    {
        using var channel = Host.Start("Training");
        FastTreeTrainerOptions.Check();
        var rows = ReadTrainingSet(data, channel);
        var trees = GrowTrees(new BinnedRows(rows, FastTreeTrainerOptions.MaximumBinCountPerFeature), rows, channel);
        return CreateModel(trees, rows.FeatureCount);
    }

    private protected abstract TModel CreateModel(Tree[] trees, int featureCount);

    /// <summary>What a tree is to predict of each row, given the scores of the trees before it.</summary>
    private protected abstract void GetTargets(TrainingSet rows, double[] scores, double[] targets);

    /// <summary>Turns the mean targets in the leaves into what the tree adds to the score.</summary>
    private protected virtual void AdjustLeaves(TrainingSet rows, double[] scores, GrownTree tree)
    {
    }

    /// <summary>Whether each tree goes on from the scores of those before it.</summary>
    private protected abstract bool IsBoosted { get; }

    private Tree[] GrowTrees(BinnedRows binned, TrainingSet rows, IChannel channel)
    {
        TOptions options = FastTreeTrainerOptions;
        if (options.BaggingSize > 0 && options.NumberOfTrees % options.BaggingSize != 0)
        {
            throw new InvalidOperationException("Number of trees should be a multiple of number bag size");
        }

        var learner = new TreeLearner(binned, rows, options, forest: !IsBoosted);
        var featureRandom = new Random(options.FeatureSelectionSeed);
        var bagRandom = new Random(options.Seed);
        var (scores, targets) = (new double[rows.Count], new double[rows.Count]);
        int[] bag = [.. Enumerable.Range(0, rows.Count)];
        var trees = new List<Tree>();
        int planned = options.NumberOfTrees, empty = 0;
        GetTargets(rows, scores, targets);
        while (trees.Count < planned)
        {
            bool[] active = ActiveFeatures(rows.FeatureCount, featureRandom);
            if (options.BaggingSize > 0 && trees.Count % options.BaggingSize == 0)
            {
                bag = [.. Enumerable.Range(0, rows.Count).Where(_ => bagRandom.NextDouble() < options.BaggingExampleFraction)];
            }

            if (learner.Grow(bag, targets, active) is not { } tree)
            {
                empty++;
                planned--;
                continue;
            }

            AdjustLeaves(rows, scores, tree);
            trees.Add(tree.ToTree());
            if (IsBoosted)
            {
                tree.AddTo(scores, binned);
                GetTargets(rows, scores, targets);
            }
        }

        if (empty > 0)
        {
            channel.Warning(
                MessageSensitivity.None,
                "{0} of the boosting iterations failed to grow a tree. This is commonly because the minimum documents in leaf "
                + "hyperparameter was set too high for this dataset.",
                empty);
        }

        return [.. trees];
    }

    private bool[] ActiveFeatures(int count, Random random)
    {
        var active = new bool[count];
        do
        {
            for (int i = 0; i < count; i++)
            {
                active[i] = FastTreeTrainerOptions.FeatureFraction >= 1 || random.NextDouble() <= FastTreeTrainerOptions.FeatureFraction;
            }
        }
        while (FastTreeTrainerOptions.FeatureFraction > 0 && !active.Contains(true));

        return active;
    }
}

public abstract class BoostingFastTreeTrainerBase<TOptions, TTransformer, TModel> : FastTreeTrainerBase<TOptions, TTransformer, TModel>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TOptions : BoostedTreeOptions, new()
    where TModel : class
{
    private protected BoostingFastTreeTrainerBase(IHostEnvironment env, TOptions options, SchemaShape.Column label)
        : base(env, options, label)
    {
    }

    private protected sealed override bool IsBoosted => true;
}

public abstract class RandomForestTrainerBase<TOptions, TTransformer, TModel> : FastTreeTrainerBase<TOptions, TTransformer, TModel>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TOptions : FastForestOptionsBase, new()
    where TModel : class
{
    private protected RandomForestTrainerBase(IHostEnvironment env, TOptions options, SchemaShape.Column label)
        : base(env, options, label)
    {
    }

    private protected sealed override bool IsBoosted => false;
}
