using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Operators;

/// <summary>Operators that move values about: reshaping, transposing, joining, cutting, picking.</summary>
internal static class LayoutShapes
{
    public static IEnumerable<Operator> Operators { get; } =
    [
        Shown("Flatten", Flatten), Shown("Reshape", Reshape), Shown("Transpose", Transpose), Shown("Squeeze", Squeeze), Shown("Unsqueeze", Unsqueeze),
        Picked("Concat", Concat) with { Zeros = Zeros.OfEvery }, Picked("Split", Split), Picked("Slice", Slice), Picked("Gather", Gather),
        Picked("Expand", Expand),
        Picked("Tile", Tile), Picked("DepthToSpace", DepthToSpace), Picked("SpaceToDepth", SpaceToDepth),
        // What it adds need not be zero.
        Picked("Pad", Pad) with { Zeros = Zeros.Lost },
        new("ConstantOfShape", ConstantOfShape),
        new("ScatterND", context => [context[0]]), new("ScatterElements", context => [context[0]]), new("GatherElements", context => [context[1]]),
        new("Range", context => [context.Computed(1)]), Sizes("NonZero", context => [[context[0].Length, context.ComputedSize(0, 1)]]),
        Sizes("Shape", context => [[context[0].Length]]), Sizes("Size", _ => [[]]),
        Sizes(Node.Dimensions, context => [context.Node.Int("scalar", 0) == 1 ? [] : [context.Node.Ints("shape").Length]]),
    ];

    private static Operator Sizes(string name, ShapeInference.Rule shape) => new(name, shape) { Type = TensorType.Int64 };

    private static Operator Shown(string name, ShapeInference.Rule shape) => new(name, shape) { Values = Values.Shown, Zeros = Zeros.OfFirst };

    private static Operator Picked(string name, ShapeInference.Rule shape) => new(name, shape) { Values = Values.Picked, Zeros = Zeros.OfFirst };

    private static ImmutableArray<int>[] Flatten(ShapeContext context)
    {
        var x = context[0];
        // The place before the first dimension, between two, or after the last.
        var axis = context.Axis(context.Node.Int("axis", 1), x.Length + 1) is var place && context.Node.Int("axis", 1) < 0 ? place - 1 : place;
        context.Require(axis >= 0, 0, "an axis within its dimensions");
        return [[context.Symbols.Product(x.Take(axis)), context.Symbols.Product(x.Skip(axis))]];
    }

    private static ImmutableArray<int>[] Reshape(ShapeContext context)
    {
        if (context.Count > 1)
        {
            return [Length(context, 1) is { } length ? context.Computed(length) : default];
        }

        var shape = context.Node.Ints("shape").Select(size => (int)size).ToImmutableArray();
        var (from, to) = (context.Symbols.Factors(context.Symbols.Product(context[0])), context.Symbols.Factors(context.Symbols.Product(shape)));
        context.Require(from.Coefficient == to.Coefficient || (from.Coefficient != 0 && to.Coefficient != 0 && !from.Factors.SequenceEqual(to.Factors)), 0,
            $"as many values as {TensorInfo.Dimensions(shape)} has");
        return [shape];
    }

    private static ImmutableArray<int>[] Transpose(ShapeContext context)
    {
        var x = context[0];
        var order = context.Node.Ints("perm", [.. Enumerable.Range(0, x.Length).Reverse().Select(i => (long)i)]);
        context.Require(order.Order().SequenceEqual(Enumerable.Range(0, x.Length).Select(i => (long)i)), 0,
            $"{order.Length} dimensions to order as {string.Join(", ", order)}");
        return [[.. order.Select(i => x[(int)i])]];
    }

    private static ImmutableArray<int>[] Squeeze(ShapeContext context)
    {
        if (context.Count > 1)
        {
            return [Length(context, 1) is { } dropped ? context.Computed(context[0].Length - dropped) : default];
        }

        var x = context[0];
        var axes = context.Node.Ints("axes").Select(axis => context.Axis(axis, x.Length)).ToArray();
        context.Require(axes.All(axis => ShapeContext.Fit(x[axis], 1)), 0, $"size 1 in the dimensions {string.Join(", ", axes)}");
        return [[.. x.Where((size, i) => axes.Length == 0 ? size != 1 : !axes.Contains(i))]];
    }

