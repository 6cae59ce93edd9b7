using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Onnx.Expansions;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// Turns an ONNX model into a network: versions are folded into one inner form, constants and shape arithmetic are computed, Identity
/// nodes resolved. A weight that several names stand for is one parameter; equal numbers that different layers start from are not.
/// </summary>
internal sealed class OnnxReader
{
    private readonly ModelProto _model;
    private readonly string _file;
    private readonly IEnumerable<NodeProto> _order;
    private readonly TensorReader _tensorReader;
    private readonly long _opset;
    private readonly Symbols _symbols;
    private readonly Dictionary<string, FoldedValue> _values = [];
    private readonly Dictionary<string, string> _renamed = [];
    private readonly Dictionary<string, TensorInfo> _tensors;
    private readonly Dictionary<string, TensorInfo> _declared = [];
    private readonly Dictionary<string, Parameter> _parameters = [];
    private readonly Dictionary<string, Constant> _constants = [];
    private readonly QuantizedInitializers _quantized;
    private readonly ZeroValues _zeros;
    private readonly Dictionary<string, WeightSource> _sources = [];
    private readonly SharedAttributes _attributes;
    private readonly UniqueNames _names;
    private readonly List<Node> _nodes;
    private readonly Lazy<UniqueNames> _valueNames;
    private readonly Lazy<Dictionary<string, int>> _readers;
    private readonly HashSet<string> _outputs;
    private readonly bool _openBatch;
    private FoldingBudget _budget = new(0);

    private OnnxReader(ModelProto model, string file, string? folder, bool openBatch)
    {
        (_model, _file, _openBatch) = (model, file, openBatch);
        // First, while there is nothing else: it needs a table of all names for a moment.
        _order = OnnxGraphOrder.Sort(model.Graph, file);
        // Tables that grow leave many times themselves behind.
        var nodes = PackedNodes.Of(model.Graph).Count;
        (_tensors, _names, _nodes, _attributes) = (new(nodes), new([], nodes), new(nodes), new(nodes));
        _tensorReader = new(file, folder);
        _quantized = new(folder);
        _zeros = new(_values);
        _valueNames = new(() => new(OnnxNames.Of(model.Graph)));
        _readers = new(() => OnnxReaders.Count(model.Graph));
        _outputs = [.. model.Graph.Output.Select(output => output.Name)];
        _opset = model.OpsetImport.FirstOrDefault(import => import.Domain is "" or "ai.onnx")?.Version ?? 0;
        _symbols = new(OpenSizes.Batch(model.Graph));
        Inputs = [.. OpenSizes.Inputs(model.Graph).Select(info => DeclaredTensors.Of(info, _symbols))];
        if (openBatch)
        {
            Inputs = [.. Inputs.Select(input => input with { Shape = input.Shape
                .SetItem(0, _symbols.Open(_symbols.Name(TensorInfo.Batch), (input.Name, 0))) })];
        }
    }

    /// <summary>Reads a model, whose nodes are packed after that.</summary>
    /// <param name="model">The model.</param>
    /// <param name="file">Name for messages.</param>
    /// <param name="folder">Where external data lies; null where there can be none.</param>
    /// <param name="openBatch">Whether the first dimension of every input, a 1, is read as any number of rows.</param>
    /// <returns>What a network is made of; null where the batch was to be open and does not reach every output.</returns>
    public static NetworkParts? Read(ModelProto model, string file, string? folder, bool openBatch) => new OnnxReader(model, file, folder, openBatch).Read();

    /// <summary>What the graph reads that is no weight.</summary>
    private ImmutableArray<TensorInfo> Inputs { get; }

