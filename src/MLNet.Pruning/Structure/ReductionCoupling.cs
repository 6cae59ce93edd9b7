using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Structure;

/// <summary>
/// Pooling, reductions and normalisation: what they work over stays, since a masked member still counts in a mean or a softmax; other
/// dimensions pass.
/// </summary>
internal static class ReductionCoupling
{
    private static readonly string[] s_pooling = ["MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"];
    private static readonly string[] s_others = ["ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceLogSum", "ReduceLogSumExp"];

    /// <summary>Sums to which zeros add nothing.</summary>
    private static readonly string[] s_sums = ["ReduceSum", "ReduceL1", "ReduceL2", "ReduceSumSquare"];

    public static IEnumerable<KeyValuePair<string, Coupling.Rule>> Rules { get; } =
    [
        .. s_pooling.Select(name => KeyValuePair.Create<string, Coupling.Rule>(name, Pool)),
        .. s_others.Concat(s_sums).Select(name => KeyValuePair.Create<string, Coupling.Rule>(name, Reduce)),
        new("Softmax", Over), new("LogSoftmax", Over), new("Hardmax", Over), new("CumSum", Over), new("CumProd", Over), new("LpNormalization", Over),
        new("ArgMax", Pick), new("ArgMin", Pick), new("TopK", Pick),
        new("LayerNormalization", Over), new("GroupNormalization", GroupNormalization), new("LRN", Over), new("Trilu", Triangle),
    ];

    private static StructuredValue[] Pool(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        foreach (var axis in x.Axes.Skip(2))
        {
            coupling.Fix(axis, $"node '{node.Name}' ({node.Operator}) moves a window over it");
        }

        if (node.Outputs.Length > 1 && node.Outputs[1].Length > 0)
        {
            // Places are counted through the whole tensor, rows and channels included.
            coupling.Fix(x, $"node '{node.Name}' ({node.Operator}) numbers its values");
        }

        return [new([x.Axes[0], x.Axes[1], .. x.Axes.Skip(2).Select(_ => Coupling.Positions)], x.Zero)];
    }

    private static StructuredValue[] Reduce(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        if (node.Inputs.Length > 1)
        {
            return coupling.Opaque(node, $"node '{node.Name}' ({node.Operator}) computes what it works over");
        }

        var axes = Worked(coupling, node, x).ToArray();
        foreach (var axis in axes)
        {
            if (x.Zero && s_sums.Contains(node.Operator))
            {
                coupling.Consume(x.Axes[axis]);
            }
            else
            {
                coupling.Fix(x.Axes[axis], Reason(node));
            }
        }

        var zeros = OperatorCatalogue.Find(node)!.Zeros;
        if (zeros == Zeros.Infinite && x.Zero)
        {
            coupling.Fix(x, $"node '{node.Name}' ({node.Operator}) is infinite where it is masked");
        }

        var keep = node.Int("keepdims", 1) == 1;
        return [new([.. x.Axes.Select((axis, i) => axes.Contains(i) ? Coupling.Single : axis).Where((_, i) => keep || !axes.Contains(i))],
            x.Zero && zeros == Zeros.OfFirst)];
    }

    private static StructuredValue[] Over(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        foreach (var over in Worked(coupling, node, x))
        {
            coupling.Fix(x.Axes[over], Reason(node));
        }

        // An exclusive product begins with a one.
        return [new(x.Axes, x.Zero && (OperatorCatalogue.Find(node)!.Zeros == Zeros.OfFirst || (node.Operator == "CumProd" && node.Int("exclusive", 0) == 0)))];
    }

    private static StructuredValue[] Pick(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        var axis = Worked(coupling, node, x).Single();
        coupling.Fix(x.Axes[axis], Reason(node));
        var keep = node.Operator == "TopK" || node.Int("keepdims", 1) == 1;
        return [new([.. x.Axes.Select((other, i) => i == axis ? Coupling.Positions : other).Where((_, i) => keep || i != axis)], false)];
    }

    private static StructuredValue[] GroupNormalization(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        foreach (var axis in x.Axes.Skip(2))
        {
            coupling.Fix(axis, Reason(node));
        }

        var (groups, channels) = ((int)node.Int("num_groups", 1), coupling.Info(node.Inputs[0]).Shape[1]);
        if (groups == 1 || channels < 0 || channels % groups != 0 || !coupling.IsParameter(node, 1) || !coupling.IsParameter(node, 2))
        {
            coupling.Fix(x.Axes[1], Reason(node));
            return [x with { Zero = false }];
        }

        // Whole groups: each is normalised apart from the others. One scale a channel since version 21, one a group before.
        var units = coupling.Factor(x.Axes[1], 1, groups, channels / groups);
        for (var i = 1; i <= 2 && units.IsLive; i++)
        {
            coupling.Bind(node, i, 0, coupling.Info(node.Inputs[i]).Shape[0] == channels ? units : units with { Inner = 1 }, AxisRole.Affine);
        }

        return [new([x.Axes[0], units, .. x.Axes.Skip(2)], Zero: !x.Axes[0].IsLive)];
    }

    private static StructuredValue[] Triangle(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        foreach (var axis in x.Axes[^2..])
        {
            coupling.Fix(axis, $"node '{node.Name}' ({node.Operator}) cuts a triangle by its index");
        }

        return [x];
    }

    private static IEnumerable<int> Worked(Coupling coupling, Node node, StructuredValue x)
        => OperatorCatalogue.Find(node)!.Over!(node, x.Axes.Length, coupling.Graph.Opset);

    private static string Reason(Node node) => $"node '{node.Name}' ({node.Operator}) works over it, and a masked index still counts there";
}
