using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Onnx.Expansions;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>Weights as files hold them.</summary>
internal sealed partial class OperatorExport
{
    private readonly Dictionary<string, string[]> _packed = [];

    /// <summary>Writes a parameter as files hold it: integers with their scales, or another type, are turned into what nodes read in the graph.</summary>
    public void Add(Parameter parameter)
    {
        long[] dims = [.. parameter.Shape.Select(size => (long)size)];
        if (parameter.Grid is { } grid)
        {
            if (!IsBlockProduct(network, parameter) && !IsIntegerProduct(parameter))
            {
                AddIntegers(parameter, grid, dims);
            }
        }
        else if (parameter.CodeLength > 0 && WeightCodes.Of(parameter.Values, parameter.Shape, parameter.CodeLength) is { } codes)
        {
            var (tensors, nodes) = codes.ToProto(parameter.Name, dims, Unique);
            Initializers.AddRange(tensors);
            Nodes.AddRange(nodes);
        }
        else if (parameter.Stored is { } type)
        {
            var stored = Initialize($"{parameter.Name}_{type.ToString().ToLowerInvariant()}",
                OnnxTensor.FromFloats("", dims, parameter.Values, (DataType)type));
            Nodes.Add(new NodeProto
            {
                Name = Unique(parameter.Name + "_Cast"), OpType = "Cast", Input = { stored }, Output = { parameter.Name },
                Attribute = { OnnxAttributes.ToProto("to", (long)parameter.Type) },
            });
        }
        else
        {
            Initializers.Add(OnnxTensor.FromFloats(parameter.Name, dims, parameter.Values, (DataType)parameter.Type));
        }
    }

    /// <summary>Whether all that reads a weight are products that ONNX Runtime has a kernel for.</summary>
    public static bool IsBlockProduct(Network network, Parameter weight) => weight.Grid is { Block: > 0 } && !network.Graph.Outputs.Contains(weight.Name)
        && network.Consumers(weight.Name).ToArray() is { Length: > 0 } readers
        && readers.All(node => ReadsBlocks(network, node) && !node.Inputs.Skip(2).Contains(weight.Name));

    private static bool ReadsBlocks(Network network, Node node) => node is { Domain: "", Operator: "MatMul" or "Gemm", Inputs.Length: > 1 }
        && network.TryGetParameter(node.Inputs[1], out var weight) && BlockProduct.Holds(weight) && node.Inputs[0] != node.Inputs[1]
        && (node.Operator == "MatMul" ? weight.Grid!.Axis == 0
            : weight.Grid!.Axis == (int)node.Int("transB", 0) && node.Int("transA", 0) == 0 && node.Float("alpha", 1) == 1 && node.Float("beta", 1) == 1
                && (node.Input(2) is not { } bias || (network.Find(bias)?.Shape is [var count] && count == weight.Shape[1 - weight.Grid.Axis])));

    /// <summary>The sum with a bias that alone reads a product with blocks, and the bias: the kernel adds it.</summary>
    private (Node Sum, string Bias)? BlockBias(Node product) => ReadsBlocks(network, product) && product.Operator == "MatMul"
        && IsBlockProduct(network, network[product.Inputs[1]]) && !network.Graph.Outputs.Contains(product.Outputs[0])
        && network.Consumers(product.Outputs[0]).ToArray() is [{ Domain: "", Operator: "Add" } sum]
        && sum.Inputs.Single(input => input != product.Outputs[0]) is var bias && network.TryGetParameter(bias, out var values)
        && values.Shape is [var count] && count == network[product.Inputs[1]].Shape[1] ? (sum, bias) : null;

    /// <summary>Whether all that reads a weight are products with rows that are rounded as they come, which ONNX Runtime computes with integers.</summary>
    private bool IsIntegerProduct(Parameter weight)
        => weight is { Grid: { Block: 0, Type: TensorType.Int8 or TensorType.UInt8 } grid, Shape.Length: 2 } && grid.Axis is -1 or 1
        && !network.Graph.Outputs.Contains(weight.Name) && network.Consumers(weight.Name).ToArray() is { Length: > 0 } readers
        && readers.All(node => node is { Domain: "", Operator: "MatMul" } && node.Inputs[1] == weight.Name && node.Inputs[0] != weight.Name
            && network.Producer(node.Inputs[0]) is { } rounded && IsDynamic(rounded));

    private bool IsDynamic(Node node) => node is { Domain: "", Operator: "DequantizeLinear" } && node.Input(2) is { } zero
        && network.Producer(zero) is { Domain: "", Operator: "DynamicQuantizeLinear" } made && made.Outputs.SequenceEqual(node.Inputs);

