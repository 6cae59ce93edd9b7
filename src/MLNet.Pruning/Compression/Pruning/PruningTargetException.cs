namespace MLNet.Pruning;

/// <summary>A pruning step asks for less than is pruned already, or for what the network cannot reach.</summary>
public class PruningTargetException : InvalidOperationException
{
    internal PruningTargetException(string message) : base(message)
    {
    }
}
