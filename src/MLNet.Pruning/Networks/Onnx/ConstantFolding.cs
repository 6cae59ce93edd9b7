using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// Computes nodes whose operands are known while a file is read: arithmetic on shapes, and the rearranging of weights. Open sizes go
/// through as long as the result is a product of them.
/// </summary>
internal static class ConstantFolding
{
    /// <summary>A few bytes of a file can ask for any size: what is not a weight stays small, and weights stay below 256 MB.</summary>
    public const int LargestComputed = 1 << 16;
    private const int LargestWeight = 1 << 26;

    /// <summary>What a node produces; null where it cannot be determined, or where it computes with weights, which training may change.</summary>
    /// <param name="node">The node, constant operands of layout operators in its attributes.</param>
    /// <param name="x">What it reads.</param>
    /// <param name="shapes">The shapes it produces.</param>
    /// <param name="symbols">Open sizes.</param>
    public static FoldedValue[]? Run(Node node, FoldedValue[] x, ImmutableArray<int>[] shapes, Symbols symbols)
    {
        if (node.Domain.Length > 0 || shapes.Any(shape => shape.IsDefault || shape.Any(size => size < 0)))
        {
            return null;
        }

        return node.Operator switch
        {
            "Split" => Split(node, x[0], shapes),
            _ => One(node, x, shapes[0], symbols) is { } value ? [value] : null,
        };
    }

    private static FoldedValue? One(Node node, FoldedValue[] x, ImmutableArray<int> shape, Symbols symbols) => node.Operator switch
    {
        "Identity" => x[0],
        "Squeeze" or "Unsqueeze" or "Reshape" or "Flatten" when x[0].Grid is null => x[0].Reshaped(shape),
        // What lies on a grid of integers keeps the dimensions that the file has.
        "Transpose" when x[0].Grid is null => Transpose(node, x[0], shape),
        "Slice" => Slice(node, x[0], shape),
        "Gather" => Gather(node, x, shape),
        "Concat" when TensorPlaces.Count(shape) <= (x.Any(value => value.IsInitializer) ? LargestWeight : LargestComputed) => Concat(node, x, shape),
        "Expand" when TensorPlaces.Count(shape) <= LargestComputed => x[0].Rearranged(shape, BroadcastIndices(x[0].Shape, shape)),
        "Cast" => Cast(node, x[0]),
        "ReduceProd" when x[0].Ints is { } ints && TensorPlaces.Count(shape) == 1 =>
            Ints(x[0], shape, [ints.Aggregate((long?)1, (product, value) => product is { } p ? Multiply(p, value, symbols) : null)]),
        _ when x.Any(value => value is { IsInitializer: true, Floats: not null, Count: > 1 }) || TensorPlaces.Count(shape) > LargestComputed => null,
        "Where" => Where(x, shape),
        "ScatterND" => Scatter(node, x, shape),
        "Equal" when x.All(value => value.Floats is not null) => new(TensorType.Bool, shape,
            [.. BroadcastIndices(x[0].Shape, shape).Zip(BroadcastIndices(x[1].Shape, shape), (a, b) => x[0].Floats![a] == x[1].Floats![b] ? 1L : 0)], null),
        _ when x.All(value => value.Ints is not null) => Integers(node, x, shape, symbols),
        _ when x.All(value => value.Floats is not null) => Floats(node, x, shape),
        _ => null,
    };

