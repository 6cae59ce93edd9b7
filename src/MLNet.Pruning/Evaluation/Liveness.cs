namespace MLNet.Pruning;

/// <summary>
/// Which units lie on a path of non-zero weights from the input, and on one to the output. A unit is an index of a tensor's second
/// dimension: a channel, or a value of a row. Operators that mix units in other ways (attention, recurrence, reshaping) count as if
/// everything they read and produce were on a path, so that what is counted is never too little; so do tensors beyond 16 million units and 8 for every
/// value of a parameter, which a file can ask for with a few bytes.
/// </summary>
internal sealed class Liveness
{
    private static readonly HashSet<string> s_unitByUnit =
    [
        "Relu", "LeakyRelu", "Gelu", "Tanh", "Sigmoid", "Softmax", "LogSoftmax", "Dropout", "HardSwish", "HardSigmoid", "Elu", "Selu", "Celu", "Softplus", "Mish",
        "Swish", "Erf", "Exp", "Log", "Sqrt", "Abs", "Neg", "Identity", "Clip", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "LRN",
    ];

    private const long Least = 1 << 24;
    private const long Backed = 8;

    private readonly Network _network;
    private readonly Dictionary<string, bool[]> _fromInput = [];
    private readonly Dictionary<string, bool[]> _toOutput = [];

    public Liveness(Network network)
    {
        _network = network;
        var (inputs, outputs) = (network.Inputs.Select(tensor => tensor.Name).ToHashSet(), network.Graph.Outputs.ToHashSet());
        var left = Least + (Backed * network.Parameters.Sum(parameter => (long)parameter.Count));
        foreach (var tensor in network.Inputs.Select(tensor => tensor.Name).Concat(network.Nodes.SelectMany(node => node.Outputs)).Where(name => name.Length > 0).Select(name => network.Tensors[name]))
        {
            var units = tensor is { IsKnown: true, Shape: [_, > 0 and var size, ..] } && size <= left ? size : 0;
            left -= units;
            _fromInput[tensor.Name] = All(units, inputs.Contains(tensor.Name));
            _toOutput[tensor.Name] = All(units, outputs.Contains(tensor.Name));
        }

        foreach (var node in network.Nodes)
        {
            Forward(node);
        }

        foreach (var node in network.Nodes.Reverse())
        {
            Backward(node);
        }
    }

    /// <summary>Non-zero values of a parameter that lie on a live path.</summary>
    public long Effective(Node node, string parameter)
    {
        var values = _network[parameter].Values;
        if (!Follows(node))
        {
            return NonZeros(values);
        }

        var (source, target) = (_fromInput[node.Inputs[0]], Live(node.Outputs[0]));
        long count = 0;
        if (parameter == node.Inputs[1] && node.Operator is "Gemm" or "Conv")
        {
            ForEachConnection(node, (unit, input, start, length) =>
            {
                if (target[unit] && source[input])
                {
                    count += NonZeros(_network[parameter].Values.Slice(start, length));
                }
            });
            return count;
        }

        if (values.Length != target.Length)
        {
            return NonZeros(values);
        }

        for (var unit = 0; unit < values.Length; unit++)
        {
            count += target[unit] && values[unit] != 0 ? 1 : 0;
        }

        return count;
    }

    public static long NonZeros(ReadOnlySpan<float> values) => values.Length - System.MemoryExtensions.Count(values, 0f);

    private bool[] Live(string tensor) => [.. _fromInput[tensor].Zip(_toOutput[tensor], (from, to) => from && to)];

    private bool HasUnits(string tensor) => _fromInput.TryGetValue(tensor, out var units) && units.Length > 0;

    private static bool[] All(int units, bool live)
    {
        var all = new bool[units];
        Array.Fill(all, live);
        return all;
    }

    /// <summary>Whether the node's units can be told apart; otherwise all count as live.</summary>
    private bool Follows(Node node)
    {
        if (node.Domain.Length > 0 || node.Outputs.Length == 0 || node.Inputs.Length == 0 || !HasUnits(node.Outputs[0]) || !HasUnits(node.Inputs[0]))
        {
            return false;
        }

        var (input, output) = (_network.Tensors[node.Inputs[0]].Shape, _network.Tensors[node.Outputs[0]].Shape);
        return node.Operator switch
        {
            "Gemm" => node.Int("transA", 0) == 0 && Holds(node.Inputs[1]),
            "Conv" => Holds(node.Inputs[1]),
            "BatchNormalization" => Holds(node.Inputs[1]),
            "Flatten" => node.Int("axis", 1) == 1 && input[0] == output[0],
            "Concat" => node.Int("axis", 0) == 1 && node.Inputs.All(HasUnits),
            "Add" or "Mul" => node.Inputs.All(name => HasUnits(name) && _network.Tensors[name].Shape is var shape && shape[1] == output[1] && shape.Length == output.Length),
            _ => s_unitByUnit.Contains(node.Operator) && input[1] == output[1],
        };
    }

