namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Several networks of one structure that lose the same candidates.</summary>
internal static class SharedPruning
{
    /// <exception cref="ArgumentException">There is no network, or two differ in structure; the message names both.</exception>
    public static void Check(IReadOnlyList<Network> networks)
    {
        if (networks.Count == 0)
        {
            throw new ArgumentException("Give at least one network.", nameof(networks));
        }

        for (var i = 0; i < networks.Count; i++)
        {
            ArgumentNullException.ThrowIfNull(networks[i], nameof(networks));
            if (Difference(networks[0], networks[i]) is { } difference)
            {
                throw new ArgumentException($"Networks 0 and {i} cannot be pruned together, for they differ in structure: {difference}.", nameof(networks));
            }
        }
    }

    public static IReadOnlyList<PrunedNetwork> Run(IReadOnlyList<Network> networks, SelectionOptions options)
    {
        // What are checkpoints to the first network loses whatever that loses.
        var pruned = new PrunedNetwork(networks[0], ImmutableDictionary<string, WeightMask>.Empty,
            networks.Index().Skip(1).ToImmutableDictionary(entry => Name(entry.Index), entry => entry.Item));
        pruned = PruningPlan.Run(options, pruned, new SharedImportance(options.Criterion));
        return [.. Members(pruned)];
    }

    /// <summary>The first of them and its checkpoints, each under the masks of all.</summary>
    public static IEnumerable<PrunedNetwork> Members(PrunedNetwork pruned) => Enumerable.Range(0, 1 + pruned.Checkpoints.Count)
        .Select(place => new PrunedNetwork(place == 0 ? pruned.Weights : pruned.Checkpoints[Name(place)], pruned.Masks));

    private static string Name(int place) => place.ToString(CultureInfo.InvariantCulture);

    private static string? Difference(Network first, Network other)
    {
        if (first.Nodes.Length != other.Nodes.Length)
        {
            return $"{first.Nodes.Length} nodes and {other.Nodes.Length}";
        }

        foreach (var (own, others) in first.Nodes.Zip(other.Nodes))
        {
            if (own.Operator != others.Operator || own.Domain != others.Domain || !own.Inputs.SequenceEqual(others.Inputs)
                || !own.Outputs.SequenceEqual(others.Outputs))
            {
                return $"node '{own.Name}' ({own.Operator} of {string.Join(", ", own.Inputs)}) and '{others.Name}' ({others.Operator} of "
                    + $"{string.Join(", ", others.Inputs)})";
            }
        }

        foreach (var parameter in first.Parameters)
        {
            if (!other.TryGetParameter(parameter.Name, out var twin) || !twin.Shape.SequenceEqual(parameter.Shape))
            {
                return twin is null ? $"parameter {parameter} is in the first alone" : $"parameter {parameter} and {twin}";
            }
        }

        return first.Parameters.Length == other.Parameters.Length ? null : $"{first.Parameters.Length} parameters and {other.Parameters.Length}";
    }
}
