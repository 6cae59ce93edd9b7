namespace MLNet.Pruning;

/// <summary>Which objects are measured on, by their size in pixels as COCO has it.</summary>
public enum ObjectSize
{
    /// <summary>All.</summary>
    Any,

    /// <summary>Those of at most 32 x 32 pixels.</summary>
    Small,

    /// <summary>Those of 32 x 32 to 96 x 96 pixels.</summary>
    Medium,

    /// <summary>Those of at least 96 x 96 pixels.</summary>
    Large,
}
