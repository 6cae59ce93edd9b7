using System.Collections.Frozen;
using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>Shapes of all tensors from the shape of the input; a node that does not fit is refused by name.</summary>
internal static class ShapeInference
{
    public static FrozenDictionary<string, TensorInfo> Run(Network network)
    {
        var shapes = new Dictionary<string, ImmutableArray<int>> { [network.Input.Name] = network.Input.Shape };
        foreach (var node in network.Nodes)
        {
            var inputs = node.Inputs.Select(name =>
                network.TryGetParameter(name, out var parameter) ? parameter.Shape
                : shapes.TryGetValue(name, out var shape) ? shape
                : throw new ArgumentException($"Node '{node.Name}' ({node.Operator}) reads '{name}', which no node before it produces.")).ToArray();
            if (!shapes.TryAdd(node.Outputs[0], Output(node, inputs)))
            {
                throw new ArgumentException($"Two nodes produce the tensor '{node.Outputs[0]}'; the second is '{node.Name}' ({node.Operator}).");
            }
        }

        return shapes.ToFrozenDictionary(pair => pair.Key, pair => new TensorInfo(pair.Key, pair.Value));
    }

    /// <summary>Shape of a node's output from the shapes of all it reads, in their order.</summary>
    public static ImmutableArray<int> Output(Node node, ImmutableArray<int>[] inputs)
    {
        var x = inputs[0];
        switch (node.Operator)
        {
            case "Gemm":
                Require(node, x.Length == 2, x, "rows of values (flatten first)");
                Require(node, x[1] == inputs[1][1], x, $"{inputs[1][1]} values in a row");
                return [x[0], inputs[1][0]];
            case "Conv":
                Require(node, x.Length == 4, x, "channels x height x width in a row");
                Require(node, x[1] == inputs[1][1] * node.Int("group", 1), x, $"{inputs[1][1] * node.Int("group", 1)} channels");
                return Window(node, x, inputs[1][0]);
            case "MaxPool" or "AveragePool":
                Require(node, x.Length == 4, x, "channels x height x width in a row");
                return Window(node, x, x[1]);
            case "GlobalAveragePool":
                Require(node, x.Length == 4, x, "channels x height x width in a row");
                return [x[0], x[1], 1, 1];
            case "BatchNormalization":
                Require(node, x.Length >= 2 && x[1] == inputs[1][0], x, $"{inputs[1][0]} channels");
                return x;
            case "Flatten":
                return [x[0], new TensorInfo(node.Name, x).RowSize];
            case "Mul" or "Add":
                Require(node, x.SequenceEqual(inputs[1]), x, $"the shape of its other input, {TensorInfo.Dimensions(inputs[1])}");
                return x;
            case "Relu" or "LeakyRelu" or "Gelu" or "Tanh" or "Sigmoid" or "Softmax" or "Dropout":
                return x;
            default:
                throw new NotSupportedException($"Node '{node.Name}' has the operator '{node.Operator}', which is not known.");
        }
    }

    private static ImmutableArray<int> Window(Node node, ImmutableArray<int> x, int channels)
    {
        var kernel = node.Ints("kernel_shape");
        var strides = node.Ints("strides", 1, 1);
        var pads = node.Ints("pads", 0, 0, 0, 0);
        var dilations = node.Ints("dilations", 1, 1);
        var output = new int[2];
        for (var i = 0; i < 2; i++)
        {
            var room = x[2 + i] + pads[i] + pads[2 + i] - dilations[i] * (kernel[i] - 1) - 1;
            Require(node, room >= 0, x, $"room for its window of {kernel[0]} x {kernel[1]}");
            output[i] = (int)(room / strides[i] + 1);
        }

        return [x[0], channels, output[0], output[1]];
    }

    private static void Require(Node node, bool condition, ImmutableArray<int> found, string expected)
    {
        if (!condition)
        {
            throw new ArgumentException($"Layer '{node.Name}' ({node.Operator}) cannot read a tensor of {TensorInfo.Dimensions(found)}: it expects {expected}.");
        }
    }
}
