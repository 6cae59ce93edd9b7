using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>
/// A network that becomes one with integers: tensors are rounded in pairs of QuantizeLinear and DequantizeLinear, weights are held as integers. The form that
/// the standard has for it, which runtimes fuse.
/// </summary>
/// <param name="network">The network of floats.</param>
internal sealed class QuantizedGraph(Network network)
{
    private readonly UniqueNames _names = new(network.Tensors.Keys.Concat(network.Graph.ParameterNames)
        .Concat(network.Graph.Constants.Select(constant => constant.Name)).Concat(network.Nodes.Select(node => node.Name)));

    private readonly Dictionary<string, Parameter> _changed = [];
    private readonly List<Parameter> _added = [];
    private readonly List<Constant> _constants = [];
    private readonly Dictionary<string, (string Scale, string Zero)> _grids = [];
    private readonly Dictionary<string, string> _biases = [];
    private readonly Dictionary<string, Func<string, string, Node[]>> _rounded = [];

    /// <summary>Rounds a tensor to bytes.</summary>
    /// <param name="tensor">Its name.</param>
    /// <param name="grid">Tensors of the same name here share scale and zero point.</param>
    /// <param name="scale">Step between integers.</param>
    /// <param name="zero">The unsigned byte that is zero.</param>
    /// <param name="type">As which bytes they are held: unsigned, or signed ones, which are less by 128.</param>
    public void Round(string tensor, string grid, float scale, byte zero, TensorType type)
    {
        if (!_grids.TryGetValue(grid, out var names))
        {
            names = _grids[grid] = (_names.Next(grid + "_scale"), _names.Next(grid + "_zero_point"));
            _added.Add(new(names.Scale, [], [scale], trainable: false, Initializer.One));
            _constants.Add(new(names.Zero, type, [], [type == TensorType.Int8 ? zero + sbyte.MinValue : zero]));
        }

        _rounded[tensor] = (from, to) => _names.Next(tensor + "_quantized") is var integers
            ? [new(_names.Next(tensor + "_QuantizeLinear"), "QuantizeLinear", [from, names.Scale, names.Zero], [integers]),
                new(_names.Next(tensor + "_DequantizeLinear"), "DequantizeLinear", [integers, names.Scale, names.Zero], [to])] : [];
    }

    /// <summary>Rounds a tensor to unsigned bytes that span the range of each batch.</summary>
    public void RoundEachBatch(string tensor) => _rounded[tensor] = (from, to) =>
    {
        string[] made = [_names.Next(tensor + "_quantized"), _names.Next(tensor + "_scale"), _names.Next(tensor + "_zero_point")];
        return [new(_names.Next(tensor + "_DynamicQuantizeLinear"), "DynamicQuantizeLinear", [from], made),
            new(_names.Next(tensor + "_DequantizeLinear"), "DequantizeLinear", made, [to])];
    };

    /// <summary>
    /// Rounds a tensor or a parameter as training does it, with a scale that is learned: times the exponential of a parameter that is 0 at first.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="grid">What has the same name here shares the scale.</param>
    /// <param name="scales">One, or one an index of the axis.</param>
    /// <param name="axis">The dimension that has a scale an index; -1 for one scale.</param>
    /// <param name="lowest">The least integer, less the zero point.</param>
    /// <param name="highest">The largest, less the zero point.</param>
    /// <returns>Name of the parameter that is learned.</returns>
    public string RoundInTraining(string name, string grid, IReadOnlyList<float> scales, int axis, long lowest, long highest)
    {
        if (!_grids.TryGetValue(grid, out var names))
        {
            ImmutableArray<int> shape = axis < 0 ? [] : [scales.Count];
            names = _grids[grid] = (_names.Next(grid + "_scale"), _names.Next(grid + "_change"));
            _added.Add(new(names.Scale, shape, [.. scales], trainable: false, Initializer.One));
            _added.Add(new(names.Zero, shape, new float[scales.Count], trainable: true, Initializer.Zero));
        }

        _rounded[name] = (from, to) => [new(_names.Next(name + "_FakeQuantize"), Node.FakeQuantize, [from, names.Scale, names.Zero], [to],
            [new("lowest", lowest), new("highest", highest), new("axis", (long)Math.Max(0, axis))])];
        return names.Zero;
    }