    private static ImmutableArray<int>[] Unsqueeze(ShapeContext context)
    {
        if (context.Count > 1)
        {
            return [Length(context, 1) is { } added ? context.Computed(context[0].Length + added) : default];
        }

        var axes = context.Node.Ints("axes");
        var shape = context[0].ToList();
        var places = axes.Select(axis => context.Axis(axis, shape.Count + axes.Length)).Order().ToArray();
        context.Require(places.Distinct().Count() == places.Length, 0, "each axis once");
        foreach (var axis in places)
        {
            shape.Insert(axis, 1);
        }

        return [[.. shape]];
    }

    private static ImmutableArray<int>[] Concat(ShapeContext context)
    {
        var shape = context[0].ToBuilder();
        var axis = context.Axis(context.Node.Int("axis", 0), shape.Count);
        for (var i = 1; i < context.Count; i++)
        {
            var other = context[i];
            context.Require(other.Length == shape.Count && Enumerable.Range(0, other.Length).All(d => d == axis || ShapeContext.Fit(other[d], shape[d])), i,
                $"the shape of the first, {TensorInfo.Dimensions(context[0])}, outside dimension {axis}");
        }

        var sizes = Enumerable.Range(0, context.Count).Select(i => context[i][axis]).ToArray();
        shape[axis] = sizes.Any(size => size < 0)
            ? context.Derived($"sum({string.Join(",", sizes)})", 0, axis)
            : checked(sizes.Sum());
        return [shape.ToImmutable()];
    }

    private static ImmutableArray<int>[] Split(ShapeContext context)
    {
        var x = context[0];
        var axis = context.Axis(context.Node.Int("axis", 0), x.Length);
        if (context.Count > 1)
        {
            return [.. context.Node.Outputs.Select((output, i) => output.Length > 0 ? x.SetItem(axis, context.ComputedSize(i, axis)) : default)];
        }

        var sizes = context.Node.Ints("split");
        context.Require(sizes.All(size => size is >= 0 and <= int.MaxValue), 0, "parts of at least 0");
        context.Require(sizes.Length == context.Node.Outputs.Length && (x[axis] < 0 || sizes.Sum() == x[axis]), 0,
            $"a dimension {axis} of {string.Join(" + ", sizes)}, for its {context.Node.Outputs.Length} parts");
        return [.. sizes.Select(size => x.SetItem(axis, (int)size))];
    }