    private static FoldedValue? Integers(Node node, FoldedValue[] x, ImmutableArray<int> shape, Symbols symbols)
    {
        Func<long, long, long?>? binary = node.Operator switch
        {
            "Mul" => (a, b) => Multiply(a, b, symbols),
            "Div" => (a, b) => Divide(a, b, symbols),
            "Add" => (a, b) => b == 0 ? a : a == 0 ? b : Closed(a, b, (p, q) => p + q),
            "Sub" => (a, b) => b == 0 ? a : Closed(a, b, (p, q) => p - q),
            "Mod" => (a, b) => b == 0 ? null : Closed(a, b, (p, q) => q == -1 ? 0 : node.Int("fmod", 0) == 1 ? p % q : ((p % q) + q) % q),
            "Min" => (a, b) => Closed(a, b, Math.Min),
            "Max" => (a, b) => Closed(a, b, Math.Max),
            "Equal" => (a, b) => a == b ? 1
                // An open size is at least 1.
                : FoldedValue.IsOpenSize(a) && b <= 0 && !FoldedValue.IsOpenSize(b) || FoldedValue.IsOpenSize(b) && a <= 0 && !FoldedValue.IsOpenSize(a) ? 0
                : Closed(a, b, (_, _) => 0),
            "Less" => (a, b) => Closed(a, b, (p, q) => p < q ? 1 : 0),
            "Greater" => (a, b) => Closed(a, b, (p, q) => p > q ? 1 : 0),
            "LessOrEqual" => (a, b) => Closed(a, b, (p, q) => p <= q ? 1 : 0),
            "GreaterOrEqual" => (a, b) => Closed(a, b, (p, q) => p >= q ? 1 : 0),
            "And" => (a, b) => Closed(a, b, (p, q) => p & q),
            "Or" => (a, b) => Closed(a, b, (p, q) => p | q),
            "Not" => (a, _) => Closed(a, 0, (p, _) => p == 0 ? 1 : 0),
            "Neg" => (a, _) => Closed(a, 0, (p, _) => -p),
            "Abs" => (a, _) => Closed(a, 0, (p, _) => p < 0 ? unchecked(-p) : p),
            _ => null,
        };
        if (binary is null || x.Length > 2)
        {
            return null;
        }

        var (left, right) = (BroadcastIndices(x[0].Shape, shape).ToArray(), BroadcastIndices(x[^1].Shape, shape).ToArray());
        var result = Ints(x[0], shape, [.. left.Zip(right, (a, b) => binary(x[0].Ints![a], x[^1].Ints![b]))]);
        return node.Operator is "Equal" or "Less" or "Greater" or "LessOrEqual" or "GreaterOrEqual" && result is not null
            ? result with { Type = TensorType.Bool } : result;
    }

    private static FoldedValue? Floats(Node node, FoldedValue[] x, ImmutableArray<int> shape)
    {
        Func<float, float, float>? binary = node.Operator switch
        {
            "Mul" => (a, b) => a * b,
            "Div" => (a, b) => a / b,
            "Add" => (a, b) => a + b,
            "Sub" => (a, b) => a - b,
            "Pow" => MathF.Pow,
            "Sqrt" => (a, _) => MathF.Sqrt(a),
            "Neg" => (a, _) => -a,
            "Reciprocal" => (a, _) => 1 / a,
            "Exp" => (a, _) => MathF.Exp(a),
            "Log" => (a, _) => MathF.Log(a),
            "Floor" => (a, _) => MathF.Floor(a),
            "Ceil" => (a, _) => MathF.Ceiling(a),
            "Abs" => (a, _) => MathF.Abs(a),
            _ => null,
        };
        return binary is null || x.Length > 2 ? null : new(x[0].Type, shape, null,
            [.. BroadcastIndices(x[0].Shape, shape).Zip(BroadcastIndices(x[^1].Shape, shape), (a, b) => binary(x[0].Floats![a], x[^1].Floats![b]))]);
    }

    private static FoldedValue? Where(FoldedValue[] x, ImmutableArray<int> shape)
    {
        if (x[0].Ints is not { } condition || x[1].Ints is null != x[2].Ints is null)
        {
            return null;
        }

        var (c, a, b) = (BroadcastIndices(x[0].Shape, shape).ToArray(), BroadcastIndices(x[1].Shape, shape).ToArray(),
            BroadcastIndices(x[2].Shape, shape).ToArray());
        return x[1].Ints is { } yes
            ? new(x[1].Type, shape, [.. c.Select((k, i) => condition[k] != 0 ? yes[a[i]] : x[2].Ints![b[i]])], null)
            : new(x[1].Type, shape, null, [.. c.Select((k, i) => condition[k] != 0 ? x[1].Floats![a[i]] : x[2].Floats![b[i]])]);
    }