    /// <summary>Rounds a parameter, as training does it, to the nearest of zero and values that are learned.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="book">Parameters of the same name here share the values.</param>
    /// <param name="values">The values besides zero.</param>
    /// <param name="price">Squared error that a bit is worth.</param>
    /// <returns>Name of the parameter that is learned.</returns>
    public string RoundInTraining(string name, string book, float[] values, double price)
    {
        if (!_grids.TryGetValue(book, out var names))
        {
            names = _grids[book] = (_names.Next(book + "_values"), "");
            _added.Add(new(names.Scale, [values.Length], values, trainable: true, Initializer.Zero));
        }

        _rounded[name] = (from, to) => [new(_names.Next(name + "_FakeCodebook"), Node.FakeCodebook, [from, names.Scale], [to], [new("price", (float)price)])];
        return names.Scale;
    }

    /// <summary>Puts vectors that are learned, in training, in the place of the parts of a parameter.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="vectors">The vectors, one after another.</param>
    /// <param name="length">Values of a vector, and of a part.</param>
    /// <param name="codes">The place of each part's vector, which stays.</param>
    /// <returns>Name of the parameter that is learned.</returns>
    public string RoundInTraining(string name, float[] vectors, int length, long[] codes)
    {
        var (values, places) = (_names.Next(name + "_values"), _names.Next(name + "_codes"));
        _added.Add(new(values, [vectors.Length / length, length], vectors, trainable: true, Initializer.Zero));
        _constants.Add(new(places, TensorType.Int64, [codes.Length], [.. codes]));
        _rounded[name] = (from, to) => [new(_names.Next(name + "_FakeCodebook"), Node.FakeCodebook, [from, values, places], [to])];
        return values;
    }

    /// <summary>Puts a parameter in the place of the one of its name.</summary>
    public void Set(Parameter parameter) => _changed[parameter.Name] = parameter;

    /// <summary>Gives a layer a bias of its own.</summary>
    public void SetBias(Node layer, Parameter bias)
    {
        // A bias that others read too stays theirs.
        var own = network.Consumers(bias.Name).Count() == 1;
        _biases[layer.Name] = own ? bias.Name : _names.Next($"{layer.Name}.bias");
        if (own)
        {
            Set(bias);
        }
        else
        {
            _added.Add(new(_biases[layer.Name], bias.Shape, bias.Array, bias.Trainable, bias.Initializer) { Grid = bias.Grid });
        }
    }

    public Network Build()
    {
        var nodes = new List<Node>();
        var instead = new Dictionary<string, string>();
        foreach (var name in network.Inputs.Select(input => input.Name).Concat(network.Graph.ParameterNames).Where(_rounded.ContainsKey))
        {
            instead[name] = _names.Next(name + "_dequantized");
            nodes.AddRange(_rounded[name](name, instead[name]));
        }

        foreach (var node in network.Nodes)
        {
            // What is rounded keeps its name, so that all that reads it, and the network's outputs, stay as they are.
            var outputs = node.Outputs.Select(output => _rounded.ContainsKey(output) ? _names.Next(output + "_float") : output).ToArray();
            var inputs = node.Inputs.Select(input => instead.GetValueOrDefault(input, input)).ToArray();
            if (_biases.TryGetValue(node.Name, out var bias))
            {
                inputs[2] = bias;
            }

            nodes.Add(node.WithInputs(inputs).WithOutputs(outputs));
            foreach (var (rounded, floats) in node.Outputs.Zip(outputs).Where(output => _rounded.ContainsKey(output.First)))
            {
                nodes.AddRange(_rounded[rounded](floats, rounded));
            }
        }

        return new Network((network.Parts with
        {
            Nodes = [.. nodes],
            Parameters = [.. network.Parameters.Select(parameter => _changed.GetValueOrDefault(parameter.Name, parameter)), .. _added],
            Constants = [.. network.Graph.Constants, .. _constants],
            AsRead = false,
        }).Needed());
    }
}
