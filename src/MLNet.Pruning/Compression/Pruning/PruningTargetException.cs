namespace MLNet.Pruning;

/// <summary>A pruning step asks for less than is pruned already.</summary>
public sealed class PruningTargetException : InvalidOperationException
{
    internal PruningTargetException(string message) : base(message)
    {
    }
}