    private static FoldedValue? Scatter(Node node, FoldedValue[] x, ImmutableArray<int> shape)
    {
        var (data, indices, updates) = (x[0], x[1], x[2]);
        if (indices.Ints is null || indices.IsOpen || data.Ints is null != updates.Ints is null || node.Text("reduction", "none") != "none"
            || indices.Shape.Length == 0)
        {
            return null;
        }

        var depth = indices.Shape[^1];
        var strides = TensorPlaces.Strides(shape);
        var length = (int)TensorPlaces.Count([.. shape.Skip(depth)]);
        if (depth > shape.Length || (long)indices.Count / Math.Max(1, depth) * length != updates.Count)
        {
            return null;
        }

        var source = Enumerable.Range(0, data.Count).ToArray();
        for (var i = 0; i < indices.Count / Math.Max(1, depth); i++)
        {
            var start = 0L;
            for (var d = 0; d < depth; d++)
            {
                var index = indices.Ints[i * depth + d];
                index = index < 0 ? index + shape[d] : index;
                if (index < 0 || index >= shape[d])
                {
                    return null;
                }

                start += index * strides[d];
            }

            for (var k = 0; k < length; k++)
            {
                source[start + k] = data.Count + i * length + k;
            }
        }

        return new(data.Type, shape,
            data.Ints is null ? null : [.. source.Select(place => place < data.Count ? data.Ints[place] : updates.Ints![place - data.Count])],
            data.Floats is null ? null : [.. source.Select(place => place < data.Count ? data.Floats[place] : updates.Floats![place - data.Count])]);
    }

    /// <summary>The numbers of a Range whose bounds are known; null where they are open, not whole, or too many.</summary>
    public static FoldedValue? Range(FoldedValue?[] bounds)
    {
        if (bounds is not [{ Ints: [var start], IsOpen: false, Type: var type }, { Ints: [var limit], IsOpen: false },
            { Ints: [var delta and not 0], IsOpen: false }])
        {
            return null;
        }

        var count = Math.Max(0, Math.Ceiling(((double)limit - start) / delta));
        return count > LargestComputed ? null : WithoutOpen(new(type, [(int)count], [.. Enumerable.Range(0, (int)count).Select(i => start + i * delta)], null));
    }

    private static FoldedValue? Cast(Node node, FoldedValue x)
    {
        var type = (TensorType)node.Int("to", 0);
        var toFloats = type is TensorType.Float or TensorType.Double or TensorType.Float16 or TensorType.BFloat16;
        var isInts = type is TensorType.Int64 or TensorType.Int32 or TensorType.Bool;
        return (x.Ints, x.Floats) switch
        {
            ({ } ints, _) when isInts => x with { Type = type, Ints = type == TensorType.Bool ? [.. ints.Select(value => value != 0 ? 1L : 0)] : ints,
                IsInitializer = false },
            ({ } ints, _) when toFloats && !x.IsOpen => new(type, x.Shape, null, [.. ints.Select(value => (float)value)]),
            (_, { } floats) when isInts && floats.All(float.IsFinite) =>
                WithoutOpen(new(type, x.Shape, [.. floats.Select(value => type == TensorType.Bool ? value != 0 ? 1L : 0 : (long)value)], null)),
            // What loses nothing; the file keeps the type that it has.
            (_, { }) when Holds(type, x.Type) => x with { Type = type },
            _ => null,
        };
    }

    private static bool Holds(TensorType type, TensorType all) => type == all || type == TensorType.Double
        || (type == TensorType.Float && all is TensorType.Float16 or TensorType.BFloat16 or TensorType.Double);

    private static FoldedValue Transpose(Node node, FoldedValue x, ImmutableArray<int> shape)
    {
        ImmutableArray<int> order = [.. node.Ints("perm", [.. Enumerable.Range(0, shape.Length).Reverse().Select(i => (long)i)]).Select(i => (int)i)];
        return x.Rearranged(shape, TensorPlaces.Transposed(x.Shape, order)) with { Source = x.Source?.Transposed(x.Shape, order) };
    }

    /// <summary>Part of a weight is a weight, such as the positions of a table that a sequence has.</summary>
    private static FoldedValue? Slice(Node node, FoldedValue x, ImmutableArray<int> shape)
    {
        var strides = TensorPlaces.Strides(x.Shape);
        var (steps, start) = (strides.ToArray(), 0);
        foreach (var (axis, range) in LayoutShapes.Ranges(node, x.Shape))
        {
            start += range!.Value.Start * strides[axis];
            steps[axis] = strides[axis] * range.Value.Step;
        }

        return x.Rearranged(shape, TensorPlaces.Walk(shape, steps, start)) with { IsInitializer = x.IsInitializer };
    }

    private static FoldedValue[] Split(Node node, FoldedValue x, ImmutableArray<int>[] shapes)
    {
        var strides = TensorPlaces.Strides(x.Shape);
        var axis = (int)(node.Int("axis", 0) is var a && a < 0 ? a + x.Shape.Length : a);
        var parts = new FoldedValue[shapes.Length];
        var start = 0;
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = x.Rearranged(shapes[i], TensorPlaces.Walk(shapes[i], strides, start * strides[axis]));
            start += shapes[i][axis];
        }