    private NetworkParts? Read()
    {
        ReadInitializers();
        foreach (var info in _model.Graph.ValueInfo.Concat(_model.Graph.Output))
        {
            if (info.Type?.TensorType is not null)
            {
                _declared[info.Name] = DeclaredTensors.Of(info, _symbols);
            }
        }

        foreach (var input in Inputs)
        {
            _tensors[input.Name] = input;
        }

        foreach (var output in _model.Graph.Output.Select(output => output.Name).Where(output => _values.ContainsKey(output) || _constants.ContainsKey(output)))
        {
            Produce(output);
        }

        var kept = _model.Graph.Output.Select(output => output.Name).Concat(PackedNodes.Of(_model.Graph).SelectMany(SubgraphCaptures.Of)).ToHashSet();
        foreach (var proto in _order)
        {
            try
            {
                Read(proto, kept);
            }
            catch (Exception e) when (OnnxImport.IsContradiction(e))
            {
                throw new OnnxFormatException($"{_file}: node '{proto.Name}' ({proto.OpType}) that produces '{string.Join(", ", proto.Output)}': {e.Message}",
                    e);
            }
        }

        PackedNodes.Pack(_model.Graph);
        var outputs = _model.Graph.Output.Select(output => output.Name).ToImmutableArray();
        foreach (var output in outputs.Where(output => !_tensors.ContainsKey(output)))
        {
            Produce(output);
        }

        return _openBatch && !outputs.All(output => _tensors[output] is { IsKnown: true, Shape: [TensorInfo.Batch, ..] }) ? null : Assemble(outputs);
    }

    private NetworkParts Assemble(ImmutableArray<string> outputs)
    {
        var nodes = NetworkParts.Ancestors(_nodes, outputs).ToImmutableArray();
        var used = nodes.SelectMany(node => node.Inputs.Concat(node.Captured)).Concat(outputs).Where(_constants.ContainsKey).ToHashSet();
        var trained = TrainedInputs.Of(nodes, name => _values.GetValueOrDefault(name) is { IsInitializer: true, Count: > 1 });
        var parameters = nodes.SelectMany(node => node.Inputs.Concat(node.Captured)).Where(_parameters.ContainsKey).Distinct()
            .Select(name => _parameters[name].WithTrainable(trained.Contains(name))).ToImmutableArray();
        return new NetworkParts
        {
            Inputs = Inputs,
            Outputs = outputs,
            Nodes = nodes,
            Parameters = parameters,
            Constants = [.. _constants.Values.Where(constant => used.Contains(constant.Name))],
            Symbols = _symbols,
            Declared = _declared.ToImmutableDictionary(),
            Model = _model,
            AsRead = true,
            Metadata = _model.MetadataProps.DistinctBy(entry => entry.Key).ToImmutableSortedDictionary(entry => entry.Key, entry => entry.Value),
            Sources = parameters.Where(parameter => _sources.ContainsKey(parameter.Name))
                .ToImmutableDictionary(parameter => parameter.Name, parameter => _sources[parameter.Name]),
        };
    }

    private void ReadInitializers()
    {
        foreach (var tensor in _model.Graph.Initializer)
        {
            _quantized.Add(tensor);
            if (QuantizedInitializers.IsLarge(tensor) || _tensorReader.Known(tensor, tensor.Name) is not { } value)
            {
                _constants[tensor.Name] = _tensorReader.Carried(tensor, tensor.Name);
                continue;
            }

            _values[tensor.Name] = value with { IsInitializer = true, Source = value.Floats is null ? null : new(tensor.Name, []) };
        }

        foreach (var tensor in _model.Graph.SparseInitializer)
        {
            _values[tensor.Values.Name] = _tensorReader.Known(tensor, tensor.Values.Name) with { IsInitializer = true, Source = new(tensor.Values.Name, []) };
        }

        _budget = new(_values.Values.Sum(value => value.Bytes));
    }

    private void Read(NodeProto proto, HashSet<string> kept)
    {
        if (proto.OpType == "Constant" && proto.Domain is "" or "ai.onnx")
        {
            ReadConstant(proto);
            return;
        }

        if (proto.OpType == "Identity" && !kept.Contains(proto.Output[0]))
        {
            var source = Resolve(proto.Input[0]);
            if (_values.TryGetValue(source, out var shared) && !shared.IsTied)
            {
                // Each name its own parameter: PyTorch merges equal values of different layers this way, such as the first scales of normalisations.
                _values[proto.Output[0]] = shared with { Source = shared.Source is { Transposes: [] } ? new(proto.Output[0], []) : null };
            }
            else
            {
                _renamed[proto.Output[0]] = source;
            }

            return;
        }

        if (proto is { OpType: "If", Domain: "" or "ai.onnx" }
            && _values.GetValueOrDefault(Resolve(proto.Input[0])) is { Ints: [var condition], IsOpen: false })
        {
            foreach (var inner in InlinedBranch.Nodes(proto, condition != 0 ? "then_branch" : "else_branch", _valueNames.Value))
            {
                Read(inner, kept);
            }

            return;
        }

        proto.OpType = _attributes.Text(proto.OpType);
        if (proto.HasDomain)
        {
            proto.Domain = _attributes.Text(proto.Domain);
        }

        var node = OnnxAttributes.ToNode(proto, _names.Next(proto.Name.Length > 0 ? proto.Name : proto.OpType.ToLowerInvariant()), proto.Input.Select(Resolve),
            [.. SubgraphCaptures.Of(proto)], _attributes.Of(proto));
        var expansion = new Expansion(node, _opset, Info, _values, name => _valueNames.Value.Next(name), AddCanonical, _symbols,
            packed => _quantized.Unpack(packed, _values));
        if (!OperatorExpansion.TryExpand(node, expansion))
        {
            AddCanonical(node);
        }
    }

