using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Structure;

/// <summary>Operators that work value by value: the same index of the same dimension, aligned from the right; size 1 ties nothing.</summary>
internal static class ElementwiseCoupling
{
    public static IEnumerable<KeyValuePair<string, Coupling.Rule>> Rules { get; } =
    [
        .. OperatorCatalogue.All.Where(one => one.IsElementwise).Select(one => KeyValuePair.Create<string, Coupling.Rule>(one.Name, one switch
        {
            { IsUnary: false } => Join,
            { Zeros: Zeros.Infinite } => InfiniteAtZero,
            { Name: "Clip" } => Clip,
            _ => (coupling, node) => [coupling.Input(node, 0) is var x && one.Zeros == Zeros.OfFirst ? x : x with { Zero = false }],
        })),
        new("DynamicQuantizeLinear", (coupling, node) => [coupling.Input(node, 0), new([], Zero: false), new([], Zero: false)]),
        new("QuantizeLinear", Quantization), new("DequantizeLinear", Quantization), new(Node.FakeQuantize, Quantization),
        new(Node.FakeCodebook, (coupling, node) => [coupling.Input(node, 0)]),
    ];

    private static StructuredValue[] Clip(Coupling coupling, Node node) => [coupling.Input(node, 0) is var x && node.Inputs.Length == 1
        && node.Float("min", float.MinValue) <= 0 && node.Float("max", float.MaxValue) >= 0 ? x : x with { Zero = false }];

    /// <summary>What is infinite at a masked index is no number once a weight of zero multiplies it.</summary>
    private static StructuredValue[] InfiniteAtZero(Coupling coupling, Node node)
    {
        var x = coupling.Input(node, 0);
        if (x.Zero)
        {
            coupling.Fix(x, $"node '{node.Name}' ({node.Operator}) is infinite where it is masked");
        }

        return [x with { Zero = false }];
    }

    /// <summary>One scale for all: zero is on the grid, so that what is masked is zero again behind the integers.</summary>
    private static StructuredValue[] Quantization(Coupling coupling, Node node) => coupling.Info(node.Inputs[1]) is { IsKnown: true, Shape: [] or [1] }
        ? [coupling.Input(node, 0)] : coupling.Opaque(node, $"node '{node.Name}' ({node.Operator}) has a scale for each of its indices");

    private static StructuredValue[] Join(Coupling coupling, Node node)
    {
        var rank = coupling.Info(node.Outputs[0]).Shape.Length;
        var operands = node.Inputs.Select((_, i) => coupling.Input(node, i, Role(coupling, node, i))).ToArray();
        var axes = new Axis[rank];
        for (var d = 0; d < rank; d++)
        {
            Axis? joined = null;
            for (var i = 0; i < operands.Length; i++)
            {
                var own = d - rank + operands[i].Axes.Length;
                if (own >= 0 && coupling.Info(node.Inputs[i]).Shape[own] != 1)
                {
                    var axis = operands[i].Axes[own];
                    joined = joined is null ? axis : coupling.Tie(joined, axis);
                }
            }

            axes[d] = joined ?? Coupling.Single;
        }

        if (node.Operator is "Div" or "Mod" && !coupling.IsParameter(node, 1) && operands[1].Zero)
        {
            // Zero divided by zero is no number.
            coupling.Fix(operands[1], $"node '{node.Name}' divides by it");
        }

        if (node.Operator == "Pow" && operands[0].Zero && !coupling.IsPositive(node.Inputs[1]))
        {
            coupling.Fix(operands[0], $"node '{node.Name}' (Pow) has exponents below zero, or computed ones, for which it is infinite where it is masked");
        }

        // An operand that lacks a live dimension is added to masked indices too.
        bool Covers(int i) => operands[i].Zero && Enumerable.Range(0, rank)
            .All(d => !axes[d].IsLive || (d - rank + operands[i].Axes.Length is >= 0 and var own && operands[i].Axes[own].IsLive));
        var zero = OperatorCatalogue.Find(node)!.Zeros switch
        {
            Zeros.OfEvery => Enumerable.Range(0, operands.Length).All(Covers),
            Zeros.OfBranches => Covers(1) && Covers(2),
            Zeros.OfAny => Enumerable.Range(0, operands.Length).Any(Covers),
            Zeros.OfFirst => Covers(0),
            _ => node.Operator == "Pow" && Covers(0) && coupling.IsPositive(node.Inputs[1]) && coupling.Info(node.Inputs[1]).Shape.All(size => size == 1),
        };
        return [new(axes, zero)];
    }

    /// <summary>Divisors and exponents are removed, not masked.</summary>
    private static AxisRole Role(Coupling coupling, Node node, int input)
        => (node.Operator is "Div" or "Mod" or "Pow" && input == 1)
            || (coupling.IsParameter(node, input) && !coupling.Graph.Parameter(node.Inputs[input])!.Trainable)
            ? AxisRole.RemovedOnly : AxisRole.Affine;
}
