using MLNet.Pruning.Compression.Pruning;

namespace MLNet.Pruning;

/// <summary>
/// Which weights or structures of a network go, and how fast: all that can be said without rows, as <c>network.Prune</c> takes it. What a chain trains and
/// measures beside, <see cref="PruningOptions"/> adds.
/// </summary>
public record SelectionOptions : CriterionOptions
{
    private Amount? _amount;
    private LayerRule[] _layers = [];

    /// <summary>
    /// How much of each pool in scope is gone in the end, those weights or structures included that went before; <see cref="Amount.OfRemaining"/> leaves them
    /// out.
    /// </summary>
    /// <value>Default half; with <see cref="Granularity.NToM"/> what the pattern leaves out, and nothing else. Shares lie in [0, 1).</value>
    public Amount Amount
    {
        get => _amount ?? Granularity.FixedAmount ?? Amount.Fraction(0.5);
        init => _amount = Setting.Present(value);
    }

    /// <summary>
    /// Settings of their own for some layers; of several rules that match a layer the first holds. The layers a rule matches are compared
    /// with each other and not with others.
    /// </summary>
    /// <value>Default none.</value>
    /// <exception cref="ArgumentNullException">The list, or a rule in it, is null.</exception>
    public IReadOnlyList<LayerRule> Layers
    {
        get => Array.AsReadOnly(_layers);
        init => _layers = [.. Setting.Complete(value, nameof(Layers))];
    }

    /// <summary>
    /// Share of every layer's weights or structures, or of the groups of every width, that stays whatever their importance: above 0, at least one. Weights or
    /// structures compared over the whole network can otherwise leave a layer with none. Where it holds back what the amount asks for, others go in
    /// their place; where there are no others, fewer go, and <see cref="PruningReport.Warnings"/> says so. In [0, 1). Not for blocks, which are
    /// whole layers, and not for N:M, which keeps n of every m.
    /// </summary>
    /// <value>Default 0: a layer may lose all.</value>
    /// <exception cref="ArgumentOutOfRangeException">It lies outside [0, 1).</exception>
    public double MinimumKept { get; init => field = Setting.Share(value); }

    /// <summary>
    /// Whether the importance of groups is divided by the mean of their layer before layers are compared; layers of different fan-in have
    /// weights of different size.
    /// </summary>
    /// <value>Default true.</value>
    public bool Normalize { get; init; } = true;

    /// <summary>
    /// Widths that removal leaves are rounded to the nearest multiple, at least one; 1 keeps them exact. Runtimes compute dense convolutions
    /// in blocks of channels: 100 of them take as long as 112, and more than 96.
    /// </summary>
    /// <value>Default null: 16 for layers made by dense convolutions of at least 16 filters, otherwise 1.</value>
    public int? Alignment { get; init => field = Setting.AtLeast(1, value); }

    /// <summary>How fast.</summary>
    /// <value>Default <see cref="Schedule.OneShot"/>.</value>
    public Schedule Schedule { get; init => field = Setting.Present(value); } = Schedule.OneShot;

    /// <summary>Called after every step, on the thread that prunes.</summary>
    /// <value>Default null. The same lines go to <c>MLContext.Log</c>.</value>
    public IProgress<PruningStep>? Progress { get; init; }

    /// <summary>How important a weight or structure is, whichever rule its layer is under.</summary>
    internal Importance Criterion => _layers.Any(rule => rule.Importance is not null) ? new LayeredImportance(Importance, _layers) : Importance;

    /// <summary>The options for the layers of each rule and for those of none, without the rules; only where there are such layers.</summary>
    /// <exception cref="ArgumentException">A rule matches no layer.</exception>
    internal IReadOnlyList<SelectionOptions> Parts(PrunedNetwork network)
    {
        LayerRule.Check(_layers, network.Weights);
        var layers = LayerRule.Divide(_layers, network.Weights);
        var parts = _layers.Select(Under).Append(Under(null)).Select((part, i) => part with { Scope = Scope.Within(layers[i].Contains) }).ToArray();
        // Layers that no rule names may have no weights or structures at all; a rule for such layers is a mistake, which its plan finds.
        return [.. parts.Where((part, i) => layers[i].Count > 0 && (i < _layers.Length || part.HasStructures(network)))];
    }

    /// <summary>Whether anything of the granularity lies within the scope.</summary>
    private bool HasStructures(PrunedNetwork network) => Granularity.IsDepth || (Granularity.Structure is { } structure
        ? Scope.Choose([.. network.Weights.Groups(structure).Families.Where(family => Granularity.Kinds.Contains(family.Kind))],
            family => (family.Axis.Node.Name, family.Axis.Parameter)).Count > 0
        : Scope.Members(network, Granularity).Count > 0);