        return parts;
    }

    private static FoldedValue? Gather(Node node, FoldedValue[] x, ImmutableArray<int> shape)
    {
        var data = x[0];
        var axis = (int)(node.Int("axis", 0) is var a && a < 0 ? a + data.Shape.Length : a);
        var indices = x.Length > 1 ? x[1].Ints : node.Ints("indices");
        var size = data.Shape[axis];
        if (indices is null || indices.Any(index => index < -size || index >= size) || TensorPlaces.Count(shape) > LargestComputed)
        {
            return null;
        }

        var inner = (int)TensorPlaces.Count([.. data.Shape.Skip(axis + 1)]);
        var outer = (int)TensorPlaces.Count([.. data.Shape.Take(axis)]);
        return data.Rearranged(shape, Enumerable.Range(0, outer).SelectMany(o => indices.SelectMany(index
            => Enumerable.Range((o * size + (int)(index < 0 ? index + size : index)) * inner, inner)))) with { IsInitializer = data.IsInitializer };
    }

    private static FoldedValue? Concat(Node node, FoldedValue[] x, ImmutableArray<int> shape)
    {
        if (x.Any(value => value.Ints is null != x[0].Ints is null))
        {
            return null;
        }

        var axis = (int)(node.Int("axis", 0) is var a && a < 0 ? a + shape.Length : a);
        var outer = (int)TensorPlaces.Count([.. shape.Take(axis)]);
        var rows = x.Select(value => value.Count / Math.Max(1, outer)).ToArray();
        var count = (int)TensorPlaces.Count(shape);
        var (ints, floats) = (x[0].Ints is null ? null : new long[count], x[0].Ints is null ? GC.AllocateUninitializedArray<float>(count, pinned: true) : null);
        for (int o = 0, place = 0; o < outer; o++)
        {
            for (var i = 0; i < x.Length; i++)
            {
                x[i].Ints?.AsSpan(o * rows[i], rows[i]).CopyTo(ints.AsSpan(place));
                x[i].Floats?.AsSpan(o * rows[i], rows[i]).CopyTo(floats.AsSpan(place));
                place += rows[i];
            }
        }

        return new(x[0].Type, shape, ints, floats) { IsInitializer = x.Any(value => value.IsInitializer) };
    }

    private static FoldedValue? Ints(FoldedValue like, ImmutableArray<int> shape, long?[] values)
        => values.Contains(null) ? null : new(like.Type, shape, [.. values.Select(value => value!.Value)], null);

    private static long? Closed(long a, long b, Func<long, long, long> compute)
        => FoldedValue.IsOpenSize(a) || FoldedValue.IsOpenSize(b) ? null : Closed(compute(a, b));

    // What happens to be the number of an open size is not one.
    private static long? Closed(long value) => FoldedValue.IsOpenSize(value) ? null : value;

    private static FoldedValue? WithoutOpen(FoldedValue value) => value.IsOpen ? null : value;

    private static bool IsSize(long value) => FoldedValue.IsOpenSize(value) || value is >= 0 and <= int.MaxValue;

    private static long? Multiply(long a, long b, Symbols symbols)
        => !FoldedValue.IsOpenSize(a) && !FoldedValue.IsOpenSize(b) ? Closed(a * b)
        : IsSize(a) && IsSize(b) && symbols.TryProduct(FoldedValue.ToSize(a), FoldedValue.ToSize(b)) is { } product ? FoldedValue.FromSize(product) : null;

    private static long? Divide(long a, long b, Symbols symbols)
        => b == 0 ? null
        : !FoldedValue.IsOpenSize(a) && !FoldedValue.IsOpenSize(b) ? b == -1 ? Closed(unchecked(-a)) : Closed(a / b)
        : IsSize(a) && IsSize(b) && symbols.Quotient(FoldedValue.ToSize(a), FoldedValue.ToSize(b)) is { } quotient ? FoldedValue.FromSize(quotient) : null;

    private static IEnumerable<int> BroadcastIndices(ImmutableArray<int> from, ImmutableArray<int> to)
    {
        var strides = TensorPlaces.Strides(from);
        var skipped = to.Length - from.Length;
        return TensorPlaces.Walk(to, [.. to.Select((_, i) => i < skipped || from[i - skipped] == 1 ? 0 : strides[i - skipped])], 0);
    }
}
