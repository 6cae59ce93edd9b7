namespace MLNet.Pruning;

/// <summary>One thing that stands in the way of a smaller or faster model, with what it costs and what to do about it.</summary>
public sealed record DiagnosisFinding
{
    internal DiagnosisFinding(FindingKind kind, IEnumerable<FindingPlace> places, double share, string why, string advice, string? command = null)
        => (Kind, Places, Share, Why, Advice, Command)
            = (kind, [.. places.OrderByDescending(place => place.Share)], Math.Clamp(share, 0, 1), why, advice, command);

    /// <summary>What it is.</summary>
    public FindingKind Kind { get; }

    /// <summary>
    /// Where it is, the place of the largest share first: layers, nodes, tensors or steps; none where it is the network as a whole.
    /// </summary>
    public IReadOnlyList<FindingPlace> Places { get; }

    /// <summary>
    /// Measured share in [0, 1] that it costs: of the time of a run, of the bytes of the file (<see cref="FindingKind.ZerosStored"/>,
    /// <see cref="FindingKind.FewValues"/>), of the bytes of all networks (<see cref="FindingKind.SupersededNetworks"/>), or of the time of scoring rows
    /// (<see cref="FindingKind.OtherTransforms"/>, <see cref="FindingKind.ReadingRows"/>).
    /// </summary>
    public double Share { get; }

    /// <summary>Why it costs that.</summary>
    public string Why { get; }

    /// <summary>What to do, as calls in code.</summary>
    public string Advice { get; }

    /// <summary>What to do, as arguments of <c>mlnet-prune</c> for a file <c>model.onnx</c>; null where no command does it.</summary>
    public string? Command { get; }

    internal string Of => Kind switch
    {
        FindingKind.ZerosStored or FindingKind.FewValues => "of the file",
        FindingKind.SupersededNetworks => "of all networks' bytes",
        FindingKind.OtherTransforms or FindingKind.ReadingRows => "of the time of scoring rows",
        _ => "of the time",
    };

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind}: {Share:P0} {Of}; {Why}");
}

/// <summary>Where a finding is.</summary>
public sealed record FindingPlace
{
    internal FindingPlace(string name, double share) => (Name, Share) = (name, share);

    /// <summary>Name of the layer, node, tensor or step.</summary>
    public string Name { get; }

    /// <summary>Its part of the finding's share, in [0, 1].</summary>
    public double Share { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} ({Share:P0})");
}
