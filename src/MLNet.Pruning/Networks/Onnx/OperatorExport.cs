using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>Writes nodes of the inner form for one version of the standard: the reverse of <see cref="OperatorCanonicalization"/>.</summary>
internal sealed partial class OperatorExport(Network network, long opset)
{
    private readonly UniqueNames _names = new(network.Tensors.Keys.Concat(network.Parameters.Select(parameter => parameter.Name))
        .Concat(network.Graph.Constants.Select(constant => constant.Name)));
    private readonly Dictionary<int, string> _sizes = [];

    public List<NodeProto> Nodes { get; } = [];

    public List<TensorProto> Initializers { get; } = [];

    public void Add(Node node)
    {
        if (node.Domain.Length > 0)
        {
            Emit(node, node.Inputs);
            return;
        }

        if (ReadsBlocks(network, node) && IsBlockProduct(network, network[node.Inputs[1]]))
        {
            EmitBlockProduct(node);
            return;
        }

        if (node.Operator == "Add" && node.Inputs.Select(network.Producer).OfType<Node>().Any(product => BlockBias(product)?.Sum == node))
        {
            return;
        }

        if (IsIntegerProduct(node))
        {
            EmitIntegerProduct(node);
            return;
        }

        if (IsDynamic(node) && !network.Graph.Outputs.Contains(node.Outputs[0]) && network.Consumers(node.Outputs[0]).All(IsIntegerProduct))
        {
            return;
        }

        switch (node.Operator)
        {
            case Node.Dimensions:
                EmitSizes(node, node.Ints("shape"), node.Int("scalar", 0) == 1, node.Outputs[0]);
                break;
            case "Gelu" when opset < 20:
                EmitGelu(node);
                break;
            case "Reshape" when node.Attributes.ContainsKey("shape"):
                EmitReshape(node);
                break;
            case "Expand" when node.Attributes.ContainsKey("shape"):
                Emit(node.Without("shape"), [node.Inputs[0], ExpandTarget(node)]);
                break;
            case "ConstantOfShape" when node.Attributes.ContainsKey("shape"):
                Emit(node.Without("shape"), [Sizes(node, node.Ints("shape"))]);
                break;
            case "Squeeze" or "Unsqueeze" or "ReduceSum" or "Split":
                Emit(node, opset >= 13, (node.Operator == "Split" ? "split" : "axes", false));
                break;
            case "ReduceMean" or "ReduceMax" or "ReduceMin" or "ReduceProd" or "ReduceL1" or "ReduceL2" or "ReduceLogSum" or "ReduceLogSumExp"
                or "ReduceSumSquare":
                Emit(node, opset >= 18, ("axes", false));
                break;
            case "Slice":
                Emit(node, opset >= 10, ("starts", false), ("ends", false), ("axes", false), ("steps", false));
                break;
            case "Pad":
                Emit(node, opset >= 11, ("pads", false), ("value", true));
                break;
            case "Clip":
                Emit(node, opset >= 11, ("min", true), ("max", true));
                break;
            case "TopK":
                Emit(node, opset >= 10, ("k", false));
                break;
            case "Gemm" when opset < 11 && node.Input(2) is null:
                // Before, what is added has to be there.
                var type = network.Find(node.Inputs[0])?.Type ?? TensorType.Float;
                Emit(node, [.. node.Inputs.Take(2), Initialize(node.Name + "_none", OnnxTensor.FromFloats("", [1], [0], (DataType)type))]);
                break;
            case "BatchNormalization" when node.IsTraining:
                // The standard wants the running statistics as outputs too.
                var (y, hasAttribute) = (node.Outputs[0], opset >= Node.TrainingModeOpset);
                string[] statistics = hasAttribute ? [".mean", ".variance"] : [".mean", ".variance", ".saved_mean", ".saved_variance"];
                var training = node.Outputs.Length > 1 ? node : node.WithOutputs([y, .. statistics.Select(name => Unique(y + name))]);
                Emit(hasAttribute ? training : training.Without(Node.TrainingMode), node.Inputs);
                break;
            case "Dropout":
                Emit(node, opset >= 12, ("ratio", true), (Node.TrainingMode, true));
                break;
            case "Tile":
                Emit(node, true, ("repeats", false));
                break;
            case "CumSum" or "CumProd":
                Emit(node, true, ("axis", true));
                break;
            case "Gather":
                Emit(node.Without("scalar"), true, ("indices", node.Int("scalar", 0) == 1));
                break;
            case "Resize":
                EmitResize(node);
                break;
            default:
                Emit(node, node.Inputs);
                break;
        }
    }

