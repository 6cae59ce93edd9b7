using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Networks;

/// <summary>
/// A weight as a layer reads it: itself, or through nodes that only show it in another form, as an output layer reads an embedding's table
/// transposed.
/// </summary>
/// <param name="Parameter">Name of the parameter.</param>
/// <param name="Dimensions">For each dimension that the layer sees, that of the parameter; -1 for one of size 1 that the parameter does not have.</param>
internal sealed record WeightView(string Parameter, ImmutableArray<int> Dimensions)
{
    /// <summary>What a layer reads under a name; null where that is no weight, or one whose dimensions are merged or split on the way.</summary>
    /// <param name="name">An operand of the layer.</param>
    /// <param name="parameter">The parameter of a name.</param>
    /// <param name="producer">The node that gives a tensor.</param>
    public static WeightView? Of(string name, Func<string, Parameter?> parameter, Func<string, Node?> producer)
    {
        var views = new Stack<Node>();
        while (parameter(name) is null)
        {
            if (producer(name) is not { Inputs: [var source, ..] } node || OperatorCatalogue.Find(node)?.Values != Values.Shown)
            {
                return null;
            }

            views.Push(node);
            name = source;
        }

        var shape = parameter(name)!.Shape;
        ImmutableArray<int>? dimensions = [.. Enumerable.Range(0, shape.Length)];
        foreach (var view in views)
        {
            dimensions = dimensions is { } seen ? Through(view, seen, [.. seen.Select(d => d < 0 ? 1 : shape[d])]) : null;
        }

        return dimensions is { } all ? new(name, all) : null;
    }

    private static ImmutableArray<int>? Through(Node node, ImmutableArray<int> dimensions, ImmutableArray<int> sizes) => node.Operator switch
    {
        "Identity" or "Cast" or Node.FakeQuantize or Node.FakeCodebook => dimensions,
        "Transpose" => [.. node.Ints("perm", [.. Enumerable.Range(0, sizes.Length).Reverse().Select(i => (long)i)]).Select(i => dimensions[(int)i])],
        "Squeeze" when !node.Attributes.ContainsKey("axes") => [.. dimensions.Where((_, i) => sizes[i] != 1)],
        "Squeeze" => [.. dimensions.Where((_, i) => !node.Axes(sizes.Length).Contains(i))],
        "Unsqueeze" => Unsqueezed(dimensions, node.Ints("axes")),
        "Reshape" when node.Attributes.ContainsKey("shape") => Reshaped(dimensions, sizes, node.Ints("shape")),
        _ => null,
    };

    private static ImmutableArray<int> Unsqueezed(ImmutableArray<int> dimensions, long[] axes)
    {
        var rank = dimensions.Length + axes.Length;
        var left = new Queue<int>(dimensions);
        return [.. Enumerable.Range(0, rank).Select(i => axes.Any(axis => Node.Resolve(axis, rank) == i) ? -1 : left.Dequeue())];
    }

    /// <summary>A reshape that adds or drops dimensions of size 1 only.</summary>
    private static ImmutableArray<int>? Reshaped(ImmutableArray<int> dimensions, ImmutableArray<int> sizes, long[] target)
    {
        var left = new Queue<int>(dimensions.Where((_, i) => sizes[i] != 1));
        return target.Where(size => size != 1).SequenceEqual(sizes.Where(size => size != 1).Select(size => (long)size))
            ? [.. target.Select(size => size == 1 ? -1 : left.Dequeue())] : null;
    }
}
