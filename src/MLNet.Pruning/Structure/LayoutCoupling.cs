using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Structure;

/// <summary>Operators that move indices about.</summary>
internal static class LayoutCoupling
{
    public static IEnumerable<KeyValuePair<string, Coupling.Rule>> Rules { get; } =
    [
        new("Flatten", Reshape), new("Reshape", Reshape), new("Squeeze", Reshape), new("Unsqueeze", Reshape), new("Transpose", Transpose),
        new("Concat", Concat), new("Split", Split), new("Slice", Slice), new("Gather", Gather), new("Expand", Expand), new("Tile", Tile),
        new("TensorScatter", ScatterSteps), new("Pad", Pad),
        new("ConstantOfShape", ConstantOfShape), new("DepthToSpace", DepthToSpace), new("SpaceToDepth", SpaceToDepth), new("Resize", Resize),
        new("Upsample", Resize),
        new("Shape", Sizes), new("Size", Sizes), new(Node.Dimensions, Sizes),
    ];

    private static StructuredValue[] Reshape(Coupling coupling, Node node)
    {
        if (node.Operator == "Reshape" && node.Inputs.Length > 1)
        {
            return coupling.Opaque(node, $"the target of node '{node.Name}' (Reshape) is known only when the network runs");
        }

        return [ReshapeCoupling.Reshape(coupling, node)];
    }

    private static StructuredValue[] Transpose(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        var order = node.Ints("perm", [.. Enumerable.Range(0, x.Axes.Length).Reverse().Select(i => (long)i)]);
        return [x with { Axes = [.. order.Select(i => x.Axes[i])] }];
    }

    private static StructuredValue[] Concat(Coupling coupling, Node node)
    {
        var parts = node.Inputs.Select((_, i) => coupling.Input(node, i)).ToArray();
        var axes = parts[0].Axes.ToArray();
        var axis = node.Axis(axes.Length, 0);
        for (var d = 0; d < axes.Length; d++)
        {
            for (var i = 1; i < parts.Length && d != axis; i++)
            {
                axes[d] = coupling.Tie(axes[d], parts[i].Axes[d]);
            }
        }

        axes[axis] = Join(coupling, node, axis, parts);
        return [new(axes, parts.All(part => part.Zero))];
    }

    private static Axis Join(Coupling coupling, Node node, int axis, StructuredValue[] parts)
    {
        if (!parts.Any(part => part.Axes[axis].IsLive))
        {
            return parts[0].Axes[axis] is { Reason: var reason } && reason == Coupling.Single.Reason ? Coupling.Positions : parts[0].Axes[axis];
        }

        var all = new List<int>();
        // Joined with itself over and over, a dimension doubles with every node.
        var room = coupling.Classes.HasRoom(node.Inputs.Sum(input => Math.Max(0L, coupling.Info(input).Shape[axis])));
        for (var i = 0; i < parts.Length; i++)
        {
            var (part, size) = (parts[i].Axes[axis], coupling.Info(node.Inputs[i]).Shape[axis]);
            if (size < 0 || !room || (part.IsLive && part.PerIndex() is null))
            {
                var reason = $"node '{node.Name}' (Concat) joins {(room ? "it with dimensions of open size" : "more indices than are told apart")}";
                foreach (var other in parts)
                {
                    coupling.Fix(other.Axes[axis], reason);
                }

                return Axis.Inert(reason);
            }

            all.AddRange(part.PerIndex() ?? coupling.Classes.AddFixed(size, part.Reason));
        }

        return new([.. all]);
    }

    private static StructuredValue[] Split(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        var axis = node.Axis(x.Axes.Length, 0);
        if (node.Inputs.Length > 1)
        {
            return coupling.Opaque(node, $"the sizes of node '{node.Name}' (Split) are known only when the network runs");
        }

        var (parts, start) = (new List<StructuredValue>(), 0);
        foreach (var size in node.Ints("split"))
        {
            parts.Add(Picked(coupling, node, x, axis, Enumerable.Range(start, (int)size)));
            start += (int)size;
        }

        return [.. parts];
    }

    private static StructuredValue[] Slice(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        var shape = coupling.Info(node.Inputs[0]).Shape;
        if (node.Inputs.Length > 1)
        {
            var axes = node.Input(3) is { } list && coupling.Graph.Constant(list) is { Values.IsDefault: false } known ? known.Values.ToArray() : null;
            var cuts = LayoutShapes.CutAxes(node, shape.Length, axes, coupling.Info(node.Inputs[1]).Shape is [>= 0 and var bounds] ? bounds : null);
            return [cuts.Aggregate(x, (value, axis) => CutOpen(coupling, node, value, axis))];
        }

        foreach (var (axis, range) in LayoutShapes.Ranges(node, shape).ToArray())
        {
            if (range is not { } cut)
            {
                x = LayoutShapes.IsWhole(node, axis, shape) ? x : CutOpen(coupling, node, x, axis);
                continue;
            }

            x = Picked(coupling, node, x, axis, Enumerable.Range(0, cut.Count).Select(i => cut.Start + i * cut.Step));
        }

        return [x];
    }

