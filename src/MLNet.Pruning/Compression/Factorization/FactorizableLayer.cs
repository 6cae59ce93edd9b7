using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>A weight that can be a product of smaller ones, with the layers that read it, all in the same way.</summary>
/// <param name="Weight">The weight.</param>
/// <param name="Layers">The layers: one, or several that share the weight.</param>
/// <param name="Matrix">What the weight is as a matrix of outputs x inputs.</param>
internal sealed record FactorizableLayer(Parameter Weight, ImmutableArray<LayerInfo> Layers, WeightMatrix Matrix)
{
    /// <summary>The first of the layers.</summary>
    public Node Node => Layers[0].Node;

    public string Name => Node.Name;

    /// <summary>Whether it moves a window over positions.</summary>
    public bool IsConvolution => Node.Operator == "Conv";

    /// <summary>Positions of the kernel of a convolution.</summary>
    public int KernelPositions => Weight.Shape.Skip(2).Aggregate(1, (product, size) => product * size);

    /// <summary>Every weight that layers multiply with or look up, with the first layer that does.</summary>
    public static IEnumerable<(LayerInfo Layer, Parameter Weight)> Candidates(Network network)
        => network.Layers.SelectMany(layer => layer.Weights.Concat(Table(network, layer.Node)).Select(name => (layer, network[name])))
            .DistinctBy(pair => pair.Item2.Name);

    /// <summary>The layers of a weight; null, with the reason, where it cannot be factorised.</summary>
    public static FactorizableLayer? Of(Network network, LayerInfo layer, Parameter weight, out string? reason)
    {
        var layers = network.Layers.Where(other => network.Consumers(weight.Name).Contains(other.Node)).ToImmutableArray();
        reason = Refusal(network, layer, weight, layers);
        return reason is null ? new(weight, layers, MatrixOf(layers[0], weight)) : null;
    }

    private static IEnumerable<string> Table(Network network, Node node) => node is { Domain: "", Operator: "Gather" }
        && network.Parameter(node.Inputs[0]) is { Shape.Length: 2 } table && node.Axis(2, 0) == 0 ? [table.Name] : [];

    private static string? Refusal(Network network, LayerInfo layer, Parameter weight, ImmutableArray<LayerInfo> layers)
    {
        if (layer.Node.Domain.Length > 0 || !(layer.Node.Operator is "Conv" or "Gemm" or "MatMul" or "Gather"))
        {
            return $"{layer.Node.Operator} is not factorised";
        }

        if (weight is not { Type: TensorType.Float, Grid: null })
        {
            return weight.Grid is not null ? "its weight is of integers already" : $"its weight is of type {weight.Type}";
        }

        if (!layers.Any(other => other.Node == layer.Node))
        {
            return "its weight is read in another form than it is held in";
        }

        if (network.Graph.Outputs.Contains(weight.Name))
        {
            return "its weight is an output of the network";
        }

        foreach (var other in layers)
        {
            if (Form(other.Node, weight.Name).Operand < 0)
            {
                return $"'{other.Node.Name}' ({other.Node.Operator}) reads its weight more than once, or in a branch or body";
            }

            if (Form(other.Node, weight.Name) != Form(layer.Node, weight.Name))
            {
                return $"its weight is read in another way by '{other.Node.Name}' ({other.Node.Operator})";
            }
        }

        return layer.Node.Operator switch
        {
            "Conv" when layer.Node.Int("group", 1) is > 1 and var groups => $"its channels are in {groups} groups that do not mix",
            "MatMul" when weight.Shape.Length != 2 => $"its weight of {TensorInfo.Dimensions(weight.Shape)} is no matrix",
            _ when weight.Count == 0 => "its weight is empty",
            _ => null,
        };
    }

    /// <summary>What tells layers apart that read the same weight otherwise.</summary>
    private static (string Domain, string Operator, int Operand, long TransB, long Axis) Form(Node node, string weight) => (node.Domain, node.Operator,
        node.Inputs.Count(input => input == weight) == 1 && !node.Captured.Contains(weight) ? node.Inputs.IndexOf(weight) : -1, node.Int("transB", 0),
        node.Int("axis", 0));

    private static WeightMatrix MatrixOf(LayerInfo layer, Parameter weight) => layer.Node switch
    {
        { Operator: "Gather" } => new(weight.Shape[1], weight.Shape[0], true),
        { Operator: "MatMul" } node when node.Inputs[0] == weight.Name => new(weight.Shape[0], weight.Shape[1], false),
        _ => WeightMatrix.Of(weight, layer.Axes(weight))!.Value,
    };
}
