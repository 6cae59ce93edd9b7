namespace MLNet.Pruning.Pipeline.Steps.PruneOneShot;

/// <summary>A way to choose what goes, and what is tried behind it to make up for that.</summary>
/// <param name="Options">How it is chosen; nothing makes up for it.</param>
/// <param name="Recoveries">What is tried besides nothing.</param>
/// <param name="Cost">How long it takes beside the others, roughly: for nothing but the time that is left.</param>
internal sealed record OneShotWay(PruningOptions Options, IReadOnlyList<Recovery> Recoveries, int Cost);
