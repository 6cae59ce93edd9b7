namespace MLNet.Pruning;

/// <summary>How much <c>PruneOneShot</c> tries.</summary>
public enum OneShotEffort
{
    /// <summary>A few ways: by size, by optimal brain surgeon and by all layers at once; of structures by size, by rows and by a search over groups.</summary>
    Fast,

    /// <summary>More of them, with several settings of the same; of weights also thirty stages instead of one.</summary>
    Thorough,
}
