namespace MLNet.Pruning;

/// <summary>What can stand in the way of a smaller or faster model.</summary>
public enum FindingKind
{
    /// <summary>Time spent on multiplying by single zero weights, which a dense kernel multiplies like others.</summary>
    ZerosMultiplied,

    /// <summary>Neurons, filters and other structures that are zero and can be removed without any change of the outputs.</summary>
    RemovableUnits,

    /// <summary>Time spent on weights that are not zero but on no path from the input to the output.</summary>
    DeadWeights,

    /// <summary>Convolutions that would be faster at a larger width, a multiple of 16, since theirs fall out of the blocked layout.</summary>
    UnalignedWidths,

    /// <summary>Dense layers that wait for their weights to be read, as each is used for one row.</summary>
    MemoryBound,

    /// <summary>Operators that run by themselves since something keeps them from being fused into a layer.</summary>
    UnfusedOperators,

    /// <summary>Quantised layers that compute in floats, behind a conversion of what a file holds as integers.</summary>
    UnfusedIntegers,

    /// <summary>A row takes less time in a larger batch.</summary>
    BatchSize,

    /// <summary>Another number of threads takes less time.</summary>
    Threads,

    /// <summary>Time of a run that is spent between the nodes, not in them.</summary>
    BetweenNodes,

    /// <summary>Time of scoring rows that the chain's other transforms take.</summary>
    OtherTransforms,

    /// <summary>Time of scoring rows that reading them takes.</summary>
    ReadingRows,

    /// <summary>Bytes of the file that are zeros.</summary>
    ZerosStored,

    /// <summary>Bytes of the file that hold few different values as floats.</summary>
    FewValues,

    /// <summary>Bytes of networks in a chain that a later step superseded.</summary>
    SupersededNetworks,
}
