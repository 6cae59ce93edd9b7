using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Dense layers as a product and a sum, which is the form that ONNX Runtime fuses with ranges of each batch.</summary>
internal static class DenseProducts
{
    public static Network Of(Network network, IReadOnlyList<QuantizableLayer> layers)
    {
        var split = layers.Where(layer => layer.Node.Operator == "Gemm").ToDictionary(layer => layer.Node.Name);
        // A weight that others read as it is stays with them.
        var turned = split.Values.Where(layer => layer.Node.Int("transB", 0) == 1).GroupBy(layer => layer.Weight.Name)
            .Where(layer => network.Consumers(layer.Key).All(node => split.ContainsKey(node.Name) && node.Int("transB", 0) == 1))
            .ToDictionary(layer => layer.Key, layer => Transposed(layer.First().Weight));
        var names = new UniqueNames(network.Tensors.Keys.Concat(network.Nodes.Select(node => node.Name)));
        var nodes = network.Nodes.SelectMany(node => !split.TryGetValue(node.Name, out var layer)
            || (node.Int("transB", 0) == 1 && !turned.ContainsKey(layer.Weight.Name)) ? [node] : Split(node, names));
        return new Network(network.Parts with
        {
            Nodes = [.. nodes],
            Parameters = [.. network.Parameters.Select(parameter => turned.GetValueOrDefault(parameter.Name, parameter))],
            Metadata = KeptMetadata.Transpose(network.Graph.Metadata, turned.Keys),
            AsRead = false,
        });
    }

    private static Node[] Split(Node gemm, UniqueNames names)
    {
        var product = gemm.AsOperator("MatMul", gemm.Inputs.Take(2)).WithOnly();
        if (gemm.Input(2) is not { } bias)
        {
            return [product];
        }

        var sum = names.Next(gemm.Name + ".product");
        return [product.WithOutputs([sum]), new(names.Next(gemm.Name + ".sum"), "Add", [sum, bias], gemm.Outputs)];
    }

    private static Parameter Transposed(Parameter weight)
    {
        var values = new float[weight.Count];
        var i = 0;
        foreach (var place in TensorPlaces.Transposed(weight.Shape, [1, 0]))
        {
            values[i++] = weight.Array[place];
        }

        return weight.WithValues([weight.Shape[1], weight.Shape[0]], values);
    }
}