    private bool IsIntegerProduct(Node node) => node is { Domain: "", Operator: "MatMul" } && network.TryGetParameter(node.Inputs[1], out var weight)
        && IsIntegerProduct(weight);

    /// <summary>Rows of bytes with the scale of their batch times weights of bytes, in the order of nodes that ONNX Runtime fuses to one.</summary>
    private void EmitIntegerProduct(Node node)
    {
        var (weight, rounded) = (network[node.Inputs[1]], network.Producer(node.Inputs[0])!);
        if (!_packed.TryGetValue(weight.Name, out var stored))
        {
            var (grid, type) = (weight.Grid!, (DataType)weight.Grid!.Type);
            long[] count = grid.Axis < 0 ? [] : [grid.Scales.Length];
            stored = _packed[weight.Name] = [
                Initialize(weight.Name + "_quantized", OnnxTensor.FromLongs("", weight.Shape.Select(size => (long)size),
                    grid.Quantize(weight.Values, weight.Shape), type)),
                Initialize(weight.Name + "_scale", OnnxTensor.FromFloats("", count, grid.Scales.AsSpan())),
                Initialize(weight.Name + "_zero_point", OnnxTensor.FromLongs("", count, grid.ZeroPoints.AsSpan(), type))];
        }

        string Named(string part) => Unique($"{node.Name}.{part}");
        var (integers, floats, scale) = (Named("integers"), Named("floats"), Named("scale"));
        Nodes.Add(new() { Name = node.Name, OpType = "MatMulInteger", Input = { rounded.Inputs[0], stored[0], rounded.Inputs[2], stored[2] },
            Output = { integers } });
        Nodes.Add(new() { Name = floats, OpType = "Cast", Input = { integers }, Output = { floats },
            Attribute = { OnnxAttributes.ToProto("to", (long)DataType.Float) } });
        Emit(scale, "Mul", [rounded.Inputs[1], stored[1]]);
        Nodes.Add(new() { Name = Named("scaled"), OpType = "Mul", Input = { floats, scale }, Output = { node.Outputs[0] } });
    }

    private void AddIntegers(Parameter parameter, QuantizationGrid grid, long[] dims)
    {
        var type = (DataType)grid.TypeFor(opset);
        var scales = grid.ScaleShape(parameter.Shape).Select(size => (long)size).ToArray();
        var integers = OnnxTensor.FromLongs(Unique(parameter.Name + "_quantized"), dims, grid.Quantize(parameter.Values, parameter.Shape), type);
        var node = new NodeProto
        {
            Name = Unique(parameter.Name + "_DequantizeLinear"), OpType = "DequantizeLinear", Output = { parameter.Name },
            Input = { integers.Name, Initialize(parameter.Name + "_scale", OnnxTensor.FromFloats("", scales, grid.Scales.AsSpan())) },
        };
        if (grid.HasZeroPoints)
        {
            node.Input.Add(Initialize(parameter.Name + "_zero_point", OnnxTensor.FromLongs("", scales, grid.ZeroPoints.AsSpan(), type)));
        }

        if (grid.Axis >= 0)
        {
            node.Attribute.Add(OnnxAttributes.ToProto("axis", (long)grid.Axis));
        }

        if (grid.Block > 0)
        {
            node.Attribute.Add(OnnxAttributes.ToProto("block_size", (long)grid.Block));
        }

        Initializers.Add(integers);
        Nodes.Add(node);
    }

    /// <summary>A product with a weight that has a scale a block, in the form that ONNX Runtime has a kernel for.</summary>
    private void EmitBlockProduct(Node node)
    {
        var weight = network[node.Inputs[1]];
        var product = BlockProduct.Of(weight);
        if (!_packed.TryGetValue(weight.Name, out var packed))
        {
            packed = [Initialize(weight.Name + "_quantized", product.Integers()), Initialize(weight.Name + "_scale", product.Scales()),
                .. product.ZeroPoints() is { } zeros ? [Initialize(weight.Name + "_zero_point", zeros)] : Array.Empty<string>()];
            _packed[weight.Name] = packed;
        }

        string[] inputs = [node.Inputs[0], .. packed];
        var sum = BlockBias(node);
        if ((sum?.Bias ?? node.Input(2)) is { } bias)
        {
            inputs = [.. inputs, .. Enumerable.Repeat("", BlockProduct.Bias - inputs.Length), bias];
        }

        var proto = new NodeProto
        {
            Name = node.Name, OpType = BlockProduct.Operator, Domain = BlockProduct.Domain, Input = { inputs },
            Output = { (sum?.Sum ?? node).Outputs[0] },
        };
        proto.Attribute.AddRange(product.Attributes.Select(attribute => OnnxAttributes.ToProto(attribute.Name, attribute.Value)));
        Nodes.Add(proto);
    }
}