    private bool Holds(string parameter) => _network.TryGetParameter(parameter, out _);

    private void Forward(Node node)
    {
        foreach (var name in node.Outputs.Where(_fromInput.ContainsKey))
        {
            if (!Follows(node))
            {
                Array.Fill(_fromInput[name], true);
            }
        }

        if (!Follows(node))
        {
            return;
        }

        var (input, output) = (_fromInput[node.Inputs[0]], _fromInput[node.Outputs[0]]);
        switch (node.Operator)
        {
            case "Gemm" or "Conv":
                ForEachConnection(node, (unit, from, start, length) => output[unit] |= input[from] && Connects(node, start, length));
                break;
            case "BatchNormalization":
                var scale = _network[node.Inputs[1]].Values;
                for (var unit = 0; unit < output.Length; unit++)
                {
                    output[unit] = input[unit] && scale[unit] != 0;
                }

                break;
            case "Flatten":
                var positions = output.Length / input.Length;
                for (var unit = 0; unit < output.Length; unit++)
                {
                    output[unit] = input[unit / positions];
                }

                break;
            case "Concat":
                var start = 0;
                foreach (var part in node.Inputs.Select(name => _fromInput[name]))
                {
                    part.CopyTo(output, start);
                    start += part.Length;
                }

                break;
            case "Add":
                Combine(node, output, (a, b) => a || b);
                break;
            case "Mul":
                Combine(node, output, (a, b) => a && b);
                break;
            default:
                input.CopyTo(output, 0);
                break;
        }
    }

    private void Combine(Node node, bool[] output, Func<bool, bool, bool> live)
    {
        var (a, b) = (_fromInput[node.Inputs[0]], _fromInput[node.Inputs[1]]);
        for (var unit = 0; unit < output.Length; unit++)
        {
            output[unit] = live(a[unit], b[unit]);
        }
    }

    private void Backward(Node node)
    {
        if (!Follows(node))
        {
            foreach (var name in node.Inputs.Concat(node.Captured).Where(_toOutput.ContainsKey))
            {
                Array.Fill(_toOutput[name], true);
            }

            return;
        }

        var (output, input) = (_toOutput[node.Outputs[0]], _toOutput[node.Inputs[0]]);
        switch (node.Operator)
        {
            case "Gemm" or "Conv":
                ForEachConnection(node, (unit, to, start, length) => input[to] |= output[unit] && Connects(node, start, length));
                break;
            case "BatchNormalization":
                var scale = _network[node.Inputs[1]].Values;
                for (var unit = 0; unit < input.Length; unit++)
                {
                    input[unit] |= output[unit] && scale[unit] != 0;
                }

                break;
            case "Flatten":
                var positions = output.Length / input.Length;
                for (var unit = 0; unit < output.Length; unit++)
                {
                    input[unit / positions] |= output[unit];
                }

                break;
            case "Concat":
                var start = 0;
                foreach (var part in node.Inputs.Select(name => _toOutput[name]))
                {
                    Merge(part, output.AsSpan(start, part.Length));
                    start += part.Length;
                }

                break;
            default:
                foreach (var tensor in node.Inputs.Where(_toOutput.ContainsKey))
                {
                    Merge(_toOutput[tensor], output);
                }

                break;
        }
    }

    private static void Merge(bool[] into, ReadOnlySpan<bool> from)
    {
        for (var unit = 0; unit < into.Length; unit++)
        {
            into[unit] |= from[unit];
        }
    }

    private bool Connects(Node node, int start, int length) => _network[node.Inputs[1]].Values.Slice(start, length).ContainsAnyExcept(0f);

    /// <summary>Every pair of an output unit and an input unit with the weights between them, consecutive in storage.</summary>
    private void ForEachConnection(Node node, Action<int, int, int, int> visit)
    {
        var shape = _network[node.Inputs[1]].Shape;
        if (node.Operator == "Gemm" && node.Int("transB", 0) == 0)
        {
            for (var i = 0; i < shape[0] * shape[1]; i++)
            {
                visit(i % shape[1], i / shape[1], i, 1);
            }

            return;
        }

        var (units, inputs) = (shape[0], shape[1]);
        var length = shape.Skip(2).Aggregate(1, (product, size) => product * size);
        var unitsPerGroup = units / (int)node.Int("group", 1);
        for (var unit = 0; unit < units; unit++)
        {
            var firstInput = unit / unitsPerGroup * inputs;
            for (var input = 0; input < inputs; input++)
            {
                visit(unit, firstInput + input, (unit * inputs + input) * length, length);
            }
        }
    }
}
