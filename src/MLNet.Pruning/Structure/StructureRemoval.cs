using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Operators;
using MLNet.Pruning.Threading;

namespace MLNet.Pruning.Structure;

/// <summary>
/// Removes groups from a network: parameters lose their slices, what encodes sizes in the graph is rewritten, and all shapes are inferred
/// and checked anew. The network it was given stays as it is.
/// </summary>
internal sealed class StructureRemoval
{
    private readonly NetworkStructure _structure;
    private readonly bool[] _dropped;

    /// <param name="structure">The groups.</param>
    /// <param name="groups">Those to remove.</param>
    public StructureRemoval(NetworkStructure structure, IEnumerable<PruningGroup> groups)
    {
        _structure = structure;
        _dropped = new bool[structure.Coupling.Classes.Count];
        foreach (var group in groups)
        {
            _dropped[group.Root] = true;
        }

        Kept = structure.Coupling.Axes.Where(axis => axis.Classes.Any(Drops))
            .GroupBy(axis => axis.Parameter)
            .ToImmutableDictionary(axes => axes.Key, axes => (IReadOnlyDictionary<int, int[]>)axes.OrderBy(axis => axis.Dimension)
                .ToDictionary(axis => axis.Dimension, axis => KeptIndices(axis.Classes)));
    }

    /// <exception cref="ArgumentException">A group is of a network with another graph, or nothing would be left of a layer.</exception>
    public static StructureRemoval Of(Network network, IReadOnlyList<PruningGroup> groups)
    {
        var structure = network.Groups(groups[0].Structure.Options);
        if (groups.FirstOrDefault(group => group.Structure != structure) is { } other)
        {
            throw new ArgumentException($"The group {other.Number} of layer '{other.Layer}' belongs to another network: "
                + "give groups of this network's Groups(), all with the same options.", nameof(groups));
        }

        var removal = new StructureRemoval(structure, groups);
        return removal.Emptied().FirstOrDefault() is not { Name: not null } emptied ? removal
            : throw new ArgumentException($"Nothing would be left of '{emptied.Name}': keep at least one group.", nameof(groups));
    }

    /// <summary>Dimensions of which nothing would be left, of parameters and of tensors between the nodes.</summary>
    public IEnumerable<(string Name, int[] Classes)> Emptied()
        => _structure.Coupling.Axes.Select(axis => ($"{axis.Parameter}, dimension {axis.Dimension}", axis.Classes))
            .Concat(_structure.Coupling.Values.SelectMany(value => value.Value.Axes.Where(axis => axis.IsLive).Select(axis => (value.Key, axis.Classes!))))
            .Where(dimension => KeptCount(dimension.Item2) == 0);

    /// <summary>Indices that stay, by parameter and dimension, where some go.</summary>
    public ImmutableDictionary<string, IReadOnlyDictionary<int, int[]>> Kept { get; }

    /// <summary>The smaller network.</summary>
    /// <param name="network">The network of the structure, or one of the same graph with other weights.</param>
    public Network Remove(Network network) => Remove([network])[0];

    /// <summary>The smaller networks: of one graph where they were of one, and what they have in common shrinks once.</summary>
    /// <param name="networks">Networks of the structure's graph, or of graphs like it.</param>
    public Network[] Remove(IReadOnlyList<Network> networks)
    {
        var whole = networks.SelectMany(network => network.Parameters).Where(parameter => Kept.ContainsKey(parameter.Name)).Distinct().ToArray();
        var parts = new Parameter[whole.Length];
        PartLoop.Run(whole.Length, i => parts[i] = Shrink(whole[i], Kept[whole[i].Name]));
        var (shrunk, removed) = (whole.Zip(parts).ToDictionary(), new Dictionary<Network, Network>());
        foreach (var network in networks.Distinct())
        {
            ImmutableArray<Parameter> parameters = [.. network.Parameters.Select(parameter => shrunk.GetValueOrDefault(parameter, parameter))];
            removed[network] = removed.FirstOrDefault(other => other.Key.Graph == network.Graph).Value?.WithParameters(parameters)
                ?? new Network(network.Parts with
            {
                Nodes = [.. network.Nodes.Select(Rewrite)],
                Parameters = parameters,
                Metadata = KeptMetadata.Compose(network.Graph.Metadata, network, Kept, Unmasked()),
                AsRead = false,
            });
        }

        return [.. networks.Select(network => removed[network])];
    }

    /// <summary>The network of the same size with the same groups at zero, which computes the same.</summary>
    public Network Mask(Network network) => network.WithParameters(_structure.Coupling.Axes
        .Where(axis => axis.Role != AxisRole.RemovedOnly && Kept.ContainsKey(axis.Parameter)).GroupBy(axis => axis.Parameter)
        .Select(axes =>
        {
            var parameter = network[axes.Key];
            var values = GC.AllocateUninitializedArray<float>(parameter.Count, pinned: true);
            parameter.Values.CopyTo(values);
            foreach (var axis in axes)
            {
                foreach (var (slice, start, length) in SliceRuns.Of(parameter.Shape, axis.Dimension))
                {
                    if (Drops(axis.Classes[slice]))
                    {
                        values.AsSpan(start, length).Clear();
                    }
                }
            }

            return parameter.WithValues(values);
        }));