    /// <summary>Writes attributes as they are, or as operands with constant values; those that are not there as operands left out.</summary>
    private void Emit(Node node, bool asOperands, params (string Attribute, bool Scalar)[] attributes)
    {
        if (!asOperands)
        {
            Emit(node, node.Inputs);
            return;
        }

        var inputs = node.Inputs.ToList();
        foreach (var (attribute, scalar) in attributes)
        {
            if (!node.Attributes.TryGetValue(attribute, out var value))
            {
                inputs.Add("");
                continue;
            }

            inputs.Add(value switch
            {
                long[] numbers when numbers.Any(FoldedValue.IsOpenSize) => Bounds(node, attribute, numbers),
                long[] numbers when scalar => Initialize(node, attribute, numbers, []),
                long[] numbers => Initialize(node, attribute, numbers, [numbers.Length]),
                long number when attribute == Node.TrainingMode => Initialize($"{node.Name}.{attribute}",
                    OnnxTensor.FromLongs("", [], [number], DataType.Bool)),
                long number => Initialize(node, attribute, [number], scalar ? [] : [1]),
                float number => Initialize(node, attribute, number),
                _ => throw new ArgumentException($"Node '{node.Name}' ({node.Operator}): its attribute '{attribute}' is of type {value.GetType()}."),
            });
            node = node.Without(attribute);
        }

        while (inputs[^1].Length == 0)
        {
            inputs.RemoveAt(inputs.Count - 1);
        }

        Emit(node, inputs);
    }

    private void Emit(Node node, IEnumerable<string> inputs)
    {
        var proto = new NodeProto { Name = node.Name, OpType = node.Operator, Domain = node.Domain };
        if (node.Proto is { } read)
        {
            proto.DocString = read.DocString;
            proto.MetadataProps.AddRange(read.MetadataProps);
            proto.Overload = read.Overload;
        }

        if (proto.DocString.Length == 0)
        {
            proto.ClearDocString();
        }

        if (proto.Overload.Length == 0)
        {
            proto.ClearOverload();
        }

        proto.Input.AddRange(inputs);
        proto.Output.AddRange(node.Outputs);
        proto.Attribute.AddRange(node.Attributes.Where(attribute => node.Operator != "ConstantOfShape" || attribute.Key is not ("value" or "dtype"))
            .OrderBy(attribute => attribute.Key, StringComparer.Ordinal).Select(attribute => OnnxAttributes.ToProto(attribute.Key, attribute.Value)));
        if (node.Operator == "ConstantOfShape")
        {
            var type = (TensorType)node.Int("dtype", 1);
            var value = node.Float("value", 0);
            proto.Attribute.Add(new AttributeProto
            {
                Name = "value",
                Type = AttributeProto.Types.AttributeType.Tensor,
                T = type is TensorType.Float or TensorType.Double or TensorType.Float16 or TensorType.BFloat16
                    ? OnnxTensor.FromFloats("", [1], [value], (DataType)type) : OnnxTensor.FromLongs("", [1], [(long)value], (DataType)type),
            });
        }

        Nodes.Add(proto);
    }

