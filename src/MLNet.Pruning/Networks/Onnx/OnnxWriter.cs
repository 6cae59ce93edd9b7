using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Onnx.Expansions;
using MLNet.Pruning.Networks.Operators;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// Turns a network into an ONNX model. One whose nodes are those of the file it came from is written back as it was, with its present
/// weights; any other is written for the version of the standard that its file had, or 17.
/// </summary>
internal static class OnnxWriter
{
    // Of ONNX 1.12, which runtimes since 2022 read.
    private const long DefaultOpset = 17;
    private const long DefaultIrVersion = 8;

    /// <param name="network">The network, with values.</param>
    /// <param name="sparse">Whether each weight is written in the form that takes least.</param>
    public static ModelProto Write(Network network, bool sparse = false)
    {
        // What is to be the smallest is chosen from floats.
        network = sparse ? network.WithParameters(network.Parameters.Where(parameter => parameter.CodeLength == 1).Select(parameter => parameter.Coded(0)))
            : network;
        var model = network is { AsRead: true, Graph.Model: { } read } && !network.Parameters.Any(LeftGrid) ? AsRead(network, read) : Exported(network);
        model.MetadataProps.Clear();
        model.MetadataProps.AddRange(network.Graph.Metadata.Select(entry => new StringStringEntryProto { Key = entry.Key, Value = entry.Value }));
        if (sparse)
        {
            Shrink(model.Graph, network);
        }

        return model;
    }

    /// <summary>Whether a weight that a file held as integers has been trained since, and has to be written as floats.</summary>
    private static bool LeftGrid(Parameter parameter) => parameter.Grid is { } grid && grid.Quantize(parameter.Values, parameter.Shape) is null;

    private static ModelProto AsRead(Network network, ModelProto read)
    {
        var model = read.Clone();
        PackedNodes.Unpack(model.Graph);
        var graph = model.Graph;
        var byName = graph.Initializer.Select((tensor, i) => (tensor.Name, i)).ToDictionary(pair => pair.Name, pair => pair.i);
        var added = new List<TensorProto>();
        foreach (var parameter in network.Parameters)
        {
            if (network.Graph.Sources.TryGetValue(parameter.Name, out var source))
            {
                PutBack(graph, byName, source, parameter);
            }
        }

        foreach (var identity in graph.Node.Where(node => node.OpType == "Identity" && node.Output.Count == 1 && network.TryGetParameter(node.Output[0], out _))
            .ToArray())
        {
            // One that shared another's values keeps doing so only while they are equal.
            var parameter = network[identity.Output[0]];
            if (!SharedSource(graph, identity.Input[0], byName, network).AsSpan().SequenceEqual(parameter.Values))
            {
                graph.Node.Remove(identity);
                added.Add(ToProto(parameter));
            }
        }

        graph.Initializer.AddRange(added);
        return model;
    }

    private static void PutBack(GraphProto graph, Dictionary<string, int> initializers, WeightSource source, Parameter parameter)
    {
        var values = source.Stored(parameter.Array);
        if (initializers.TryGetValue(source.Name, out var i))
        {
            var tensor = graph.Initializer[i];
            tensor.RawData = Stored(parameter, values, source.Name, tensor.Dims).RawData;
        }
        else if (graph.SparseInitializer.FirstOrDefault(sparse => sparse.Values.Name == source.Name) is { } sparse)
        {
            var changed = OnnxTensor.ToSparse(source.Name, sparse.Dims, values);
            (sparse.Values, sparse.Indices) = (changed.Values, changed.Indices);
        }
        else if (graph.Node.FirstOrDefault(node => node.OpType == "Constant" && node.Output[0] == source.Name)?.Attribute is [var attribute])
        {
            PutBack(attribute, parameter, values);
        }
    }

