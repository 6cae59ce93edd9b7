namespace MLNet.Pruning;

/// <summary>What an ensemble of trees holds.</summary>
public sealed record TreeCost
{
    [JsonConstructor]
    internal TreeCost(int trees, int nodes, int leaves, int depth, long bytes)
        => (Trees, Nodes, Leaves, Depth, Bytes) = (trees, nodes, leaves, depth, bytes);

    /// <summary>Trees with at least one split.</summary>
    public int Trees { get; }

    /// <summary>Splits, as ML.NET's NumberOfNodes counts them.</summary>
    public int Nodes { get; }

    /// <summary>Leaves.</summary>
    public int Leaves { get; }

    /// <summary>Splits on the longest path from a root.</summary>
    public int Depth { get; }

    /// <summary>16 a split (feature, threshold, two children) and 8 a leaf.</summary>
    public long Bytes { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Trees:N0} trees, {Nodes:N0} nodes, {Leaves:N0} leaves, depth {Depth:N0}, {Bytes:N0} bytes");
}
