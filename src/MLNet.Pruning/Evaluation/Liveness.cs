namespace MLNet.Pruning;

/// <summary>
/// Which units lie on a path of non-zero weights from the input, and on one to the output. A unit is an index of a tensor's second
/// dimension: a channel, or a value of a row.
/// </summary>
internal sealed class Liveness
{
    private readonly Network _network;
    private readonly Dictionary<string, bool[]> _fromInput = [];
    private readonly Dictionary<string, bool[]> _toOutput = [];

    public Liveness(Network network)
    {
        _network = network;
        _fromInput[network.Input.Name] = All(network.Input);
        foreach (var node in network.Nodes)
        {
            _fromInput[node.Outputs[0]] = Forward(node);
        }

        foreach (var tensor in network.Tensors.Values)
        {
            _toOutput[tensor.Name] = new bool[Units(tensor)];
        }

        _toOutput[network.Output.Name].AsSpan().Fill(true);
        foreach (var node in network.Nodes.Reverse())
        {
            Backward(node);
        }
    }

    /// <summary>Non-zero values of a parameter that lie on a live path.</summary>
    public long Effective(Node node, string parameter)
    {
        var values = _network[parameter].Values;
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

        for (var unit = 0; unit < values.Length; unit++)
        {
            count += target[unit] && values[unit] != 0 ? 1 : 0;
        }

        return count;
    }

    public static long NonZeros(ReadOnlySpan<float> values) => values.Length - System.MemoryExtensions.Count(values, 0f);

    private bool[] Live(string tensor) => [.. _fromInput[tensor].Zip(_toOutput[tensor], (from, to) => from && to)];

    private static int Units(TensorInfo tensor) => tensor.Shape[1];

    private static bool[] All(TensorInfo tensor)
    {
        var units = new bool[Units(tensor)];
        Array.Fill(units, true);
        return units;
    }

    private bool[] Forward(Node node)
    {
        var input = _fromInput[node.Inputs[0]];
        var output = new bool[Units(_network.Tensors[node.Outputs[0]])];
        switch (node.Operator)
        {
            case "Gemm" or "Conv":
                ForEachConnection(node, (unit, from, start, length) => output[unit] |= input[from] && Connects(node, start, length));
                return output;
            case "BatchNormalization":
                var scale = _network[node.Inputs[1]].Values;
                for (var unit = 0; unit < output.Length; unit++)
                {
                    output[unit] = input[unit] && scale[unit] != 0;
                }

                return output;
            case "Flatten":
                var positions = output.Length / input.Length;
                for (var unit = 0; unit < output.Length; unit++)
                {
                    output[unit] = input[unit / positions];
                }

                return output;
            case "Add":
                return [.. input.Zip(_fromInput[node.Inputs[1]], (a, b) => a || b)];
            case "Mul":
                return [.. input.Zip(_fromInput[node.Inputs[1]], (a, b) => a && b)];
            default:
                return input;
        }
    }

    private void Backward(Node node)
    {
        var output = _toOutput[node.Outputs[0]];
        var input = _toOutput[node.Inputs[0]];
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
            default:
                foreach (var tensor in node.Inputs.Where(_toOutput.ContainsKey))
                {
                    for (var unit = 0; unit < output.Length; unit++)
                    {
                        _toOutput[tensor][unit] |= output[unit];
                    }
                }

                break;
        }
    }

    private bool Connects(Node node, int start, int length) => _network[node.Inputs[1]].Values.Slice(start, length).ContainsAnyExcept(0f);

    /// <summary>Every pair of an output unit and an input unit with the weights between them, consecutive in storage.</summary>
    private void ForEachConnection(Node node, Action<int, int, int, int> visit)
    {
        var shape = _network[node.Inputs[1]].Shape;
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
