using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers.FastTree;

public abstract class TreeOptions : TrainerInputBaseWithGroupId
{
    public int Seed = 123;

    public int FeatureSelectionSeed = 123;

    public int MaximumBinCountPerFeature = 255;

    public int NumberOfLeaves = 20;

    public int MinimumExampleCountPerLeaf = 10;

    public int NumberOfTrees = 100;

    public double FeatureFraction = 1;

    public int BaggingSize;

    public double BaggingExampleFraction = 0.7;

    public double FeatureFractionPerSplit = 1;

    public TreeOptions()
    {
    }

    internal virtual void Check()
    {
        Contracts.CheckNonEmpty(FeatureColumnName);
        Contracts.CheckNonEmpty(LabelColumnName);
        Contracts.CheckParam(NumberOfLeaves >= 2, nameof(NumberOfLeaves), "Must be at least 2.");
        Contracts.CheckParam(FeatureFraction is >= 0 and <= 1, nameof(FeatureFraction), "Must be between 0 and 1.");
        Contracts.CheckParam(FeatureFractionPerSplit is >= 0 and <= 1, nameof(FeatureFractionPerSplit), "Must be between 0 and 1.");
        Contracts.CheckParam(MaximumBinCountPerFeature > 0, nameof(MaximumBinCountPerFeature), "Must greater than 0.");
        Contracts.CheckParam(NumberOfTrees > 0, nameof(NumberOfTrees), "Must be positive.");
        Contracts.CheckParam(BaggingSize >= 0, nameof(BaggingSize), "Must be non-negative.");
        Contracts.CheckParam(BaggingExampleFraction is >= 0 and <= 1, nameof(BaggingExampleFraction), "Must be between 0 and 1.");
    }
}

public abstract class BoostedTreeOptions : TreeOptions
{
    public double LearningRate = 0.2;

    public double Shrinkage = 1;

    public double MaximumTreeOutput = 100;

    public BoostedTreeOptions()
    {
    }

    internal override void Check()
    {
        base.Check();
        Contracts.CheckParam(MaximumTreeOutput >= 0, nameof(MaximumTreeOutput), "Must be non-negative.");
        Contracts.CheckParam(Shrinkage > 0, nameof(Shrinkage), "Must be positive.");
    }
}

public abstract class FastForestOptionsBase : TreeOptions
{
    internal FastForestOptionsBase()
    {
        FeatureFraction = 0.7;
        BaggingSize = 1;
        FeatureFractionPerSplit = 0.7;
    }
}