    /// <summary>The value without the indices of a dimension, of which it is known only when the network runs which are left.</summary>
    private static StructuredValue CutOpen(Coupling coupling, Node node, StructuredValue x, int axis)
    {
        coupling.Fix(x.Axes[axis], $"node '{node.Name}' ({node.Operator}) cuts it at a place that is known only when the network runs");
        return x with { Axes = [.. x.Axes.Select((other, d) => d == axis ? Coupling.Positions : other)] };
    }

    private static StructuredValue[] Gather(Coupling coupling, Node node)
    {
        var table = coupling.IsParameter(node, 0);
        var x = coupling.Input(node, 0, AxisRole.Output, StructureKind.Embedding);
        var axis = node.Axis(x.Axes.Length, 0);
        if (node.Inputs.Length == 1)
        {
            var indices = node.Ints("indices");
            var size = coupling.Info(node.Inputs[0]).Shape[axis];
            if (node.Int("scalar", 0) == 1)
            {
                var picked = size < 0 ? x : Picked(coupling, node, x, axis, [(int)((indices[0] + size) % size)]);
                return [picked with { Axes = [.. picked.Axes.Where((_, d) => d != axis)] }];
            }

            if (size < 0)
            {
                coupling.Fix(x.Axes[axis], $"node '{node.Name}' (Gather) picks from a dimension of open size");
                return [x with { Axes = [.. x.Axes.Select((other, d) => d == axis ? Coupling.Positions : other)] }];
            }

            return [Picked(coupling, node, x, axis, indices.Select(index => (int)((index + size) % size)))];
        }

        coupling.Fix(x.Axes[axis], $"node '{node.Name}' (Gather) picks rows of it by indices that are known only when the network runs");
        var ids = coupling.Input(node, 1).Axes;
        coupling.Fix(new StructuredValue(ids, false), $"node '{node.Name}' (Gather) reads it as indices");
        return [new([.. x.Axes.Take(axis), .. ids.Select(_ => Coupling.Positions), .. x.Axes.Skip(axis + 1)], x.Zero || table)];
    }

    /// <summary>The value with some indices of a dimension; one that is picked alone stays, since an empty tensor would be no network.</summary>
    private static StructuredValue Picked(Coupling coupling, Node node, StructuredValue x, int axis, IEnumerable<int> indices)
    {
        if (!x.Axes[axis].IsLive)
        {
            return x;
        }

        if (x.Axes[axis].PerIndex() is not { } all)
        {
            coupling.Fix(x.Axes[axis], "it is cut where it is merged with a dimension of open size");
            return x with { Axes = [.. x.Axes.Select((other, d) => d == axis ? Coupling.Positions : other)] };
        }

        var picked = indices.Select(i => all[i]).ToArray();
        if (picked.Length == 1)
        {
            coupling.Classes.Fix(picked[0], $"node '{node.Name}' ({node.Operator}) picks it alone");
        }

        coupling.Consume(x.Axes[axis]);
        return x with { Axes = [.. x.Axes.Select((other, d) => d != axis ? other : picked.Length > 1 ? new Axis(picked) : Coupling.Single)] };
    }

    private static StructuredValue[] Expand(Coupling coupling, Node node)
    {
        if (node.Inputs.Length > 1)
        {
            return coupling.Opaque(node, $"the target of node '{node.Name}' (Expand) is known only when the network runs");
        }

        var x = coupling.Input(node, 0);
        var (from, to) = (coupling.Info(node.Inputs[0]).Shape, coupling.Info(node.Outputs[0]).Shape);
        var zero = x.Zero;
        var axes = to.Select((size, d) =>
        {
            var own = d - to.Length + from.Length;
            if (own >= 0 && from[own] != 1)
            {
                return x.Axes[own];
            }

            zero &= size <= 1;
            return coupling.Unbacked(size);
        }).ToArray();
        return [new(axes, zero)];
    }

    private static StructuredValue[] ConstantOfShape(Coupling coupling, Node node)
        => [new([.. coupling.Info(node.Outputs[0]).Shape.Select(coupling.Unbacked)], node.Float("value", 0) == 0)];

