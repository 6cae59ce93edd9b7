using System.Numerics.Tensors;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Takes what rounding adds to a layer's outputs on average out of its bias.</summary>
internal static class BiasCorrection
{
    /// <summary>The network with a bias of its own for each dense layer and convolution.</summary>
    public static Network Prepare(Network network)
    {
        network = network.FoldBatchNorm();
        var names = new UniqueNames(network.Tensors.Keys.Concat(network.Graph.ParameterNames).Concat(network.Graph.Constants.Select(constant => constant.Name))
            .Concat(network.Nodes.Select(node => node.Name)));
        var (nodes, added) = (new List<Node>(), new List<Parameter>());
        foreach (var layer in network.Layers)
        {
            var node = layer.Node;
            if (!IsCorrected(network, layer) || Bias(network, node) is not null)
            {
                nodes.Add(node);
                continue;
            }

            var (units, name) = (Units(network, node), names.Next($"{node.Name}.bias"));
            Parameter Zeros(params ImmutableArray<int> shape) => new(name, shape, new float[units], trainable: true, Initializer.Zero);
            if (node.Operator != "MatMul" && node.Input(2) is null)
            {
                added.Add(Zeros(units));
                nodes.Add(node.WithInputs([node.Inputs[0], node.Inputs[1], name]));
            }
            else
            {
                // Behind a product, or a bias that is computed or that others read too.
                var behind = network.Find(node.Outputs[0])!.Shape.Length - Channel(network, node) - 1;
                added.Add(Zeros([units, .. Enumerable.Repeat(1, behind)]));
                var sum = names.Next($"{node.Outputs[0]}_unbiased");
                nodes.Add(node.WithOutputs([sum]));
                nodes.Add(new(names.Next($"{node.Name}_Bias"), "Add", [sum, name], [node.Outputs[0]]));
            }
        }

        return added.Count == 0 ? network : new Network(network.Parts with
        {
            Nodes = [.. nodes], Parameters = [.. network.Parameters, .. added], AsRead = false,
        });
    }

    /// <summary>The quantised network with corrected biases.</summary>
    /// <param name="floats">The network of floats, as <see cref="Prepare"/> left it.</param>
    /// <param name="quantized">What became of it.</param>
    /// <param name="step">Has the rows.</param>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    /// <exception cref="NotSupportedException">The outputs of a layer have open sizes.</exception>
    public static Network Run(Network floats, Network quantized, QuantizationStep step)
    {
        var layers = floats.Layers.Where(layer => IsCorrected(floats, layer) && IsRounded(layer)).Select(layer => layer.Node).ToArray();
        var right = Means(floats, [.. layers.Select(node => (node, node.Outputs[0]))], step);
        foreach (var (layer, mean) in layers.Zip(right))
        {
            // A dense layer that became a product and a sum still makes the same tensor.
            var rounded = quantized.Nodes.FirstOrDefault(node => node.Name == layer.Name && node.Operator == layer.Operator) ?? layer;
            var (now, bias) = (Means(quantized, [(layer, rounded.Outputs[0])], step)[0], quantized[Bias(floats, layer)!]);
            var mask = step.Masks.GetValueOrDefault(bias.Name);
            float[] values = [.. bias.Values.ToArray().Select((value, i) => mask is null || mask[i] ? (float)(value + mean[i] - now[i]) : value)];
            quantized = quantized.WithParameters([bias.Grid is { } grid ? WeightGrids.Bias(bias.WithValues(bias.Shape, values), grid.Scales)
                : bias.WithValues(values)]);
        }

        return quantized;

        bool IsRounded(LayerInfo layer) => !quantized[layer.Weights[0]].Values.SequenceEqual(floats[layer.Weights[0]].Values);
    }

    private static bool IsCorrected(Network network, LayerInfo layer) => layer.Node is { Domain: "", Operator: "Conv" or "ConvTranspose" or "Gemm" or "MatMul" }
        && layer.Weights is [var weight] && layer.Operand(weight).Input == 1 && network.Find(layer.Node.Outputs[0]) is { IsKnown: true, Shape.Length: > 1 };

    /// <summary>Name of the parameter that is a layer's bias, one for each of its units, and no other's; null for none.</summary>
    private static string? Bias(Network network, Node node)
    {
        var reader = node.Operator != "MatMul" ? node : !network.Graph.Outputs.Contains(node.Outputs[0])
            && network.Consumers(node.Outputs[0]).ToArray() is [{ Domain: "", Operator: "Add" } sum] ? sum : null;
        return reader?.Inputs.FirstOrDefault(name => (reader != node || name == node.Input(2)) && network.Parameter(name) is { Type: TensorType.Float } bias
            && bias.Count == Units(network, node) && (node.Operator != "MatMul" || bias.Shape[^1] == bias.Count) && node.Float("beta", 1) == 1
            && network.Consumers(name).Count() == 1);
    }

    /// <summary>The dimension of a layer's outputs that is its units.</summary>
    private static int Channel(Network network, Node node) => node.Operator == "MatMul" ? network.Find(node.Outputs[0])!.Shape.Length - 1 : 1;

    private static int Units(Network network, Node node) => network.Find(node.Outputs[0])!.Shape[Channel(network, node)];

    /// <summary>The mean of each unit of layers, over rows and positions.</summary>
    private static double[][] Means(Network network, (Node Layer, string Tensor)[] layers, QuantizationStep step)
    {
        var (sums, counts) = (layers.ToDictionary(layer => layer.Tensor, layer => new double[Units(network, layer.Layer)]),
            layers.ToDictionary(layer => layer.Tensor, _ => 0L));
        var inner = layers.ToDictionary(layer => layer.Tensor, layer => network.Find(layer.Tensor)!.Shape.Skip(Channel(network, layer.Layer) + 1)
            .Aggregate(1, (product, size) => size >= 0 ? product * size : throw new NotSupportedException($"The outputs of layer '{layer.Layer.Name}' have "
                + "open sizes: give them numbers with Network.FromOnnx(path, sizes), or leave out QuantizationPreparation.CorrectBias.")));
        step.Visit(network, [.. sums.Keys], (tensor, values) =>
        {
            var (sum, size) = (sums[tensor], inner[tensor]);
            for (var run = 0; run * size < values.Length; run++)
            {
                sum[run % sum.Length] += TensorPrimitives.Sum(values.Slice(run * size, size));
            }

            counts[tensor] += values.Length / sum.Length;
        });
        return [.. layers.Select(layer => Array.ConvertAll(sums[layer.Tensor], sum => sum / counts[layer.Tensor]))];
    }
}
