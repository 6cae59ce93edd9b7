using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Networks.Operators;

/// <summary>
/// Shapes of all tensors from the shapes of the inputs; a node that does not fit is refused by name. What an unknown operator produces
/// stays unknown, and so does what follows from it.
/// </summary>
internal static class ShapeInference
{
    /// <summary>What a node produces: one shape an output, default where unknown.</summary>
    public delegate ImmutableArray<int>[] Rule(ShapeContext context);

    public static Dictionary<string, TensorInfo> Run(NetworkParts graph, Func<string, Parameter?> parameter, Func<string, Constant?> constant)
    {
        var tensors = new Dictionary<string, TensorInfo>(graph.Inputs.Length + graph.Nodes.Length);
        foreach (var input in graph.Inputs)
        {
            tensors.Add(input.Name, input);
        }

        TensorInfo? Find(Node node, string name) => name.Length == 0 ? null
            : parameter(name) is { } weight ? new TensorInfo(name, weight.Shape) { Type = weight.Type }
            : constant(name) is { } held ? new TensorInfo(name, held.Shape) { Type = held.Type }
            : tensors.TryGetValue(name, out var tensor) ? tensor
            : throw new ArgumentException($"Node '{node.Name}' ({node.Operator}) reads '{name}', which no node before it produces.");

        foreach (var node in graph.Nodes)
        {
            foreach (var output in Outputs(node, [.. node.Inputs.Select(input => Find(node, input))], graph.Symbols,
                name => constant(name) is { Values: { IsDefault: false } values } ? [.. values] : null))
            {
                var declared = output.IsKnown ? null : graph.Declared?.GetValueOrDefault(output.Name);
                if (!tensors.TryAdd(output.Name, declared ?? output))
                {
                    throw new ArgumentException($"Two nodes produce the tensor '{output.Name}'; the second is '{node.Name}' ({node.Operator}).");
                }
            }
        }

        return tensors;
    }

    /// <summary>The tensors that a node produces, optional ones left out.</summary>
    /// <param name="node">The node.</param>
    /// <param name="inputs">What it reads.</param>
    /// <param name="symbols">Open sizes.</param>
    /// <param name="integers">The numbers that an operand of integers holds; null where they are not known.</param>
    public static IEnumerable<TensorInfo> Outputs(Node node, ImmutableArray<TensorInfo?> inputs, Symbols symbols, Func<string, long[]?>? integers = null)
    {
        var context = new ShapeContext(node, inputs, symbols, integers);
        var shapes = OperatorCatalogue.Find(node) is { } known && inputs.All(input => input is null or { IsKnown: true }) ? known.Shape(context)
            : CarriedShapes.Of(context);
        if (shapes.Any(shape => !shape.IsDefault && shape.Length > OnnxTensorSize.MostDimensions))
        {
            throw new ArgumentException($"Layer '{node.Name}' ({node.Operator}) produces a tensor of "
                + $"{shapes.Where(shape => !shape.IsDefault).Max(shape => shape.Length)} dimensions; expected at most {OnnxTensorSize.MostDimensions}.");
        }

        for (var i = 0; i < node.Outputs.Length; i++)
        {
            if (node.Outputs[i].Length > 0)
            {
                yield return new TensorInfo(node.Outputs[i], i < shapes.Length ? shapes[i] : default) { Type = Type(context, i) };
            }
        }
    }

    private static TensorType Type(ShapeContext context, int output) => context.Node.Operator switch
    {
        _ when context.Node.Domain.Length > 0 => output == 0 && CarriedShapes.Of(context).Length > 0 ? context.Type(0) : TensorType.Unknown,
        "Cast" => (TensorType)context.Node.Int("to", 0),
        "Dropout" when output == 1 => TensorType.Bool,
        "TopK" or "MaxPool" when output == 1 => TensorType.Int64,
        "ConstantOfShape" => (TensorType)context.Node.Int("dtype", 1),
        "Where" or "DequantizeLinear" => context.Type(1),
        "QuantizeLinear" => context.Node.Input(2) is null ? (TensorType)context.Node.Int("output_dtype", (long)TensorType.UInt8) : context.Type(2),
        "DynamicQuantizeLinear" => output == 1 ? TensorType.Float : TensorType.UInt8,
        "If" or "Loop" or "Scan" => TensorType.Unknown,
        _ => OperatorCatalogue.Find(context.Node)?.Type ?? context.Type(0),
    };
}
