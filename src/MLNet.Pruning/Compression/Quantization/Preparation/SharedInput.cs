using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Compression.Quantization.Preparation;

/// <summary>
/// What a normalisation makes, and dense layers read beside others, as in blocks that normalise last, whose sums read it too. These layers alone get it
/// divided, by a product before them: a pass over the tensor, little beside the layers' own products.
/// </summary>
/// <param name="Tensor">Its name.</param>
/// <param name="Readers">The dense layers.</param>
/// <param name="Weights">Their weights, by the units that they read.</param>
internal sealed record SharedInput(string Tensor, ImmutableArray<Node> Readers, ImmutableArray<UnitSlices> Weights)
{
    /// <summary>How many units it has.</summary>
    public int Units => Weights[0].Units.Length;

    /// <summary>All of a network, in its order.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="taken">Weights whose layers get it divided where it is made.</param>
    public static IEnumerable<SharedInput> All(Network network, IReadOnlySet<string> taken) => network.Layers
        .Where(layer => IsDense(network, layer) && !taken.Contains(layer.Weights[0])
            && network.Producer(layer.Node.Inputs[0]) is { } maker && OperatorCatalogue.Find(maker) is { Scaled: not null })
        .GroupBy(layer => layer.Node.Inputs[0]).Select(layers => new SharedInput(layers.Key, [.. layers.Select(layer => layer.Node)],
            [.. layers.Select(layer => Slices(network[layer.Weights[0]], layer.Axes(network[layer.Weights[0]]).Input))]));

    /// <summary>The network in which the layers read the units divided.</summary>
    /// <param name="network">A network with the layers that it was found in.</param>
    /// <param name="factors">What each unit is divided by; above 0.</param>
    public Network Divide(Network network, double[] factors)
    {
        var names = new UniqueNames(network.Tensors.Keys.Concat(network.Graph.ParameterNames)
            .Concat(network.Graph.Constants.Select(constant => constant.Name)).Concat(network.Nodes.Select(node => node.Name)));
        var (by, divided) = (names.Next(Tensor + "_smoothing"), names.Next(Tensor + "_smoothed"));
        var readers = Readers.Select(node => node.Name).ToHashSet();
        var nodes = new List<Node>();
        foreach (var node in network.Nodes)
        {
            nodes.Add(readers.Contains(node.Name) && node.Inputs[0] == Tensor ? node.WithInputs([divided, .. node.Inputs.Skip(1)]) : node);
            if (node.Outputs.Contains(Tensor))
            {
                nodes.Add(new(names.Next(divided + "_Mul"), "Mul", [Tensor, by], [divided]));
            }
        }

        return new Network(network.Parts with
        {
            Nodes = [.. nodes],
            Parameters = [.. network.Parameters, new(by, [Units], [.. factors.Select(factor => (float)(1 / factor))], trainable: true, Initializer.One)],
            AsRead = false,
        }).WithParameters(Weights.Select(weight => weight.Times(network, unit => factors[unit])));
    }

    private static bool IsDense(Network network, LayerInfo layer) => layer.Node is { Domain: "", Operator: "Gemm" or "MatMul" } node
        && node.Int("transA", 0) == 0 && layer.Weights is [var name] && layer.Operand(name).Input == 1 && node.Inputs[1] == name
        && network[name] is { Type: TensorType.Float, Grid: null, Shape.Length: 2 } && network.Consumers(name).Count() == 1;

    private static UnitSlices Slices(Parameter weight, int dimension) => new(weight.Name, dimension, [.. Enumerable.Range(0, weight.Shape[dimension])]);
}
