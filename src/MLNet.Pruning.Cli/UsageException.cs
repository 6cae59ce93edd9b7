namespace MLNet.Pruning.Cli;

/// <summary>Arguments that contradict each other.</summary>
internal sealed class UsageException(string message) : Exception(message);
