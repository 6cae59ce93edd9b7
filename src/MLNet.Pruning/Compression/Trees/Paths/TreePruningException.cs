namespace MLNet.Pruning;

/// <summary>An ensemble of trees cannot be pruned as asked: it has one tree only, nothing is left to prune, or the amount cannot be reached.</summary>
public sealed class TreePruningException : InvalidOperationException
{
    internal TreePruningException(string message) : base(message)
    {
    }
}
