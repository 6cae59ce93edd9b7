namespace MLNet.Pruning;

/// <summary>How the analysis reads what can be read in two ways.</summary>
public sealed record StructureOptions
{
    /// <summary>Whether attention shrinks by whole heads; otherwise every head loses the same indices.</summary>
    /// <value>Default true.</value>
    public bool WholeHeads { get; init; } = true;

    /// <summary>
    /// Whether grouped convolutions shrink by whole groups; otherwise every group loses the same indices. Depthwise convolutions shrink by
    /// channels either way.
    /// </summary>
    /// <value>Default false.</value>
    public bool WholeGroups { get; init; }
}
