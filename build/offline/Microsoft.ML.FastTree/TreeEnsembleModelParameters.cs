using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass(typeof(Microsoft.ML.Trainers.FastTree.FastTreeBinaryModelParameters), Microsoft.ML.Trainers.FastTree.FastTreeBinaryModelParameters.LoaderSignature)]
[assembly: LoadableClass(typeof(Microsoft.ML.Trainers.FastTree.FastTreeRegressionModelParameters), Microsoft.ML.Trainers.FastTree.FastTreeRegressionModelParameters.LoaderSignature)]
[assembly: LoadableClass(typeof(Microsoft.ML.Trainers.FastTree.FastForestBinaryModelParameters), Microsoft.ML.Trainers.FastTree.FastForestBinaryModelParameters.LoaderSignature)]
[assembly: LoadableClass(typeof(Microsoft.ML.Trainers.FastTree.FastForestRegressionModelParameters), Microsoft.ML.Trainers.FastTree.FastForestRegressionModelParameters.LoaderSignature)]

namespace Microsoft.ML.Trainers.FastTree;

public abstract class TreeEnsembleModelParameters : ModelParametersBase<float>
{
    private readonly int _featureCount;

    private protected TreeEnsembleModelParameters(Tree[] trees, int featureCount) => (ScoredTrees, _featureCount) = (trees, featureCount);

    private protected TreeEnsembleModelParameters(ModelLoadContext ctx)
        : this(ReadTrees(ctx.Reader), ctx.Reader.ReadInt32())
    {
        if (ScoredTrees.Any(tree => tree.Features.Any(feature => feature < 0 || feature >= _featureCount)))
        {
            throw new FormatException("A tree of the model splits on a feature that there is not");
        }
    }

    private protected Tree[] ScoredTrees { get; }

    private protected sealed override int ScoredFeatureCount => _featureCount;

    private protected abstract string Signature { get; }

    private protected override void ScoreRow(in VBuffer<float> features, ref float score)
    {
        double sum = 0;
        foreach (Tree tree in ScoredTrees)
        {
            sum += features.IsDense ? tree.Score(features.GetValues()) : tree.Score(in features);
        }

        score = (float)sum;
    }

    private protected sealed override void SaveParameters(ModelSaveContext ctx)
    {
        ctx.SetSignature(Signature);
        ctx.Writer.Write(ScoredTrees.Length);
        foreach (Tree tree in ScoredTrees)
        {
            tree.Save(ctx.Writer);
        }

        ctx.Writer.Write(_featureCount);
    }

    private static Tree[] ReadTrees(BinaryReader reader)
    {
        var trees = new Tree[reader.ReadInt32()];
        for (int i = 0; i < trees.Length; i++)
        {
            trees[i] = Tree.Load(reader);
        }

        return trees;
    }
}

public abstract class TreeEnsembleModelParametersBasedOnRegressionTree : TreeEnsembleModelParameters
{
    private protected TreeEnsembleModelParametersBasedOnRegressionTree(Tree[] trees, int featureCount)
        : base(trees, featureCount) => TrainedTreeEnsemble = new RegressionTreeEnsemble(trees);

    private protected TreeEnsembleModelParametersBasedOnRegressionTree(ModelLoadContext ctx)
        : base(ctx) => TrainedTreeEnsemble = new RegressionTreeEnsemble(ScoredTrees);

    public RegressionTreeEnsemble TrainedTreeEnsemble { get; }
}

public abstract class TreeEnsembleModelParametersBasedOnQuantileRegressionTree : TreeEnsembleModelParameters
{
    private protected TreeEnsembleModelParametersBasedOnQuantileRegressionTree(Tree[] trees, int featureCount)
        : base(trees, featureCount) => TrainedTreeEnsemble = new QuantileRegressionTreeEnsemble(trees);

    private protected TreeEnsembleModelParametersBasedOnQuantileRegressionTree(ModelLoadContext ctx)
        : base(ctx) => TrainedTreeEnsemble = new QuantileRegressionTreeEnsemble(ScoredTrees);

    public QuantileRegressionTreeEnsemble TrainedTreeEnsemble { get; }
}

public sealed class FastTreeBinaryModelParameters : TreeEnsembleModelParametersBasedOnRegressionTree
{
    internal const string LoaderSignature = "FastTreeBinaryExec";

    internal FastTreeBinaryModelParameters(Tree[] trees, int featureCount)
        : base(trees, featureCount)
    {
    }

    private FastTreeBinaryModelParameters(ModelLoadContext ctx)
        : base(ctx)
    {
    }

    private protected override string Signature => LoaderSignature;

    private static FastTreeBinaryModelParameters Create(IHostEnvironment env, ModelLoadContext ctx) => new(ctx);
}

public sealed class FastTreeRegressionModelParameters : TreeEnsembleModelParametersBasedOnRegressionTree
{
    internal const string LoaderSignature = "FastTreeRegressionExec";

    internal FastTreeRegressionModelParameters(Tree[] trees, int featureCount)
        : base(trees, featureCount)
    {
    }

    private FastTreeRegressionModelParameters(ModelLoadContext ctx)
        : base(ctx)
    {
    }

    private protected override string Signature => LoaderSignature;

    private static FastTreeRegressionModelParameters Create(IHostEnvironment env, ModelLoadContext ctx) => new(ctx);
}

public sealed class FastForestBinaryModelParameters : TreeEnsembleModelParametersBasedOnQuantileRegressionTree
{
    internal const string LoaderSignature = "FastForestBinaryExec";

    internal FastForestBinaryModelParameters(Tree[] trees, int featureCount)
        : base(trees, featureCount)
    {
    }

    private FastForestBinaryModelParameters(ModelLoadContext ctx)
        : base(ctx)
    {
    }

    private protected override string Signature => LoaderSignature;

    private static FastForestBinaryModelParameters Create(IHostEnvironment env, ModelLoadContext ctx) => new(ctx);
}

public sealed class FastForestRegressionModelParameters : TreeEnsembleModelParametersBasedOnQuantileRegressionTree
{
    internal const string LoaderSignature = "FastForestRegressionExec";

    internal FastForestRegressionModelParameters(Tree[] trees, int featureCount)
        : base(trees, featureCount)
    {
    }

    private FastForestRegressionModelParameters(ModelLoadContext ctx)
        : base(ctx)
    {
    }

    private protected override string Signature => LoaderSignature;

    private protected override void ScoreRow(in VBuffer<float> features, ref float score)
    {
        base.ScoreRow(in features, ref score);
        score /= ScoredTrees.Length;
    }

    private static FastForestRegressionModelParameters Create(IHostEnvironment env, ModelLoadContext ctx) => new(ctx);
}
