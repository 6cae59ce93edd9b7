namespace MLNet.Pruning;

/// <summary>How the importance of a group that goes together follows from its members: the weights that make it and those that read it.</summary>
public enum GroupImportance
{
    /// <summary>The mean over its members (Fang et al. 2023, "DepGraph").</summary>
    Mean,

    /// <summary>The sum over its members.</summary>
    Sum,

    /// <summary>The largest of its members'.</summary>
    Max,

    /// <summary>That of the weight that makes it alone: its filter, its row.</summary>
    Root,
}