    private void AddCanonical(Node node)
    {
        if (node is { Operator: "Conv" or "ConvTranspose", Domain: "" } && !node.Attributes.ContainsKey("kernel_shape")
            && Info(node.Inputs[1]) is { IsKnown: true } weight)
        {
            node = node.With("kernel_shape", weight.Shape.Skip(2).Select(size => (long)size).ToArray());
        }

        var first = node.Input(0) is { } x ? Info(x) : null;
        var canonical = OperatorCanonicalization.Apply(node, _opset, _values.GetValueOrDefault, first?.Shape ?? default, _symbols, _openBatch,
            name => _outputs.Contains(name) || _readers.Value.ContainsKey(name));
        Add(canonical);
    }

    private void Add(Node node)
    {
        node = _zeros.WithoutStates(node);
        var infos = node.Inputs.Select(name => name.Length == 0 ? null : Info(name)).ToImmutableArray();
        var outputs = ShapeInference.Outputs(node, infos, _symbols, name => _values.GetValueOrDefault(name) is { Ints: { } ints, IsOpen: false } ? ints : null)
            .ToArray();
        if (!node.Outputs.Any(_outputs.Contains) && Fold(node, infos, outputs) is { } folded)
        {
            for (var i = 0; i < outputs.Length; i++)
            {
                _values[outputs[i].Name] = folded[i];
            }

            return;
        }

        _zeros.Add(node);

        foreach (var name in node.Inputs.Concat(node.Captured).Where(name => !_tensors.ContainsKey(name) && _values.ContainsKey(name)).Distinct().ToArray())
        {
            Operand(name, _values[name]);
        }

        foreach (var output in outputs)
        {
            _tensors[output.Name] = output.IsKnown || !_declared.TryGetValue(output.Name, out var declared) ? output : declared;
        }

        _nodes.Add(node);
    }

    private FoldedValue[]? Fold(Node node, ImmutableArray<TensorInfo?> infos, TensorInfo[] outputs)
    {
        if (node.Domain.Length > 0 || outputs.Length == 0 || IsViewOfShared(node) || !_budget.Allows(node, outputs))
        {
            return null;
        }

        var folded = Compute(node, infos, outputs);
        _budget.Take(node, folded);
        return folded;
    }

    private FoldedValue[]? Compute(Node node, ImmutableArray<TensorInfo?> infos, TensorInfo[] outputs)
    {
        if (node.Operator == "Shape" && infos[0] is { IsKnown: true } shape)
        {
            var (start, end) = ((int)node.Int("start", 0), (int)node.Int("end", int.MaxValue));
            var rank = shape.Shape.Length;
            start = Math.Clamp(start < 0 ? start + rank : start, 0, rank);
            end = Math.Clamp(end < 0 ? end + rank : end, start, rank);
            return [FoldedValue.Of([.. shape.Shape[start..end].Select(FoldedValue.FromSize)])];
        }

        if (node.Operator == "ConstantOfShape" && node.Ints("shape") is var sizes && node.Inputs.Length == 0 && sizes.All(size => size >= 0)
            && sizes.Aggregate(1L, (a, b) => a * b) <= 4096)
        {
            var count = (int)sizes.Aggregate(1L, (a, b) => a * b);
            var value = node.Float("value", 0);
            var type = (TensorType)node.Int("dtype", 1);
            ImmutableArray<int> dims = [.. sizes.Select(size => (int)size)];
            return [type is TensorType.Float ? new(type, dims, null, [.. Enumerable.Repeat(value, count)])
                : new(type, dims, [.. Enumerable.Repeat((long)value, count)], null)];
        }

        if (_quantized.Weight(node, _values) is { } weight)
        {
            return [weight];
        }

        var known = node.Inputs.Select(name => _values.GetValueOrDefault(name)).ToArray();
        if (node.Operator == "Range" && known.Length == 3)
        {
            return ConstantFolding.Range(known) is { } range ? [range] : null;
        }

        return known.Length == 0 || known.Contains(null) ? null : ConstantFolding.Run(node, known!, [.. outputs.Select(output => output.Shape)], _symbols);
    }

