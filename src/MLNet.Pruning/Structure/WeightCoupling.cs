namespace MLNet.Pruning.Structure;

/// <summary>Layers with weights: the index that a weight's row produces, and the index that its column consumes.</summary>
internal static class WeightCoupling
{
    private const int Absent = -1;

    public static IEnumerable<KeyValuePair<string, Coupling.Rule>> Rules { get; } =
    [
        new("Conv", Convolution), new("ConvTranspose", Transposed), new("Gemm", Gemm), new("MatMul", MatMul),
        new("BatchNormalization", ChannelNormalization), new("InstanceNormalization", ChannelNormalization),
    ];

    /// <summary>Whether the number of groups of a convolution shrinks, not their size.</summary>
    public static bool ShrinksByGroups(Coupling coupling, Node node)
    {
        var groups = node.Int("group", 1);
        return groups > 1 && coupling.IsParameter(node, 1) && coupling.Graph.Parameter(node.Inputs[1])!.Shape is var weight
            && (node.Operator == "Conv" ? weight[1] == 1 || coupling.Options.WholeGroups : weight[0] == groups);
    }

    private static StructuredValue[] Convolution(Coupling coupling, Node node)
    {
        if (!coupling.IsParameter(node, 1))
        {
            return coupling.Opaque(node, $"the weight of node '{node.Name}' is computed");
        }

        var x = coupling.Input(node, 0);
        var weight = coupling.Graph.Parameter(node.Inputs[1])!.Shape;
        var (groups, filters, perGroup) = ((int)node.Int("group", 1), weight[0], weight[1]);
        Axis output;
        if (groups == 1)
        {
            Consume(coupling, node, x.Axes[1], 1);
            output = coupling.Parameter(node, 1, 0, AxisRole.Output, StructureKind.Channel);
        }
        else if (perGroup == 1)
        {
            // Depthwise: a channel and the filters that read it alone.
            output = coupling.Factor(coupling.Parameter(node, 1, 0, AxisRole.Output, StructureKind.Channel), 1, groups, filters / groups);
            coupling.Tie(x.Axes[1], output with { Inner = 1 });
        }
        else if (coupling.Options.WholeGroups)
        {
            output = coupling.Factor(coupling.Parameter(node, 1, 0, AxisRole.Output, StructureKind.ChannelGroup), 1, groups, filters / groups);
            coupling.Tie(coupling.Factor(x.Axes[1], 1, groups, perGroup), output with { Inner = perGroup });
        }
        else
        {
            output = coupling.Factor(coupling.Parameter(node, 1, 0, AxisRole.Output, StructureKind.Channel), groups, filters / groups, 1);
            var input = coupling.Factor(x.Axes[1], groups, perGroup, 1);
            Consume(coupling, node, input.IsLive ? input with { Outer = 1 } : input, 1);
        }

        return [Produced(coupling, node, x, output)];
    }

    private static StructuredValue[] Transposed(Coupling coupling, Node node)
    {
        if (!coupling.IsParameter(node, 1))
        {
            return coupling.Opaque(node, $"the weight of node '{node.Name}' is computed");
        }

        var x = coupling.Input(node, 0);
        var weight = coupling.Graph.Parameter(node.Inputs[1])!.Shape;
        var (groups, channels, perGroup) = ((int)node.Int("group", 1), weight[0], weight[1]);
        Axis output;
        if (groups == 1)
        {
            Consume(coupling, node, x.Axes[1], 0);
            output = coupling.Parameter(node, 1, 1, AxisRole.Output, StructureKind.Channel);
        }
        else if (groups == channels)
        {
            output = coupling.Parameter(node, 1, 0, AxisRole.Output, StructureKind.Channel);
            coupling.Tie(x.Axes[1], output);
            output = output with { Inner = perGroup };
        }
        else
        {
            var input = coupling.Factor(x.Axes[1], groups, channels / groups, 1);
            Consume(coupling, node, input, 0);
            output = coupling.Parameter(node, 1, 1, AxisRole.Output, StructureKind.Channel) with { Outer = groups };
        }

        return [Produced(coupling, node, x, output)];
    }