    /// <summary>For every trained parameter that loses something, what it keeps; the masked network computes what the smaller one does.</summary>
    public ImmutableDictionary<string, WeightMask> Masks(Network network)
    {
        var whole = network.WithParameters(network.Parameters.Where(parameter => parameter.Trainable)
            .Select(parameter => parameter.WithValues(Enumerable.Repeat(1f, parameter.Count).ToArray())));
        return Mask(whole).Parameters.Where(parameter => parameter.Trainable && parameter.Values.Contains(0f))
            .ToImmutableDictionary(parameter => parameter.Name, parameter => new WeightMask([.. parameter.Values.ToArray().Select(value => value != 0)]));
    }

    /// <summary>A mask without the slices that go.</summary>
    public WeightMask Shrink(Parameter parameter, WeightMask mask)
    {
        if (!Kept.TryGetValue(parameter.Name, out var kept))
        {
            return mask;
        }

        var ones = new float[parameter.Count];
        Array.Fill(ones, 1f);
        var (values, _) = Shrink(mask.Apply(ones), parameter.Shape, kept);
        return new WeightMask([.. values.Select(value => value != 0)]);
    }

    private static Parameter Shrink(Parameter parameter, IReadOnlyDictionary<int, int[]> kept)
    {
        if (!parameter.IsInitialized)
        {
            return parameter.WithShape([.. parameter.Shape.Select((size, d) => kept.TryGetValue(d, out var indices) ? indices.Length : size)]);
        }

        var (values, shape) = Shrink(parameter.Array, parameter.Shape, kept);
        return parameter.WithValues(shape, values, parameter.Grid?.Keep(parameter.Name, parameter.Shape, kept));
    }

    private static (float[] Values, ImmutableArray<int> Shape) Shrink(float[] values, ImmutableArray<int> shape, IReadOnlyDictionary<int, int[]> kept)
    {
        ImmutableArray<int> smaller = [.. shape.Select((size, d) => kept.TryGetValue(d, out var indices) ? indices.Length : size)];
        var left = GC.AllocateUninitializedArray<float>(smaller.Aggregate(1, (product, size) => product * size), pinned: true);
        // One copy of what stays: neighbours in the last dimension that loses something are moved together, with all that lies behind it.
        var (last, next) = (kept.Keys.Max(), 0);
        var inner = shape.Skip(last + 1).Aggregate(1, (product, size) => product * size);
        var runs = IndexRanges.Runs(kept[last]).ToArray();
        Copy(0, 0);
        return (left, smaller);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void Copy(int dimension, int place)
        {
            if (dimension == last)
            {
                foreach (var (start, length) in runs)
                {
                    values.AsSpan((place * shape[last] + start) * inner, length * inner).CopyTo(left.AsSpan(next));
                    next += length * inner;
                }

                return;
            }

            var indices = kept.GetValueOrDefault(dimension);
            for (var i = 0; i < smaller[dimension]; i++)
            {
                Copy(dimension + 1, place * shape[dimension] + (indices is null ? i : indices[i]));
            }
        }
    }

    private HashSet<string> Unmasked() => [.. _structure.Coupling.Axes
        .Where(axis => axis.Role == AxisRole.RemovedOnly && Kept.TryGetValue(axis.Parameter, out var kept) && kept.ContainsKey(axis.Dimension))
        .Select(axis => axis.Parameter)];

    private NetworkGraph Graph => _structure.Coupling.Graph;

    private bool Drops(int index) => _dropped[_structure.Coupling.Classes.Find(index)];

    private int[] KeptIndices(int[] classes) => [.. Enumerable.Range(0, classes.Length).Where(i => !Drops(classes[i]))];

    private int KeptCount(int[] classes)
    {
        var kept = 0;
        foreach (var index in classes)
        {
            kept += Drops(index) ? 0 : 1;
        }

        return kept;
    }

    /// <summary>The sizes of a tensor after the removal.</summary>
    private int[] Sizes(string tensor)
    {
        var shape = Graph.Find(tensor)!.Shape;
        return _structure.Coupling.Values.TryGetValue(tensor, out var value)
            ? [.. value.Axes.Select((axis, d) => axis.Classes is { } classes ? Graph.Symbols.Product(axis.Outer, KeptCount(classes), axis.Inner) : shape[d])]
            : [.. shape];
    }

