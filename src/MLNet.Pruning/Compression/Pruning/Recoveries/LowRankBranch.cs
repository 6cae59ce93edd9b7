using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>Two small layers beside a layer, V and then U, and the sum of both ways, which takes the place of the layer's output.</summary>
/// <param name="node">The layer.</param>
/// <param name="weight">Name of its weight.</param>
/// <param name="matrix">The weight as outputs x inputs.</param>
internal sealed class LowRankBranch(Node node, string weight, WeightMatrix matrix)
{
    private const string Mark = ".lowrank";

    /// <summary>Name of the weight that makes the layer's outputs.</summary>
    public string U { get; } = $"{node.Name}{Mark}.u";

    /// <summary>Name of the weight that reads the layer's inputs.</summary>
    public string V { get; } = $"{node.Name}{Mark}.v";

    private string Sum { get; } = $"{node.Name}{Mark}.sum";

    /// <summary>Whether a weight is part of such a branch.</summary>
    public static bool Has(Network network, string weight)
        => weight.LastIndexOf(Mark, StringComparison.Ordinal) is >= 0 and var end && network.Nodes.Any(node => node.Name == $"{weight[..end]}{Mark}.sum");

    /// <summary>The factors in a network, an output and an input each with its numbers; null where it has none.</summary>
    public (float[][] U, float[][] V)? Read(Network network)
    {
        if (!network.TryGetParameter(U, out var u))
        {
            return null;
        }

        static float[][] Rows(Parameter factor, int rows, bool byRow)
        {
            var (values, rank) = (factor.Values.ToArray(), factor.Count / rows);
            return [.. Enumerable.Range(0, rows).Select(row => Enumerable.Range(0, rank).Select(r => values[byRow ? row * rank + r : r * rows + row])
                .ToArray())];
        }

        return (Rows(u, matrix.Rows, !matrix.IsTransposed), Rows(network[V], matrix.Columns, matrix.IsTransposed));
    }

    /// <summary>The network with a branch of these factors.</summary>
    public Network Put(Network network, float[][] u, float[][] v)
    {
        var rank = u[0].Length;
        var layer = network.Nodes.First(other => other.Name == node.Name);
        var parts = LayerPart.OfRank(layer, network[weight], matrix, rank);
        Parameter[] factors = [Factor(V, parts[0].Shape, v, matrix.IsTransposed), Factor(U, parts[1].Shape, u, !matrix.IsTransposed)];
        if (network.TryGetParameter(U, out _))
        {
            return network.WithParameters(factors);
        }

        var sum = layer.Outputs[0];
        var (sparse, narrow, dense) = ($"{node.Name}{Mark}.s.out", $"{V}.out", $"{U}.out");
        Node[] nodes =
        [
            layer.WithOutputs([sparse]),
            new(V, parts[0].Operator, [layer.Inputs[0], V], [narrow], parts[0].Attributes),
            new(U, parts[1].Operator, [narrow, U], [dense], parts[1].Attributes),
            new(Sum, "Add", [sparse, dense], [sum]),
        ];
        return new Network(network.Parts with
        {
            Nodes = [.. network.Nodes.SelectMany(other => other == layer ? nodes : [other])],
            Parameters = [.. network.Parameters.SelectMany(parameter => parameter.Name == weight ? [parameter, .. factors] : new[] { parameter })],
            AsRead = false,
        });
    }

    private static Parameter Factor(string name, ImmutableArray<int> shape, float[][] rows, bool byRow)
    {
        var (count, rank) = (rows.Length, rows[0].Length);
        var values = GC.AllocateUninitializedArray<float>(count * rank, pinned: true);
        for (var row = 0; row < count; row++)
        {
            for (var r = 0; r < rank; r++)
            {
                values[byRow ? row * rank + r : r * count + row] = rows[row][r];
            }
        }

        return new(name, shape, values, trainable: true, Initializer.KaimingUniform(rank));
    }
}
