namespace MLNet.Pruning.Structure;

/// <summary>Recurrent layers: hidden unit j is row j of every gate in every direction, and column j of what the state multiplies.</summary>
internal static class RecurrentCoupling
{
    public static IEnumerable<KeyValuePair<string, Coupling.Rule>> Rules { get; } =
        [new("LSTM", (coupling, node) => Recurrent(coupling, node, 4)), new("GRU", (coupling, node) => Recurrent(coupling, node, 3)),
            new("RNN", (coupling, node) => Recurrent(coupling, node, 1))];

    private static StructuredValue[] Recurrent(Coupling coupling, Node node, int gates)
    {
        if (!coupling.IsParameter(node, 1) || !coupling.IsParameter(node, 2) || (node.Input(3) is not null && !coupling.IsParameter(node, 3)))
        {
            return coupling.Opaque(node, $"the weights of node '{node.Name}' are computed");
        }

        var x = coupling.Input(node, 0);
        var (w, hidden) = (coupling.Graph.Parameter(node.Inputs[1])!.Shape, coupling.Graph.Parameter(node.Inputs[2])!.Shape[2]);
        if (w[2] > 1)
        {
            coupling.Bind(node, 1, 2, x.Axes[2], AxisRole.Input);
        }

        var rows = coupling.Factor(coupling.Parameter(node, 1, 1, AxisRole.Output, StructureKind.HiddenUnit), gates, hidden, 1);
        var units = hidden > 1 ? rows with { Outer = 1 } : Coupling.Single;
        if (hidden > 1)
        {
            coupling.Bind(node, 2, 1, units with { Outer = gates }, AxisRole.Output, StructureKind.HiddenUnit);
            coupling.Bind(node, 2, 2, units, AxisRole.Input);
            if (coupling.IsParameter(node, 3))
            {
                coupling.Bind(node, 3, 1, units with { Outer = 2 * gates }, AxisRole.Affine);
            }

            foreach (var state in new[] { 5, 6 }.Where(i => node.Input(i) is not null))
            {
                if (coupling.IsParameter(node, state))
                {
                    coupling.Bind(node, state, 2, units, AxisRole.Affine);
                }
                else
                {
                    coupling.Tie(units, coupling.Input(node, state).Axes[2]);
                }
            }

            if (coupling.IsParameter(node, 7))
            {
                coupling.Bind(node, 7, 1, units with { Outer = 3 }, AxisRole.Affine);
            }
        }

        // Gates of zero weights let a state of zero stay zero; other activations than the standard's need not.
        var zero = !node.Attributes.ContainsKey("activations");
        var last = new StructuredValue([Coupling.Positions, x.Axes[1], units], zero);
        return [new([x.Axes[0], Coupling.Positions, x.Axes[1], units], zero), last, last];
    }
}