    private Node Rewrite(Node node)
    {
        if (CarriedShapes.IsGroupedQueries(node) && _structure.Coupling.Values[node.Outputs[0]].Axes is [_, _, { IsLive: true }])
        {
            return GroupedQueryCoupling.Rewrite(node, name => Graph.Find(name)!.Shape, Sizes);
        }

        if (node.Domain.Length > 0 || node.Inputs.Any(input => input.Length > 0 && !Graph.Find(input)!.IsKnown))
        {
            return node;
        }

        switch (node.Operator)
        {
            case "Reshape" or "Expand" or "ConstantOfShape" when node.Attributes.ContainsKey("shape"):
                return node.With("shape", Sizes(node.Outputs[0]).Select(size => (long)size).ToArray());
            case "Tile" when node.Attributes.ContainsKey("repeats"):
                var (single, widened) = (Graph.Find(node.Inputs[0])!.Shape, Sizes(node.Outputs[0]));
                return node.With("repeats", node.Ints("repeats").Select((times, d) => single[d] == 1 ? widened[d] : times).ToArray());
            case "Split" when node.Attributes.ContainsKey("split"):
                var axis = Dimension(node, node.Inputs[0]);
                return node.With("split", node.Outputs.Select((output, i) => output.Length > 0 ? (long)Sizes(output)[axis] : node.Ints("split")[i]).ToArray());
            case "Slice" when node.Attributes.ContainsKey("starts"):
                return Slice(node);
            case "Gather" when node.Attributes.ContainsKey("indices"):
                return Gather(node);
            case "Resize" when node.Attributes.ContainsKey("sizes"):
                return node.With("sizes", Sizes(node.Outputs[0]).Select((size, d) => size < 0 ? node.Ints("sizes")[d] : size).ToArray());
            case "Conv" or "ConvTranspose" when WeightCoupling.ShrinksByGroups(_structure.Coupling, node):
                return _structure.Coupling.Values[node.Outputs[0]].Axes[1].Classes is { } groups ? node.With("group", (long)KeptCount(groups)) : node;
            case "GroupNormalization" when _structure.Coupling.Values[node.Outputs[0]].Axes[1].Classes is { } normalized && normalized.Length
                == node.Int("num_groups", 1):
                return node.With("num_groups", (long)KeptCount(normalized));
            case "LSTM" or "GRU" or "RNN" when _structure.Coupling.Values[node.Outputs.First(output => output.Length > 0)].Axes[^1].Classes is { } units:
                return node.With("hidden_size", (long)KeptCount(units));
            default:
                return node;
        }
    }

    private int Dimension(Node node, string tensor) => node.Axis(Graph.Find(tensor)!.Shape.Length, 0);

    /// <summary>For each index of a dimension whether it stays; null where all do.</summary>
    private bool[]? Stays(string tensor, int dimension)
    {
        if (!_structure.Coupling.Values.TryGetValue(tensor, out var value) || value.Axes[dimension].PerIndex() is not { } classes || !classes.Any(Drops))
        {
            return null;
        }

        return [.. classes.Select(index => !Drops(index))];
    }

    private Node Slice(Node node)
    {
        var shape = Graph.Find(node.Inputs[0])!.Shape;
        var ranges = LayoutShapes.Ranges(node, shape).ToArray();
        var (starts, ends) = (node.Ints("starts").ToArray(), node.Ints("ends").ToArray());
        for (var i = 0; i < ranges.Length; i++)
        {
            if (ranges[i].Range is not { } range || Stays(node.Inputs[0], ranges[i].Axis) is not { } stays)
            {
                continue;
            }

            if (range.Step != 1)
            {
                // Every second of what is left is not what is left of every second: name them.
                var places = Places(stays);
                var indices = Enumerable.Range(0, range.Count).Select(k => range.Start + k * range.Step).Where(k => stays[k]).Select(k => (long)places[k])
                    .ToArray();
                return ranges.Length == 1 ? node.AsOperator("Gather", node.Inputs).WithOnly(("axis", (long)ranges[i].Axis), ("indices", indices))
                    : throw new NotSupportedException($"Node '{node.Name}' (Slice) cuts several dimensions with a step of {range.Step} over one that shrinks: "
                        + "split it into one Slice a dimension.");
            }

            starts[i] = stays.Take(range.Start).Count(stay => stay);
            ends[i] = starts[i] + stays.Skip(range.Start).Take(range.Count).Count(stay => stay);
        }

        return node.With("starts", starts).With("ends", ends);
    }

    private Node Gather(Node node)
    {
        var axis = Dimension(node, node.Inputs[0]);
        if (Stays(node.Inputs[0], axis) is not { } stays)
        {
            return node;
        }

        var places = Places(stays);
        return node.With("indices", node.Ints("indices").Select(index => index < 0 ? index + stays.Length : index).Where(index => stays[index])
            .Select(index => (long)places[index]).ToArray());
    }

    /// <summary>Where each index that stays lies afterwards.</summary>
    private static int[] Places(bool[] stays)
    {
        var places = new int[stays.Length];
        for (int i = 0, next = 0; i < stays.Length; i++)
        {
            places[i] = next;
            next += stays[i] ? 1 : 0;
        }

        return places;
    }
}