    /// <summary>In whichever of its forms a Constant has them.</summary>
    private static void PutBack(AttributeProto attribute, Parameter parameter, float[] values)
    {
        switch (attribute)
        {
            case { T: { } constant }:
                attribute.T = Stored(parameter, values, constant.Name, constant.Dims);
                break;
            case { SparseTensor: { } sparse }:
                attribute.SparseTensor = OnnxTensor.ToSparse(sparse.Values.Name, sparse.Dims, values);
                break;
            case { Name: "value_float" }:
                attribute.F = values[0];
                break;
            case { Name: "value_floats" }:
                attribute.Floats.Clear();
                attribute.Floats.AddRange(values);
                break;
            default:
                throw new InvalidOperationException($"'{parameter.Name}' was read from a Constant's attribute '{attribute.Name}', which holds no floats.");
        }
    }

    /// <summary>Values under the type that the file has them in.</summary>
    private static TensorProto Stored(Parameter parameter, ReadOnlySpan<float> values, string name, IEnumerable<long> dims) => parameter.Grid is { } grid
        ? OnnxTensor.FromLongs(name, dims, grid.Quantize(values, parameter.Shape), (DataType)grid.Type)
        : OnnxTensor.FromFloats(name, dims, values, (DataType)(parameter.Stored ?? parameter.Type));

    private static float[] SharedSource(GraphProto graph, string name, Dictionary<string, int> byName, Network network)
    {
        while (!byName.ContainsKey(name))
        {
            name = graph.Node.First(node => node.Output.Contains(name)).Input[0];
        }

        return network.TryGetParameter(name, out var parameter) ? parameter.Array : OnnxTensor.ToFloats(graph.Initializer[byName[name]], null);
    }