    /// <summary>Start, number and step along each dimension that a Slice with constant bounds cuts; null for an open dimension.</summary>
    public static IEnumerable<(int Axis, (int Start, int Count, int Step)? Range)> Ranges(Node node, ImmutableArray<int> x)
    {
        var (starts, ends) = (node.Ints("starts"), node.Ints("ends"));
        var (axes, steps) = (node.Ints("axes", [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)]), node.Ints("steps", [.. starts.Select(_ => 1L)]));
        for (var i = 0; i < starts.Length; i++)
        {
            var axis = Node.Resolve(axes[i], x.Length);
            if (x[axis] < 0 || FoldedValue.IsOpenSize(starts[i]) || FoldedValue.IsOpenSize(ends[i]))
            {
                yield return (axis, null);
                continue;
            }

            long size = x[axis], step = steps[i];
            var start = Math.Clamp(starts[i] < 0 ? starts[i] + size : starts[i], 0, step > 0 ? size : size - 1);
            var end = Math.Clamp(ends[i] < 0 ? Math.Max(ends[i], long.MinValue + size) + size : ends[i], step > 0 ? 0 : -1, size);
            yield return (axis, ((int)start, (int)Math.Max(0, step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -step), (int)step));
        }
    }

    private static ImmutableArray<int>[] Slice(ShapeContext context)
    {
        var shape = context[0].ToBuilder();
        if (context.Count > 1)
        {
            foreach (var axis in CutAxes(context.Node, shape.Count, context.Integers(3), Length(context, 1)))
            {
                shape[axis] = context.ComputedSize(0, axis);
            }

            return [shape.ToImmutable()];
        }

        var count = context.Node.Ints("starts").Length;
        context.Each("ends", count, 0, long.MinValue, long.MaxValue);
        context.Require(!context.Each("steps", count, 1, long.MinValue, long.MaxValue).Any(step => step is 0 or < -int.MaxValue or > int.MaxValue), 0,
            "steps other than 0");
        var axes = context.Node.Ints("axes", [.. Enumerable.Range(0, count).Select(i => (long)i)]).Select(axis => context.Axis(axis, shape.Count)).ToArray();
        context.Require(axes.Length == count && axes.Distinct().Count() == count, 0, $"{count} axes, each once");
        foreach (var (axis, range) in Ranges(context.Node, context[0]))
        {
            shape[axis] = range?.Count ?? (IsWhole(context.Node, axis, context[0]) ? shape[axis]
                : FirstOnes(context.Node, axis, shape.Count) is { } first ? first : context.ComputedSize(0, axis));
        }

        return [shape.ToImmutable()];
    }

    /// <summary>The dimensions that a Slice cuts whose bounds are known only when the network runs: all where it computes them too.</summary>
    /// <param name="node">The Slice.</param>
    /// <param name="rank">Dimensions of what it cuts.</param>
    /// <param name="axes">Its fourth operand, where that is known.</param>
    /// <param name="bounds">How many bounds it has, where that is known.</param>
    public static IEnumerable<int> CutAxes(Node node, int rank, long[]? axes, int? bounds)
        => axes?.Select(axis => Node.Resolve(axis, rank)) ?? Enumerable.Range(0, node.Input(3) is null ? bounds ?? rank : rank);

    /// <summary>Number of integers in an operand that lists some; null where it is not known.</summary>
    private static int? Length(ShapeContext context, int input) => context.Has(input) && context[input] is [>= 0 and var length] ? length : null;

    /// <summary>The open size up to which a Slice cuts from the start, such as the first positions of a table, which has at least as many.</summary>
    private static int? FirstOnes(Node node, int axis, int rank)
    {
        var i = Place(node, axis, rank);
        return node.Ints("starts")[i] == 0 && FoldedValue.IsOpenSize(node.Ints("ends")[i]) && Step(node, i) == 1 ? FoldedValue.ToSize(node.Ints("ends")[i])
            : null;
    }

    /// <summary>Whether a Slice keeps all of a dimension, whose size or whose bounds are open.</summary>
    public static bool IsWhole(Node node, int axis, ImmutableArray<int> x)
    {
        var i = Place(node, axis, x.Length);
        var end = node.Ints("ends")[i];
        return node.Ints("starts")[i] == 0 && Step(node, i) == 1
            && (end >= int.MaxValue || (FoldedValue.IsOpenSize(end) && (x[axis] == 1 || x[axis] == FoldedValue.ToSize(end))));
    }

    private static int Place(Node node, int axis, int rank)
        => Array.FindIndex(node.Ints("axes", [.. Enumerable.Range(0, node.Ints("starts").Length).Select(i => (long)i)]), a => Node.Resolve(a, rank) == axis);

    private static long Step(Node node, int place) => node.Attributes.ContainsKey("steps") ? node.Ints("steps")[place] : 1;

    private static ImmutableArray<int>[] Gather(ShapeContext context)
    {
        var x = context[0];
        var axis = context.Axis(context.Node.Int("axis", 0), x.Length);
        ImmutableArray<int> indices = context.Has(1) ? context[1] : context.Node.Int("scalar", 0) == 1 ? [] : [context.Node.Ints("indices").Length];
        context.Require(context.Has(1) || x[axis] < 0 || context.Node.Ints("indices").All(index => index >= -x[axis] && index < x[axis]), 0,
            $"the indices {string.Join(", ", context.Node.Ints("indices"))} in dimension {axis}");
        return [[.. x.Take(axis), .. indices, .. x.Skip(axis + 1)]];
    }

    private static ImmutableArray<int>[] Expand(ShapeContext context)
    {
        if (context.Count > 1)
        {
            return [Length(context, 1) is { } length ? Expanded(context, Math.Max(length, context[0].Length)) : default];
        }

        var (x, target) = (context[0], context.Node.Ints("shape"));
        var rank = Math.Max(x.Length, target.Length);
        return [[.. Enumerable.Range(0, rank).Select(i =>
        {
            var (from, to) = (i - rank + x.Length is >= 0 and var a ? x[a] : 1, i - rank + target.Length is >= 0 and var b ? (int)target[b] : 1);
            context.Require(from == 1 || to == 1 || ShapeContext.Fit(from, to), 0,
                $"a shape that expands to {TensorInfo.Dimensions(target.Select(size => (int)size))}");
            return from == 1 ? to : from;
        })]];
    }

    /// <summary>An expansion to sizes that are computed: a dimension of more than one index stays as it is.</summary>
    private static ImmutableArray<int> Expanded(ShapeContext context, int rank)
        => [.. Enumerable.Range(0, rank).Select(d => d - rank + context[0].Length is >= 0 and var own && context[0][own] is > 1 and var size ? size
            : context.ComputedSize(0, d))];

    private static ImmutableArray<int>[] Tile(ShapeContext context)
    {
        if (context.Count > 1)
        {
            return [context.Computed(context[0].Length)];
        }

        var repeats = context.Each("repeats", context[0].Length, 1, 0);
        return [[.. context[0].Select((size, i) => context.Symbols.Product(size, (int)repeats[i]))]];
    }

    private static ImmutableArray<int>[] Pad(ShapeContext context)
    {
        if (context.Count > 1)
        {
            return [context.Computed(context[0].Length)];
        }

        var (x, pads) = (context[0], context.Node.Ints("pads"));
        context.Require(pads.Length == 2 * x.Length && pads.All(pad => pad is > -int.MaxValue and < int.MaxValue), 0, $"{pads.Length / 2} dimensions to pad");
        context.Require(!x.Where((size, i) => size >= 0 && size + pads[i] + pads[x.Length + i] < 0).Any(), 0, "more than is cut off");
        return [[.. x.Select((size, i) => pads[i] + pads[x.Length + i] is var added && added == 0 ? size
            : size < 0 ? context.Derived($"{size}+{added}", 0, i) : checked((int)(size + added)))]];
    }

    private static ImmutableArray<int>[] ConstantOfShape(ShapeContext context)
        => context.Count > 0 ? [Length(context, 0) is { } rank ? context.Computed(rank) : default]
            : [[.. context.Node.Ints("shape").Select(size => (int)size)]];

    private static ImmutableArray<int>[] DepthToSpace(ShapeContext context)
    {
        var (x, block) = (context[0], context.Number("blocksize", 1, 1, 1 << 15));
        context.Require(x.Length == 4 && x[1] >= 0 && x[1] % (block * block) == 0, 0, $"a multiple of {block * block} channels");
        return [[x[0], x[1] / (block * block), context.Symbols.Product(x[2], block), context.Symbols.Product(x[3], block)]];
    }

    private static ImmutableArray<int>[] SpaceToDepth(ShapeContext context)
    {
        var (x, block) = (context[0], context.Number("blocksize", 1, 1, 1 << 15));
        var (height, width) = (x.Length == 4 ? context.Symbols.Quotient(x[2], block) : null, x.Length == 4 ? context.Symbols.Quotient(x[3], block) : null);
        context.Require(height is not null && width is not null, 0, $"height and width that {block} divides");
        return [[x[0], context.Symbols.Product(x[1], block * block), height!.Value, width!.Value]];
    }
}