    private static StructuredValue Produced(Coupling coupling, Node node, StructuredValue x, Axis output)
    {
        foreach (var axis in x.Axes.Skip(2))
        {
            coupling.Fix(axis, $"node '{node.Name}' ({node.Operator}) moves a window over it");
        }

        if (coupling.IsParameter(node, 2))
        {
            output = coupling.Bind(node, 2, 0, output, AxisRole.Affine);
        }
        else if (node.Input(2) is not null)
        {
            coupling.Fix(output, $"node '{node.Name}' adds a computed bias");
        }

        // A masked row of the batch still gets the bias.
        return new([x.Axes[0], output, .. x.Axes.Skip(2).Select(_ => Coupling.Positions)], Zero: node.Input(2) is null || !x.Axes[0].IsLive);
    }

    /// <summary>Ties what a layer reads to the columns of its weight.</summary>
    private static void Consume(Coupling coupling, Node node, Axis x, int dimension)
    {
        if (coupling.Graph.Parameter(node.Inputs[1])!.Shape[dimension] > 1)
        {
            coupling.Bind(node, 1, dimension, x, AxisRole.Input);
        }
        else
        {
            coupling.Fix(x, Coupling.Single.Reason);
        }
    }

    private static StructuredValue[] Gemm(Coupling coupling, Node node)
    {
        if (node.Int("transA", 0) == 1)
        {
            return coupling.Opaque(node, $"node '{node.Name}' multiplies with a transposed tensor");
        }

        var x = coupling.Input(node, 0);
        var (input, made) = node.Int("transB", 0) == 1 ? (1, 0) : (0, 1);
        Axis output;
        var (rows, zero) = (x.Axes[0], true);
        if (coupling.IsParameter(node, 1))
        {
            Consume(coupling, node, x.Axes[1], input);
            output = coupling.Parameter(node, 1, made, AxisRole.Output);
        }
        else
        {
            // A computed matrix, or a weight that another layer reads too and this one in another form.
            var weight = coupling.Input(node, 1);
            ReadAsWeight(coupling, node, weight.Axes[input], weight.Axes[made]);
            Contract(coupling, node, x.Axes[1], weight.Axes[input], coupling.Info(node.Inputs[0]).Shape[1], x.Zero || weight.Zero);
            output = weight.Axes[made];
            zero = (!rows.IsLive || x.Zero) && (!output.IsLive || weight.Zero);
        }

        if (node.Input(2) is { } bias)
        {
            var shape = coupling.Info(bias).Shape;
            if (coupling.IsParameter(node, 2) && shape is [.., > 1])
            {
                output = coupling.Bind(node, 2, shape.Length - 1, output, AxisRole.Affine);
                if (shape is [> 1, _])
                {
                    rows = coupling.Bind(node, 2, 0, rows, AxisRole.Affine);
                }
                else
                {
                    zero = !rows.IsLive;
                }
            }
            else
            {
                zero = false;
                if (!coupling.IsParameter(node, 2))
                {
                    coupling.Fix(output, $"node '{node.Name}' adds a computed bias");
                    coupling.Fix(coupling.Input(node, 2), $"node '{node.Name}' adds it as a bias");
                }
            }
        }

        return [new([rows, output], zero)];
    }

    /// <summary>Makes a parameter the weight of the layer that reads it in another form: one of integers transposed, one times a mask.</summary>
    private static void ReadAsWeight(Coupling coupling, Node node, Axis input, Axis output)
    {
        for (var i = 0; i < coupling.Axes.Count; i++)
        {
            var axis = coupling.Axes[i];
            if (axis.Role == AxisRole.Affine && (axis.Classes == input.Classes || axis.Classes == output.Classes)
                && coupling.Graph.Parameter(axis.Parameter)! is { Trainable: true, Shape.Length: > 1 })
            {
                coupling.Axes[i] = axis with { Role = axis.Classes == output.Classes ? AxisRole.Output : AxisRole.Input, Node = node };
            }
        }
    }