    private static StructuredValue[] Tile(Coupling coupling, Node node)
    {
        if (node.Inputs.Length > 1)
        {
            return coupling.Opaque(node, $"how often node '{node.Name}' (Tile) repeats it is known only when the network runs");
        }

        var (x, repeats) = (coupling.Input(node, 0), node.Ints("repeats"));
        var (from, to) = (coupling.Info(node.Inputs[0]).Shape, coupling.Info(node.Outputs[0]).Shape);
        var isWidened = from.Select((size, d) => size == 1 && to[d] != 1).ToArray();
        return [new([.. x.Axes.Select((axis, d) => isWidened[d] ? coupling.Unbacked(to[d]) : !axis.IsLive || repeats[d] == 1 ? axis
            : axis with { Outer = coupling.Graph.Symbols.Product(axis.Outer, (int)repeats[d]) })], x.Zero && !isWidened.Contains(true))];
    }

    private static StructuredValue[] ScatterSteps(Coupling coupling, Node node)
    {
        var (cache, steps) = (coupling.Input(node, 0), coupling.Input(node, 1));
        var axis = node.Axis(cache.Axes.Length, -2);
        var axes = new Axis[cache.Axes.Length];
        for (var d = 0; d < axes.Length; d++)
        {
            // Where steps go is told for each row.
            if (d == axis || (d == 0 && node.Input(2) is not null))
            {
                coupling.Fix(cache.Axes[d], $"node '{node.Name}' (TensorScatter) writes to places along it");
                coupling.Fix(steps.Axes[d], $"node '{node.Name}' (TensorScatter) writes to places along it");
                axes[d] = Coupling.Positions;
            }
            else
            {
                axes[d] = coupling.Tie(cache.Axes[d], steps.Axes[d]);
            }
        }

        return [new(axes, cache.Zero && steps.Zero)];
    }

    private static StructuredValue[] Pad(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        if (node.Inputs.Length > 1)
        {
            return coupling.Opaque(node, $"the padding of node '{node.Name}' is known only when the network runs");
        }

        var (pads, rank) = (node.Ints("pads"), x.Axes.Length);
        var constant = node.Text("mode", "constant") == "constant";
        return [x with
        {
            Axes = [.. x.Axes.Select((axis, d) =>
            {
                if (!axis.IsLive || (pads[d] == 0 && pads[rank + d] == 0))
                {
                    return axis;
                }

                if (!constant || pads[d] < 0 || pads[rank + d] < 0 || axis.PerIndex() is not { } all || !coupling.Classes.HasRoom(pads[d] + pads[rank + d]))
                {
                    coupling.Fix(axis, $"node '{node.Name}' (Pad) repeats or cuts it");
                    return Coupling.Positions;
                }

                var added = $"node '{node.Name}' (Pad) adds it";
                return new([.. coupling.Classes.AddFixed((int)pads[d], added), .. all, .. coupling.Classes.AddFixed((int)pads[rank + d], added)]);
            })],
            Zero = x.Zero && (!constant || node.Float("value", 0) == 0),
        }];
    }

    private static StructuredValue[] DepthToSpace(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        var blocks = (int)(node.Int("blocksize", 1) * node.Int("blocksize", 1));
        var channels = coupling.Info(node.Outputs[0]).Shape[1];
        var axis = node.Text("mode", "DCR") == "DCR" ? coupling.Factor(x.Axes[1], blocks, channels, 1) : coupling.Factor(x.Axes[1], 1, channels, blocks);
        return [x with { Axes = [x.Axes[0], axis.IsLive ? axis with { Outer = 1, Inner = 1 } : axis, Coupling.Positions, Coupling.Positions] }];
    }

    private static StructuredValue[] SpaceToDepth(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        var blocks = (int)(node.Int("blocksize", 1) * node.Int("blocksize", 1));
        return [x with { Axes = [x.Axes[0], x.Axes[1].IsLive ? x.Axes[1] with { Outer = coupling.Graph.Symbols.Product(x.Axes[1].Outer, blocks) } : x.Axes[1],
            Coupling.Positions, Coupling.Positions] }];
    }

    private static StructuredValue[] Resize(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        var (from, to) = (coupling.Info(node.Inputs[0]).Shape, coupling.Info(node.Outputs[0]).Shape);
        return [x with
        {
            Axes = [.. x.Axes.Select((axis, d) =>
            {
                if (from[d] != to[d])
                {
                    coupling.Fix(axis, $"node '{node.Name}' (Resize) resizes it");
                }

                return from[d] == to[d] ? axis : Coupling.Positions;
            })],
        }];
    }

    private static StructuredValue[] Sizes(Coupling coupling, Node node)
    {
        foreach (var name in node.Inputs)
        {
            // A size that is read while the network runs would change with the dimension.
            coupling.Fix(coupling.Values.GetValueOrDefault(name) ?? new([], false), $"node '{node.Name}' ({node.Operator}) reads its size");
        }

        return [Coupling.Inert(coupling.Info(node.Outputs[0]), "it holds sizes")];
    }
}