    private void EmitResize(Node node)
    {
        if (opset < 11)
        {
            var plain = node.Without("coordinate_transformation_mode").Without("nearest_mode");
            if (opset < 9)
            {
                Emit(plain.AsOperator("Upsample", node.Inputs), node.Inputs);
                return;
            }

            Emit(plain.AsOperator(opset == 9 ? "Upsample" : "Resize", node.Inputs).Without("scales"),
                [node.Inputs[0], node.Inputs.Length > 1 ? node.Inputs[^1] : Initialize(node, "scales", node.Floats("scales"))]);
            return;
        }

        if (node.Inputs.Length > 1)
        {
            // Known only when the network runs.
            Emit(node, node.Inputs);
            return;
        }

        // Before 13 the operands in between had to be there, if only without values.
        var (sizes, absent) = (node.Ints("sizes"), opset < 13 ? Initialize(node, "absent", Array.Empty<float>()) : "");
        Emit(node.Without("scales").Without("sizes"), sizes.Length > 0
            ? [node.Inputs[0], absent, absent, Sizes(node, sizes)]
            : [node.Inputs[0], absent, Initialize(node, "scales", node.Floats("scales"))]);
    }

    /// <summary>
    /// x / 2 (1 + erf(x / sqrt 2)), or its approximation x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), for versions before the
    /// operator.
    /// </summary>
    private void EmitGelu(Node node)
    {
        var (x, half, one) = (node.Inputs[0], Initialize(node, "half", 0.5f), Initialize(node, "one", 1f));
        var (shifted, product) = (Unique(node.Name + ".shifted"), Unique(node.Name + ".product"));
        Emit(shifted, "Add", [node.Text("approximate", "none") == "none" ? EmitErf(node) : EmitTanh(node), one]);
        Emit(product, "Mul", [x, shifted]);
        Nodes.Add(new NodeProto { Name = node.Name, OpType = "Mul", Input = { product, half }, Output = { node.Outputs[0] } });
    }

    private string EmitErf(Node node)
    {
        var (scaled, erf) = (Unique(node.Name + ".scaled"), Unique(node.Name + ".erf"));
        Emit(scaled, "Div", [node.Inputs[0], Initialize(node, "root", MathF.Sqrt(2))]);
        Emit(erf, "Erf", [scaled]);
        return erf;
    }

    private string EmitTanh(Node node)
    {
        var x = node.Inputs[0];
        var names = new[] { "square", "cube", "share", "sum", "scaled", "tanh" }.Select(part => Unique($"{node.Name}.{part}")).ToArray();
        Emit(names[0], "Mul", [x, x]);
        Emit(names[1], "Mul", [names[0], x]);
        Emit(names[2], "Mul", [names[1], Initialize(node, "cubic", 0.044715f)]);
        Emit(names[3], "Add", [x, names[2]]);
        Emit(names[4], "Mul", [names[3], Initialize(node, "root", (float)Math.Sqrt(2 / Math.PI))]);
        Emit(names[5], "Tanh", [names[4]]);
        return names[5];
    }

    private void Emit(string output, string @operator, IEnumerable<string> inputs)
        => Nodes.Add(new NodeProto { Name = output, OpType = @operator, Input = { inputs }, Output = { output } });

    private void EmitReshape(Node node)
    {
        var (from, to) = (network.Find(node.Inputs[0])!.Shape, node.Ints("shape"));
        // A target says 0 for a size of the input. A size of 0 that is none is what is left, of -1, where all the others are above 0.
        var written = to.Select((size, i) => size <= 0 && i < from.Length && from[i] == size ? 0 : size == 0 ? -1 : size).ToArray();
        var isLeft = written.Count(size => size < 0) <= 1 && (to.Count(size => size == 0) <= 1 || !written.Any(size => size < 0));
        var target = isLeft ? Initialize(node, "shape", [.. written.Select(size => Math.Max(size, -1))], [to.Length]) : Sizes(node, to);
        var plain = node.Without("shape").Without("allowzero");
        Emit(!isLeft && to.Contains(0) ? plain.With("allowzero", 1L) : plain, [node.Inputs[0], target]);
    }