    /// <summary>Ties the dimensions that a product sums over.</summary>
    private static void Contract(Coupling coupling, Node node, Axis left, Axis right, int size, bool zero)
    {
        if (size == 1)
        {
            return;
        }

        if (!zero)
        {
            coupling.Fix(left, $"node '{node.Name}' sums over it, and what is masked does not stay zero up to there");
            coupling.Fix(right, $"node '{node.Name}' sums over it, and what is masked does not stay zero up to there");
        }

        coupling.Consume(coupling.Tie(left, right));
    }

    private static StructuredValue[] MatMul(Coupling coupling, Node node)
    {
        var (leftWeight, rightWeight) = (coupling.IsParameter(node, 0), coupling.IsParameter(node, 1));
        var (a, b) = (coupling.Info(node.Inputs[0]).Shape, coupling.Info(node.Inputs[1]).Shape);
        // A vector has the dimension that is summed over, and no other.
        var (rows, columns) = (a.Length - 2, b.Length > 1 ? b.Length - 1 : Absent);
        var left = Operand(coupling, node, 0, a.Length, outputs: rows, inputs: a.Length - 1, leftWeight);
        var right = Operand(coupling, node, 1, b.Length, outputs: columns, inputs: Math.Max(0, b.Length - 2), rightWeight);
        var (summed, made) = (right.Axes[Math.Max(0, b.Length - 2)], columns >= 0 ? right.Axes[columns] : null);
        if (made is not null)
        {
            ReadAsWeight(coupling, node, summed, made);
        }

        Contract(coupling, node, left.Axes[^1], summed, a[^1], left.Zero || right.Zero || leftWeight || rightWeight);

        var rank = Math.Max(a.Length, b.Length);
        var batch = new Axis[Math.Max(0, rank - 2)];
        for (var d = 0; d < batch.Length; d++)
        {
            var (i, j) = (d - rank + a.Length, d - rank + b.Length);
            var (first, second) = (i >= 0 && a[i] != 1 ? left.Axes[i] : null, j >= 0 && b[j] != 1 ? right.Axes[j] : null);
            batch[d] = first is not null && second is not null ? coupling.Tie(first, second) : first ?? second ?? Coupling.Single;
        }

        Axis?[] own = [rows >= 0 ? left.Axes[rows] : null, made];
        var zero = (!batch.Any(axis => axis.IsLive) || left.Zero || right.Zero) && (own[0] is not { IsLive: true } || left.Zero)
            && (made is not { IsLive: true } || right.Zero);
        return [new([.. batch, .. own.OfType<Axis>()], zero)];
    }

    private static StructuredValue Operand(Coupling coupling, Node node, int input, int rank, int outputs, int inputs, bool weight) => weight
        ? new([.. Enumerable.Range(0, rank).Select(d => coupling.Info(node.Inputs[input]).Shape[d] == 1 ? Coupling.Single
            : coupling.Parameter(node, input, d, d == outputs ? AxisRole.Output : d == inputs ? AxisRole.Input : AxisRole.Affine))], Zero: true)
        : coupling.Input(node, input);

    private static StructuredValue[] ChannelNormalization(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        var axes = x.Axes.ToArray();
        foreach (var axis in axes.Skip(2).Where(_ => node.Operator == "InstanceNormalization"))
        {
            coupling.Fix(axis, $"node '{node.Name}' (InstanceNormalization) works over it, and a masked index still counts there");
        }

        for (var i = 1; i < node.Inputs.Length; i++)
        {
            if (!coupling.IsParameter(node, i))
            {
                return coupling.Opaque(node, $"node '{node.Name}' has computed scales");
            }

            if (coupling.Info(node.Inputs[i]).Shape[0] > 1)
            {
                axes[1] = coupling.Bind(node, i, 0, axes[1], i < 3 ? AxisRole.Affine : AxisRole.RemovedOnly);
            }
        }

        return [new(axes, Zero: axes.Where((axis, d) => d != 1).All(axis => !axis.IsLive))];
    }
}
