using MLNet.Pruning.Compression.Trees.Ensembles;

namespace MLNet.Pruning.Compression.Trees.Paths;

/// <summary>An ensemble taken apart step by step: each step is at most as large as the one before.</summary>
internal interface ITreePath
{
    /// <summary>Steps there are; step 0 is the ensemble as given.</summary>
    int Steps { get; }

    DecisionTreeEnsemble At(int step);
}
