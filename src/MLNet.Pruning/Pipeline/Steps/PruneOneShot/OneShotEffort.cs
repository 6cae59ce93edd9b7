namespace MLNet.Pruning;

/// <summary>How much <c>PruneOneShot</c> tries.</summary>
public enum OneShotEffort
{
    /// <summary>A few ways: of weights seven, of structures five.</summary>
    Fast,

    /// <summary>More of them: of weights fifteen, with several settings of the same and with thirty stages instead of one; of structures eight.</summary>
    Thorough,
}