    private static ModelProto Exported(Network network)
    {
        var model = network.Graph.Model is { } read ? Envelope(read) : new ModelProto
        {
            IrVersion = DefaultIrVersion,
            ProducerName = "MLNet.Pruning",
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = DefaultOpset } },
            Graph = new GraphProto { Name = "network" },
        };
        var opset = Raise(model, network);
        // What would be taken for a weight if it were an initializer is written into the graph, as it was read.
        var weights = TrainedInputs.Of(network.Nodes, _ => true);
        var numbers = network.Parameters.Where(parameter => !parameter.Trainable && weights.Contains(parameter.Name)).ToHashSet();
        var export = new OperatorExport(network, opset);
        foreach (var parameter in network.Parameters.Where(parameter => !numbers.Contains(parameter)))
        {
            export.Add(LeftGrid(parameter) ? parameter.OffGrid() : parameter);
        }

        foreach (var node in network.Nodes)
        {
            export.Add(node);
        }

        var graph = model.Graph;
        graph.Input.AddRange(network.Inputs.Select(input => Describe(input, network)));
        graph.Output.AddRange(network.Outputs.Select(output => Describe(output, network)));
        graph.Node.AddRange(numbers.Select(ToConstant));
        graph.Node.AddRange(export.Nodes);
        if (export.Nodes.Any(node => node.Domain == BlockProduct.Domain) && model.OpsetImport.All(import => import.Domain != BlockProduct.Domain))
        {
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = BlockProduct.Domain, Version = 1 });
        }

        graph.Initializer.AddRange(export.Initializers);
        graph.Initializer.AddRange(network.Graph.Constants.Select(ToProto));
        graph.ValueInfo.AddRange(network.Nodes.Where(node => OperatorCatalogue.Find(node) is null).SelectMany(node => node.Outputs)
            .Where(name => name.Length > 0 && network.Tensors[name].IsKnown && !network.Graph.Outputs.Contains(name))
            .Select(name => Describe(network.Tensors[name], network)));
        return model;
    }

    /// <summary>
    /// Says a later version of the standard where integers of few bits need it and no node means another thing there; else they are written as bytes.
    /// </summary>
    /// <returns>The version.</returns>
    private static long Raise(ModelProto model, Network network)
    {
        var import = model.OpsetImport.First(import => import.Domain is "" or "ai.onnx");
        var needed = network.Parameters
            .Where(parameter => parameter.Grid is not null && !LeftGrid(parameter) && !OperatorExport.IsBlockProduct(network, parameter))
            .Select(parameter => parameter.Grid!.Opset).DefaultIfEmpty().Max();
        if (import.Version is >= NetworkParts.SoftmaxOfOneDimension and var version && version < needed
            && network.Nodes.All(node => node.Domain.Length > 0 || (OperatorCatalogue.Find(node) is not null && node.Operator != "GroupNormalization")))
        {
            import.Version = needed;
            model.IrVersion = Math.Max(model.IrVersion, needed >= 25 ? 13 : 10);
        }

        return import.Version;
    }

    private static ModelProto Envelope(ModelProto read)
    {
        var model = read.Clone();
        model.Graph.Node.Clear();
        model.Graph.Initializer.Clear();
        model.Graph.SparseInitializer.Clear();
        model.Graph.Input.Clear();
        model.Graph.Output.Clear();
        model.Graph.ValueInfo.Clear();
        model.Graph.QuantizationAnnotation.Clear();
        return model;
    }

    private static ValueInfoProto Describe(TensorInfo tensor, Network network)
    {
        var type = new TypeProto.Types.Tensor { ElemType = (int)tensor.Type };
        if (tensor.IsKnown)
        {
            type.Shape = new TensorShapeProto();
            type.Shape.Dim.AddRange(tensor.Shape.Select(size => size < 0
                ? new TensorShapeProto.Types.Dimension { DimParam = network.Graph.Symbols.Name(size) }
                : new TensorShapeProto.Types.Dimension { DimValue = size }));
        }

        return new ValueInfoProto { Name = tensor.Name, Type = new TypeProto { TensorType = type } };
    }

    private static TensorProto ToProto(Parameter parameter)
        => OnnxTensor.FromFloats(parameter.Name, parameter.Shape.Select(size => (long)size), parameter.Values, (DataType)parameter.Type);

    private static NodeProto ToConstant(Parameter parameter) => new()
    {
        OpType = "Constant",
        Name = parameter.Name,
        Output = { parameter.Name },
        Attribute = { new AttributeProto { Name = "value", Type = AttributeProto.Types.AttributeType.Tensor, T = ToProto(parameter) } },
    };

    private static TensorProto ToProto(Constant constant) => constant.Proto is { } proto
        ? new TensorProto(proto) { Name = constant.Name }
        : OnnxTensor.FromLongs(constant.Name, constant.Shape.Select(size => (long)size), constant.Values.AsSpan(), (DataType)constant.Type);

    /// <summary>Writes each weight as floats, as a list of its non-zeros or as places in a list of its values, whichever takes least.</summary>
    private static void Shrink(GraphProto graph, Network network)
    {
        var names = new UniqueNames(OnnxNames.Of(graph));
        foreach (var tensor in graph.Initializer.Where(tensor => tensor.DataType == (int)DataType.Float && network.TryGetParameter(tensor.Name, out _))
            .ToArray())
        {
            var values = network[tensor.Name].Values;
            var sparse = OnnxTensor.SparseGains(values) ? OnnxTensor.ToSparse(tensor.Name, tensor.Dims, values) : null;
            var coded = WeightCodes.Of(values, [values.Length], 1)?.ToProto(tensor.Name, tensor.Dims, names.Next);
            var (dense, listed) = (tensor.CalculateSize(), sparse?.CalculateSize() ?? int.MaxValue);
            if (coded is { } codes && codes.Tensors.Sum(part => part.CalculateSize()) + codes.Nodes.Sum(node => node.CalculateSize()) < Math.Min(dense, listed))
            {
                graph.Initializer.Remove(tensor);
                graph.Initializer.AddRange(codes.Tensors);
                for (var i = 0; i < codes.Nodes.Length; i++)
                {
                    graph.Node.Insert(i, codes.Nodes[i]);
                }
            }
            else if (listed < dense)
            {
                graph.Initializer.Remove(tensor);
                graph.SparseInitializer.Add(sparse);
            }
        }
    }
}