    /// <summary>
    /// Whether the node reads a weight in another form that others read too, as an output layer reads the embedding's table transposed: the
    /// weight stays one parameter, and the node stays.
    /// </summary>
    private bool IsViewOfShared(Node node) => OperatorCatalogue.Find(node)?.Values == Values.Shown
        && _values.GetValueOrDefault(node.Inputs[0]) is { IsTied: true, Shape.Length: > 1 }
        && _readers.Value.GetValueOrDefault(node.Inputs[0]) > 1;

    private TensorInfo Info(string name) => _tensors.TryGetValue(name, out var tensor) ? tensor
        : _values.TryGetValue(name, out var value) ? new TensorInfo(name, value.Shape) { Type = value.Type }
        : _constants.TryGetValue(name, out var constant) ? new TensorInfo(name, constant.Shape) { Type = constant.Type }
        : throw new ArgumentException($"it reads '{name}', which nothing produces");

    /// <summary>The name under which the network holds a value, as the one text that it has of it.</summary>
    private string Resolve(string name)
    {
        var resolved = _renamed.GetValueOrDefault(name, name);
        return _tensors.TryGetValue(resolved, out var tensor) ? tensor.Name : resolved;
    }

    /// <summary>Makes a known value a parameter, a constant, or, where it holds open sizes, a node that tells them.</summary>
    private string Operand(string name, FoldedValue value)
    {
        if (value.Floats is { } floats)
        {
            _parameters.TryAdd(name, new Parameter(name, value.Shape, floats, false, default) { Type = value.Type,
                Stored = value.Stored == value.Type ? null : value.Stored, Grid = value.Grid, CodeLength = value.CodeLength });
            if (value.Source is { } stored && (stored.Name == name || _readers.Value.GetValueOrDefault(stored.Name) == 1))
            {
                _sources[name] = stored;
            }
        }
        else if (value.IsOpen)
        {
            Add(new Node(_names.Next("dimensions"), Node.Dimensions, [], [name],
                [new("shape", value.Sizes ?? throw new ArgumentException($"the sizes in '{name}' cannot be determined before the network runs")),
                    new("scalar", value.Shape.Length == 0 ? 1L : 0L)]));
        }
        else
        {
            _constants.TryAdd(name, new(name, value.Type, value.Shape, [.. value.Ints!]));
        }

        return name;
    }

    private void ReadConstant(NodeProto proto)
    {
        var name = proto.Output[0];
        var attribute = proto.Attribute.FirstOrDefault() ?? throw new ArgumentException("it has no value");
        if ((attribute is { Name: "value", T: { } tensor } ? _tensorReader.Known(tensor, name) : _tensorReader.Known(attribute, name)) is { } value)
        {
            _values[name] = value with { Source = value.Floats is null ? null : new(name, []) };
        }
        else if (attribute.T is { } carried)
        {
            _constants[name] = _tensorReader.Carried(carried, name);
        }
        else
        {
            Add(OnnxAttributes.ToNode(proto, _names.Next(proto.Name.Length > 0 ? proto.Name : "constant"), [], []));
            return;
        }

        if (_outputs.Contains(name))
        {
            Produce(name);
        }
    }

    /// <summary>
    /// Gives a value that the file holds, and the graph gives back, another name, and produces it: what a network computes is produced by a node.
    /// </summary>
    private void Produce(string output)
    {
        var held = _valueNames.Value.Next(output + ".value");
        if (_values.Remove(output, out var value))
        {
            _values[held] = value;
        }
        else if (_constants.Remove(output, out var constant))
        {
            _constants[held] = constant with { Name = held };
        }
        else
        {
            throw new ArgumentException($"nothing produces the output '{output}'");
        }

        _renamed[output] = held;
        Add(new Node(_names.Next("output"), "Identity", [held], [output]));
    }
}
