namespace MLNet.Pruning;

/// <summary>How much <c>PruneOneShot</c> tries.</summary>
public enum OneShotEffort
{
    /// <summary>A few methods, each once: for weights some four, of a minute together for a small network.</summary>
    Fast,

    /// <summary>More of them, with several settings of each, and for weights twenty stages instead of one: about ten times as long.</summary>
    Thorough,
}