    /// <summary>Names of the parameters that weights or structures in scope are part of.</summary>
    internal IReadOnlySet<string> Measured(PrunedNetwork network)
    {
        if (Layers.Count > 0)
        {
            return Parts(network).SelectMany(part => part.Measured(network)).ToHashSet();
        }

        if (Granularity.Structure is not { } options)
        {
            return (Granularity.IsDepth ? network.Weights.Parameters : Scope.Members(network, Granularity).Select(member => member.Parameter))
                .Select(parameter => parameter.Name).ToHashSet();
        }

        var structure = network.Weights.Groups(options);
        var families = structure.Families.Where(family => Granularity.Kinds.Contains(family.Kind)).ToArray();
        return Scope.Choose(families, family => (family.Axis.Node.Name, family.Axis.Parameter)).SelectMany(family => family.Groups)
            .SelectMany(group => group.Entries).Select(entry => structure.Coupling.Axes[entry.Axis].Parameter).ToHashSet();
    }

    /// <summary>The options as a rule has them.</summary>
    private SelectionOptions Under(LayerRule? rule)
    {
        var granularity = rule?.Granularity ?? Granularity;
        return this with
        {
            Importance = rule?.Importance ?? Importance,
            _layers = [],
            Granularity = granularity,
            MinimumKept = rule?.MinimumKept ?? MinimumKept,
            _amount = rule?.Amount ?? (granularity.FixedAmount is null ? _amount : null),
        };
    }

    /// <summary>The setting that works on rows, which a chain has and a network alone does not; null for none.</summary>
    internal virtual string? OfRows => null;

    /// <summary>As <see cref="Validate"/>, for networks without rows.</summary>
    /// <exception cref="ArgumentException">A setting works on rows.</exception>
    internal void ValidateAlone()
    {
        Validate();
        if (OfRows is { } setting)
        {
            throw new ArgumentException($"{setting} works on rows, which a network alone does not have: prune in a chain, with ml.Transforms.Prune.", setting);
        }
    }

    /// <exception cref="ArgumentException">Two settings do not go together; the message names both.</exception>
    internal virtual void Validate()
    {
        if (Amount.Budget is not null && !Granularity.Removes)
        {
            throw new ArgumentException($"The amount {Amount} needs structures that are removed; those of granularity '{Granularity}' are set to zero.",
                nameof(Amount));
        }

        if (Granularity.Removes)
        {
            if (Scope.Distribution.IsAllocated || Scope.Distribution.IsLamp)
            {
                throw new ArgumentException($"The distribution '{Scope.Distribution}' needs weights or structures that are set to zero; those of granularity "
                    + $"'{Granularity}' are removed.", nameof(Scope));
            }
        }
        else
        {
            MaskCandidates.Check(Granularity, Scope, Amount);
        }

        foreach (var rule in _layers)
        {
            var part = Under(rule);
            part.Validate();
            if (part.Granularity.Removes != Granularity.Removes)
            {
                throw new ArgumentException($"Structures of granularity '{Granularity}' are {(Granularity.Removes ? "removed" : "set to zero")}, but the "
                    + $"rule for '{rule}' asks for '{part.Granularity}', which are {(part.Granularity.Removes ? "removed" : "set to zero")}: prune in "
                        + "two steps.", nameof(Layers));
            }
        }

        if (Layers.Count > 0 && Amount.Budget is not null)
        {
            throw new ArgumentException("A share of the network's cost is one of all layers, so that rules for layers cannot go with it.", nameof(Layers));
        }

        CheckOrder(this);
    }

    /// <exception cref="ArgumentException">The schedule's order does not go with the weights or structures.</exception>
    private void CheckOrder(SelectionOptions part)
    {
        if (Schedule.Order != LayerOrder.Together && part.Granularity.IsDepth)
        {
            throw new ArgumentException($"A schedule that goes layer by layer prunes within layers; structures of granularity '{part.Granularity}' are whole "
                + "ones.", nameof(Schedule));
        }

        if (Schedule.BatchSize is not null && (part.Granularity.Pattern is not null || Alignment > 1))
        {
            throw new ArgumentException(part.Granularity.Pattern is not null
                ? $"A greedy schedule takes weights or structures one by one, and granularity '{part.Granularity}' one of every group at a time."
                : $"A greedy schedule takes weights or structures one by one, and widths rounded to a multiple of {Alignment} would give them back.",
                    nameof(Schedule));
        }
    }
}