    private string ExpandTarget(Node node)
    {
        var (from, to) = (network.Find(node.Inputs[0])!.Shape, node.Ints("shape"));
        return Sizes(node, [.. to.Select((size, i) => i - to.Length + from.Length is >= 0 and var d && from[d] == size ? 1 : size)]);
    }

    /// <summary>A one-dimensional tensor of sizes, computed where some are open.</summary>
    private string Sizes(Node node, long[] sizes)
    {
        if (sizes.All(size => size >= 0))
        {
            return Initialize(node, "shape", sizes, [sizes.Length]);
        }

        var output = Unique(node.Name + ".shape");
        EmitSizes(node, sizes, false, output);
        return output;
    }

    /// <summary>Bounds of a slice some of which are open sizes.</summary>
    private string Bounds(Node node, string attribute, long[] bounds)
    {
        var output = Unique($"{node.Name}.{attribute}");
        EmitConcat([.. bounds.Select(bound => FoldedValue.IsOpenSize(bound) ? Open(FoldedValue.ToSize(bound)) : Initialize(node, "bound", [bound], [1]))],
            output);
        return output;
    }

    private void EmitSizes(Node node, long[] sizes, bool scalar, string output)
    {
        var parts = sizes.Select(size => size < 0 ? Open((int)size) : Initialize(node, "size", [size], [1])).ToArray();
        if (scalar)
        {
            Nodes.Add(new NodeProto { Name = output, OpType = "Reshape", Input = { parts[0], Initialize(node, "scalar", [], [0]) }, Output = { output } });
            return;
        }

        EmitConcat(parts, output);
    }

    private void EmitConcat(string[] parts, string output)
    {
        var concat = new NodeProto { Name = output, OpType = "Concat", Input = { parts }, Output = { output } };
        concat.Attribute.Add(OnnxAttributes.ToProto("axis", 0L));
        Nodes.Add(concat);
    }

    /// <summary>An open size as a tensor of one integer.</summary>
    private string Open(int size)
    {
        if (_sizes.TryGetValue(size, out var known))
        {
            return known;
        }

        var (coefficient, factors) = network.Graph.Symbols.Factors(size);
        var name = _sizes[size] = Unique("size." + network.Graph.Symbols.Name(size));
        if (factors.Length == 1 && coefficient == 1)
        {
            var (tensor, dimension) = network.Graph.Symbols.Source(size)
                ?? throw new ArgumentException($"The open size '{network.Graph.Symbols.Name(size)}' is given by no tensor.");
            var shape = Unique(name + ".shape");
            Emit(shape, "Shape", [tensor]);
            Emit(name, "Gather", [shape, Initialize(name, [dimension], [1])]);
            return name;
        }

        var parts = factors.Select(Open).ToList();
        if (coefficient != 1)
        {
            parts.Add(Initialize(name, [coefficient], [1]));
        }

        var product = parts[0];
        for (var i = 1; i < parts.Count; i++)
        {
            var next = i == parts.Count - 1 ? name : Unique(name + ".product");
            Emit(next, "Mul", [product, parts[i]]);
            product = next;
        }

        return name;
    }

    private string Initialize(Node node, string attribute, long[] values, long[] dims) => Initialize($"{node.Name}.{attribute}", values, dims);

    private string Initialize(string name, long[] values, long[] dims) => Initialize(name, OnnxTensor.FromLongs("", dims, values));

    private string Initialize(Node node, string attribute, float value) => Initialize($"{node.Name}.{attribute}", OnnxTensor.FromFloats("", [], [value]));

    private string Initialize(Node node, string attribute, float[] values)
        => Initialize($"{node.Name}.{attribute}", OnnxTensor.FromFloats("", [values.Length], values));

    private string Initialize(string name, TensorProto tensor)
    {
        tensor.Name = Unique(name);
        Initializers.Add(tensor);
        return tensor.Name;
    }

    private string Unique(string name) => _names.Next(name);
}
