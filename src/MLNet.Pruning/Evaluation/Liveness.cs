using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Evaluation;

/// <summary>
/// Which units lie on a path of non-zero weights from the input, and on one to the output. A unit is an index of a tensor's second
/// dimension, a channel or a value of a row, or, around products with a weight, of its last: a value of a step. Operators that mix units in
/// other ways (attention, recurrence, reshaping) count as if everything they read and produce were on a path, so that what is counted is never
/// too little; so do tensors beyond 16 million units and 8 for every value of a parameter, which a file can ask for with a few bytes.
/// </summary>
internal sealed class Liveness
{
    /// <summary>Those that work on each unit alone, over its positions or over nothing else.</summary>
    private static readonly string[] s_pooling = ["MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"];

    private const long Least = 1 << 24;
    private const long Backed = 8;

    private readonly Network _network;
    private readonly CancellationToken _cancellation;
    private readonly Dictionary<string, bool[]> _fromInput;
    private readonly Dictionary<string, bool[]> _toOutput;

    /// <summary>Tensors whose units are the indices of the last dimension.</summary>
    private readonly HashSet<string> _byLast = [];

    /// <param name="network">The network, with values.</param>
    /// <param name="cancellation">Ends the search.</param>
    public Liveness(Network network, CancellationToken cancellation = default)
    {
        (_network, _cancellation) = (network, cancellation);
        (_fromInput, _toOutput) = (new(network.Tensors.Count), new(network.Tensors.Count));
        FindUnits();
        var (inputs, outputs) = (network.Inputs.Select(tensor => tensor.Name).ToHashSet(), network.Graph.Outputs.ToHashSet());
        var left = Least + (Backed * network.Parameters.Sum(parameter => (long)parameter.Count));
        foreach (var tensor in network.Inputs.Select(tensor => tensor.Name).Concat(network.Nodes.SelectMany(node => node.Outputs)).Where(name => name.Length > 0).Select(name => network.Tensors[name]))
        {
            var units = tensor is { IsKnown: true, Shape.Length: >= 2 } && tensor.Shape[UnitAxis(tensor)] is > 0 and var size && size <= left ? size : 0;
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

    /// <summary>Of each unit of a tensor whether it lies on a path from the input, so that it is not the same for all rows.</summary>
    public IReadOnlyList<bool> FromInput(string tensor) => _fromInput[tensor];

    /// <summary>Non-zero values of a parameter that lie on a live path.</summary>
    public long Effective(Node node, string parameter)
    {
        var values = _network[parameter].Values;
        if (!Follows(node))
        {
            return NonZeros(values);
        }

        var (source, target) = (_fromInput[Data(node)], Live(node.Outputs[0]));
        long count = 0;
        if (node.Operator is "Gemm" or "Conv" or "MatMul" && parameter == node.Inputs[1])
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

    /// <summary>The tensor that a node works on: the first that is no parameter.</summary>
    private string Data(Node node) => node.Inputs.FirstOrDefault(_network.Tensors.ContainsKey) ?? "";

    /// <summary>The dimension of a tensor's units; -1 where it has none.</summary>
    private int Axis(string name) => _fromInput.TryGetValue(name, out var units) && units.Length > 0 ? UnitAxis(_network.Tensors[name]) : -1;

    private int UnitAxis(TensorInfo tensor) => _byLast.Contains(tensor.Name) ? tensor.Shape.Length - 1 : 1;

    /// <summary>Around a product with a weight, up to where units are mixed, they are indices of the last dimension.</summary>
    private void FindUnits()
    {
        bool Spreads(Node node) => node.Domain.Length == 0 && (OperatorCatalogue.Find(node) is { IsUnary: true } || node.Operator is "Add" or "Sub" or "Mul" or "Div" or "PRelu");
        foreach (var node in _network.Nodes.Where(node => node is { Operator: "MatMul", Domain: "" } && Holds(node.Inputs[1])))
        {
            _byLast.Add(node.Inputs[0]);
            _byLast.Add(node.Outputs[0]);
        }

        foreach (var nodes in new[] { _network.Nodes.Reverse(), _network.Nodes, _network.Nodes.Reverse() })
        {
            foreach (var node in nodes.Where(Spreads))
            {
                var tensors = node.Inputs.Append(node.Outputs[0]).Where(name => _network.Tensors.TryGetValue(name, out var tensor) && tensor.IsKnown).ToArray();
                if (tensors.Any(_byLast.Contains))
                {
                    _byLast.UnionWith(tensors);
                }
            }
        }
    }

    private static bool[] All(int units, bool live)
    {
        var all = new bool[units];
        Array.Fill(all, live);
        return all;
    }

    /// <summary>Whether the node's units can be told apart; otherwise all count as live.</summary>
    private bool Follows(Node node)
    {
        var data = Data(node);
        if (node.Domain.Length > 0 || node.Outputs.Length == 0 || Axis(node.Outputs[0]) < 0 || Axis(data) < 0)
        {
            return false;
        }

        var (input, output) = (_network.Tensors[data].Shape, _network.Tensors[node.Outputs[0]].Shape);
        var isSecond = Axis(data) == 1 && Axis(node.Outputs[0]) == 1;
        return node.Operator switch
        {
            "Gemm" => node.Int("transA", 0) == 0 && Holds(node.Inputs[1]),
            "Conv" => isSecond && Holds(node.Inputs[1]),
            "MatMul" => Holds(node.Inputs[1]) && _network[node.Inputs[1]].Shape.Length == 2 && Axis(data) == input.Length - 1 && Axis(node.Outputs[0]) == output.Length - 1,
            "BatchNormalization" => isSecond && Holds(node.Inputs[1]),
            "Flatten" => isSecond && node.Int("axis", 1) == 1 && input[0] == output[0],
            "Concat" => isSecond && node.Int("axis", 0) == 1 && node.Inputs.All(name => Axis(name) == 1),
            "Add" or "Sub" or "Mul" or "Div" or "PRelu" => node.Inputs.All(name => HasSameUnits(name, node.Outputs[0])),
            _ when s_pooling.Contains(node.Operator) => isSecond && input[1] == output[1],
            _ => OperatorCatalogue.Find(node) is { IsUnary: true } && Axis(data) == Axis(node.Outputs[0]),
        };
    }

    /// <summary>Whether an operand of arithmetic has the units of the result, as a tensor, or as a parameter of one value a unit or for all.</summary>
    private bool HasSameUnits(string operand, string result)
    {
        var (shape, axis) = (_network.Tensors[result].Shape, Axis(result));
        if (_network.TryGetParameter(operand, out var parameter))
        {
            var own = axis - shape.Length + parameter.Shape.Length;
            return parameter.Count == 1 || own >= 0 && parameter.Shape[own] == shape[axis] && parameter.Count == shape[axis];
        }

        return _network.Tensors.TryGetValue(operand, out var tensor) && tensor.IsKnown && tensor.Shape.Length == shape.Length && Axis(operand) == axis && tensor.Shape[axis] == shape[axis];
    }

    private bool Holds(string parameter) => _network.TryGetParameter(parameter, out _);

    private void Forward(Node node)
    {
        if (!Follows(node))
        {
            foreach (var name in node.Outputs.Where(_fromInput.ContainsKey))
            {
                Array.Fill(_fromInput[name], true);
            }

            return;
        }

        var (input, output) = (_fromInput[Data(node)], _fromInput[node.Outputs[0]]);
        switch (node.Operator)
        {
            case "Gemm" or "Conv" or "MatMul":
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
            case "Add" or "Sub":
                Combine(node, output, (a, b) => a || b, _ => false);
                break;
            case "Mul":
                Combine(node, output, (a, b) => a && b, value => value != 0);
                break;
            case "Div" or "PRelu":
                Combine(node, output, (a, b) => a || b, _ => false);
                break;
            default:
                input.CopyTo(output, 0);
                break;
        }
    }

    /// <param name="node">Arithmetic of two operands.</param>
    /// <param name="output">Which units of its result depend on the input.</param>
    /// <param name="live">Whether one does, by whether those of the operands do.</param>
    /// <param name="passes">What counts for a value of a parameter: a shift is no path from the input, a scale of zero ends one.</param>
    private void Combine(Node node, bool[] output, Func<bool, bool, bool> live, Func<float, bool> passes)
    {
        bool[] Operand(int i) => _network.TryGetParameter(node.Inputs[i], out var parameter) ? [.. PerUnit(parameter, output.Length).Select(passes)] : _fromInput[node.Inputs[i]];
        var (a, b) = (Operand(0), Operand(1));
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

        var (output, input) = (_toOutput[node.Outputs[0]], _toOutput[Data(node)]);
        switch (node.Operator)
        {
            case "Gemm" or "Conv" or "MatMul":
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
                    Merge(_toOutput[tensor], node.Operator == "Mul" ? [.. output.Zip(Scale(node, output.Length), (live, scale) => live && scale)] : output);
                }

                break;
        }
    }

    /// <summary>By unit whether the parameter that a product reads lets it through; all where it reads none.</summary>
    private IEnumerable<bool> Scale(Node node, int units) => node.Inputs.Select(name => _network.TryGetParameter(name, out var parameter) ? parameter : null).OfType<Parameter>().FirstOrDefault() is { } scale
        ? PerUnit(scale, units).Select(value => value != 0) : Enumerable.Repeat(true, units);

    private static IEnumerable<float> PerUnit(Parameter parameter, int units) => parameter.Count == 1 ? Enumerable.Repeat(parameter.Values[0], units) : parameter.Values.ToArray();

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
        if (node.Operator == "MatMul" || (node.Operator == "Gemm" && node.Int("transB", 0) == 0))
        {
            for (var i = 0; i < shape[0] * shape[1]; i++)
            {
                if (i % shape[1] == 0)
                {
                    _cancellation.ThrowIfCancellationRequested();
                }

                visit(i % shape[1], i / shape[1], i, 1);
            }

            return;
        }

        var (units, inputs) = (shape[0], shape[1]);
        var length = shape.Skip(2).Aggregate(1, (product, size) => product * size);
        var unitsPerGroup = units / (int)node.Int("group", 1);
        for (var unit = 0; unit < units; unit++)
        {
            _cancellation.ThrowIfCancellationRequested();
            var firstInput = unit / unitsPerGroup * inputs;
            for (var input = 0; input < inputs; input++)
            {
                visit(unit, firstInput + input, (unit * inputs + input) * length, length);
            }
        }
    }
}
