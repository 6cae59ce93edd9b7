namespace MLNet.Pruning;

/// <summary>No network that the options allow meets a budget; says which layers stand in the way, and by how much.</summary>
public sealed class UnreachableBudgetException : PruningTargetException
{
    private const int Named = 8;

    internal UnreachableBudgetException(Budget budget, string limit, double missing, IEnumerable<BlockingLayer> layers, string problem,
        IEnumerable<string>? reasons = null)
        : this(budget, limit, missing, (IReadOnlyList<BlockingLayer>)[.. layers.Where(layer => layer.Excess > 0).OrderByDescending(layer => layer.Excess)],
            problem, reasons)
    {
    }

    private UnreachableBudgetException(Budget budget, string limit, double missing, IReadOnlyList<BlockingLayer> layers, string problem,
        IEnumerable<string>? reasons)
        : base($"The budget '{budget}' cannot be met: {problem} In the way: {(layers.Count == 0 ? "no layer by itself"
            : string.Join("; ", layers.Take(Named).Select(layer => layer.ToString())) + (layers.Count > Named ? $"; and {layers.Count - Named} more" : ""))}."
            + string.Concat((reasons ?? []).Select(reason => Environment.NewLine + reason)))
        => (Budget, Limit, Missing, Layers) = (budget, limit, missing, layers);

    /// <summary>The budget.</summary>
    public Budget Budget { get; }

    /// <summary>The part of it that is not met, as text.</summary>
    public string Limit { get; }

    /// <summary>By how much the nearest network misses it, in the limit's unit.</summary>
    public double Missing { get; }

    /// <summary>The layers in the way, those that contribute most first.</summary>
    public IReadOnlyList<BlockingLayer> Layers { get; }
}

/// <summary>A layer that keeps a budget from being met.</summary>
public sealed record BlockingLayer
{
    internal BlockingLayer(string layer, double excess, string reason)
        => (Layer, Excess, Reason) = (layer, excess, reason);

    /// <summary>Name of the layer.</summary>
    public string Layer { get; }

    /// <summary>
    /// Where a cost is missed, what the layer still costs at its greatest sparsity, in the limit's unit; where the metric is, by how much it falls too far when
    /// this layer alone is pruned as it would have to be.
    /// </summary>
    public double Excess { get; }

    /// <summary>Why the layer cannot give more.</summary>
    public string Reason { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Layer} by {Excess:0.######} ({Reason})");
}
