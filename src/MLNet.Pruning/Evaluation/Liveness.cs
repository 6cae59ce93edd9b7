using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Evaluation;

/// <summary>
/// Which indices of each dimension of a tensor lie on a path of non-zero values from the input, and on one to the output. How indices pass an operator follows
/// from its traits; operators that mix them in other ways (recurrence, what is not analysed) count as if all they read and produce were on a path, so that what
/// is counted is never too little. So do dimensions of more than a million indices, and those beyond 4 million and one for every value of a parameter in all,
/// which a file can ask for with a few bytes.
/// </summary>
internal sealed class Liveness
{
    /// <summary>Zero, whatever the network reads.</summary>
    private const byte Zero = 0;

    /// <summary>The same for all rows, such as behind a bias alone.</summary>
    private const byte Fixed = 1;

    /// <summary>On a path from the input.</summary>
    private const byte Varying = 2;

    private const int MostOfDimension = 1 << 20;
    private const long Least = 1 << 22;

    private readonly Network _network;
    private readonly CancellationToken _cancellation;
    private readonly Dictionary<Node, LayerProduct> _products;
    private readonly Dictionary<string, Marks> _fromInput;
    private readonly Dictionary<string, Marks> _toOutput;
    private readonly Dictionary<string, Marks> _known = [];

    /// <summary>Those that differ: most tensors of a file of many nodes are alike.</summary>
    private readonly HashSet<Marks> _distinct = [];
    private long _left;

    /// <param name="network">The network, with values.</param>
    /// <param name="cancellation">Ends the search.</param>
    public Liveness(Network network, CancellationToken cancellation = default)
    {
        (_network, _cancellation) = (network, cancellation);
        (_fromInput, _toOutput) = (new(network.Tensors.Count), new(network.Tensors.Count));
        _products = network.Layers.Select(layer => LayerProduct.Of(network, layer)).OfType<LayerProduct>().ToDictionary(product => product.Node);
        _left = Least + network.Parameters.Sum(parameter => (long)parameter.Count);
        var outputs = network.Graph.Outputs.ToHashSet();
        foreach (var tensor in network.Inputs.Concat(network.Nodes.SelectMany(Outputs).Select(output => network.Tensors[output.Name])))
        {
            var marks = MarksOf(tensor);
            (_fromInput[tensor.Name], _toOutput[tensor.Name]) = (Distinct(marks), Distinct(Like(marks, outputs.Contains(tensor.Name) ? Fixed : Zero)));
        }

        foreach (var layer in network.Layers)
        {
            Forward(layer);
        }

        foreach (var node in network.Nodes.Reverse())
        {
            Backward(node);
        }
    }

    private delegate byte Rule(ReadOnlySpan<byte> levels);

    /// <summary>
    /// Of each index of a dimension of a tensor whether it lies on a path from the input, so that it is not the same for all rows: of the first
    /// dimension behind that of the rows some of whose indices do not, else of the last.
    /// </summary>
    public IReadOnlyList<bool> FromInput(string tensor)
    {
        var marks = _fromInput[tensor];
        bool[][] dimensions = [.. Enumerable.Range(1, Math.Max(0, marks.Dimensions.Length - 1)).Where(d => marks.Dimensions[d] is not null)
            .Select(d => marks.Dimensions[d]!.Select((_, i) => marks.At(d, i) == Varying).ToArray())];
        return dimensions.FirstOrDefault(levels => levels.Contains(false)) ?? dimensions.LastOrDefault() ?? [marks.Whole == Varying];
    }

    /// <summary>Whether a tensor that nodes make or read as rows is zero at an index of a dimension, whatever the network reads.</summary>
    public bool IsZero(string tensor, int dimension, int index) => _fromInput[tensor].At(dimension, index) == Zero;

    /// <summary>Non-zero values of a parameter that lie on a live path.</summary>
    public long Live(Node node, string parameter)
    {
        var values = _network[parameter];
        if (values.Count == 0)
        {
            return 0;
        }

        if (_products.TryGetValue(node, out var product) && product.Weight.Name == parameter)
        {
            var (source, target) = (_fromInput[product.Data], _toOutput[node.Outputs[0]]);
            long count = 0;
            product.ForEachWeight(_cancellation, (unit, input) =>
                count += product.Unit(target, unit) != Zero && source.At(product.Reads, input) == Varying ? 1 : 0);
            return count;
        }

        var operand = node.Inputs.IndexOf(parameter);
        if (operand < 0 || Followed(node) is not { } known)
        {
            return Outputs(node).Any(output => _toOutput[output.Name].Whole != Zero) ? NonZeros(values.Values) : 0;
        }

        // What is only moved is live where it leads to the output; what is computed with, where something from the input is.
        var asked = Marks.Uniform(values.Shape, Zero);
        foreach (var (output, name) in Outputs(node))
        {
            var (to, from) = (_toOutput[name], _fromInput[name]);
            var live = known.Values == Values.Computed ? Combined(to, [to, from], levels => levels[1] == Varying ? levels[0] : Zero) : to;
            asked = asked.Raised(IndexLink.Backward(live, Links(node, operand, output), values.Shape, Shape(name)));
        }

        return asked.CountNonZeros(values);
    }

    public static long NonZeros(ReadOnlySpan<float> values) => values.Length - System.MemoryExtensions.Count(values, 0f);

    /// <summary>Where all of a tensor is on a path from the input; dimensions are told apart as long as there is room.</summary>
    private Marks MarksOf(TensorInfo tensor)
    {
        var dimensions = new byte[]?[tensor.IsKnown ? tensor.Shape.Length : 0];
        for (var d = 0; d < dimensions.Length; d++)
        {
            if (tensor.Shape[d] is > 0 and <= MostOfDimension and var size && size <= _left)
            {
                _left -= size;
                dimensions[d] = new byte[size];
                Array.Fill(dimensions[d]!, Varying);
            }
        }

        return new(Varying, dimensions);
    }

    private Marks Distinct(Marks marks)
    {
        if (_distinct.TryGetValue(marks, out var same))
        {
            return same;
        }

        _distinct.Add(marks);
        return marks;
    }

    /// <summary>One level for all of the indices that are told apart in another.</summary>
    private static Marks Like(Marks other, byte level)
        => new(level, [.. other.Dimensions.Select(levels => levels is null ? null : Enumerable.Repeat(level, levels.Length).ToArray())]);

    /// <summary>Levels by those of several at the same index.</summary>
    private static Marks Combined(Marks like, IReadOnlyList<Marks> parts, Rule rule)
    {
        var levels = new byte[parts.Count];
        byte Level(Func<Marks, byte> level)
        {
            for (var k = 0; k < levels.Length; k++)
            {
                levels[k] = level(parts[k]);
            }

            return rule(levels);
        }

        var dimensions = like.Dimensions.Select((told, d) => told?.Select((_, i) => Level(part => part.At(d, i))).ToArray());
        return new Marks(Level(part => part.Whole), [.. dimensions]).Settle();
    }

    private ImmutableArray<int> Shape(string name) => _network.Find(name)!.Shape;

    private static IEnumerable<(int Index, string Name)> Outputs(Node node) => node.Outputs.Index().Where(output => output.Item.Length > 0);

    private static IEnumerable<(int Index, string Name)> Operands(Node node) => node.Inputs.Index().Where(input => input.Item.Length > 0);

    /// <summary>The levels of whatever has a name.</summary>
    private Marks Levels(string name)
    {
        if (_fromInput.TryGetValue(name, out var marks) || _known.TryGetValue(name, out marks))
        {
            return marks;
        }

        return _known[name] = _network.TryGetParameter(name, out var parameter) ? Marks.NonZeros(parameter) : new(Fixed, new byte[]?[Shape(name).Length]);
    }

    /// <summary>The operator of a node whose indices are followed; null for others.</summary>
    private Operator? Followed(Node node) => OperatorCatalogue.Find(node) is { } known && node.Captured.IsEmpty
        && (known.IsElementwise || known.Over is not null || known.Values != Values.Computed || _products.ContainsKey(node) || IsOfTwoTensors(node, known))
        && node.Inputs.Concat(node.Outputs).All(name => _network.Find(name)?.IsKnown != false) ? known : null;

    /// <summary>Whether each operand is multiplied with the other.</summary>
    private bool IsOfTwoTensors(Node node, Operator known)
        => !_products.ContainsKey(node) && known.Weights.Count == 2 && known.Weights.All(weight => weight.Product is not null)
            && node.Inputs.All(name => _network.Find(name) is { IsKnown: true, Shape.Length: >= 2 });

    private static Product Multiplied(Operator known, int operand) => known.Weights.Single(weight => weight.Product!.Data == operand).Product!;

    /// <summary>What ties an operand to an output, as far as the indices are told apart.</summary>
    private IndexLink[] Links(Node node, int operand, int output)
    {
        var known = OperatorCatalogue.Find(node)!;
        var (x, y) = (Shape(node.Inputs[operand]), Shape(node.Outputs[output]));
        var (from, to) = (_fromInput.GetValueOrDefault(node.Inputs[operand]), _fromInput[node.Outputs[output]]);
        var all = !_products.TryGetValue(node, out var product)
            ? (IsOfTwoTensors(node, known) ? IndexLink.OfProduct(x, y, Summed(node, known, operand), Node.Resolve(Multiplied(known, operand).Makes, y.Length),
                false)
                : IndexLink.Of(_network, node, known, operand, output))
            : operand == product.DataOperand ? IndexLink.OfProduct(x, y, product.Reads, product.Makes, product.Axes.IsConvolution)
            : IndexLink.OfBias(x, y, product.Makes, product.Axes.IsConvolution);
        return [.. all.Where(link =>
        {
            var count = link.Picked is null && link.From.Length == 1 && link.To.Length == 1 ? 0 : link.To.Aggregate(1L, (count, d) => count * y[d]);
            var isTold = count == 0
                || (link.To.All(d => to.Dimensions[d] is not null) && link.From.All(d => from is null || from.Dimensions[d] is not null) && count <= _left);
            _left -= isTold ? count : 0;
            return isTold;
        })];
    }

    /// <summary>What operands hand on to an output.</summary>
    private IEnumerable<Marks> Parts(Node node, int output) => Operands(node).Select(operand => Part(node, operand.Index, output));

    private Marks Part(Node node, int operand, int output)
        => IndexLink.Forward(Levels(node.Inputs[operand]), Links(node, operand, output), Shape(node.Inputs[operand]), Shape(node.Outputs[output]));

    private void Forward(LayerInfo layer)
    {
        var node = layer.Node;
        if (Followed(node) is not { } known)
        {
            // Weights that are all zero let nothing through, whatever their layer does.
            var varies = node.Inputs.Concat(node.Captured).Any(name => _fromInput.TryGetValue(name, out var marks) && marks.Whole == Varying)
                && (layer.Weights.Length == 0 || layer.Weights.Any(weight => _network[weight].Values.ContainsAnyExcept(0f)));
            foreach (var (_, name) in Outputs(node))
            {
                _fromInput[name] = Distinct(Like(_fromInput[name], varies ? Varying : Fixed));
            }

            return;
        }

        foreach (var (output, name) in Outputs(node))
        {
            var computed = _products.TryGetValue(node, out var product) ? Forward(product)
                : Combined(_fromInput[name], [.. Parts(node, output)], Computed(known));
            if (IsOfTwoTensors(node, known))
            {
                // Of what is summed over, some index has to be there in both.
                var (a, b, i, j) = (Levels(node.Inputs[0]), Levels(node.Inputs[1]), Summed(node, known, 0), Summed(node, known, 1));
                var met = new byte[a.Dimensions[i]?.Length ?? b.Dimensions[j]?.Length ?? 0].Select((_, k) => Computed(known)([a.At(i, k), b.At(j, k)]));
                computed.Whole = Math.Min(computed.Whole, met.DefaultIfEmpty(Varying).Max());
            }

            _fromInput[name] = Distinct(computed);
        }
    }

    private int Summed(Node node, Operator known, int operand) => Node.Resolve(Multiplied(known, operand).Reads(node), Shape(node.Inputs[operand]).Length);

    /// <summary>The level of what an operator computes.</summary>
    private static Rule Computed(Operator known) => known switch
    {
        { Scaled: not null } => levels => levels[0] == Varying && levels[1] != Zero ? Varying : Fixed,
        { Zeros: Zeros.OfEvery } => Highest,
        { Zeros: Zeros.OfAny } => levels => levels.Contains(Zero) ? Zero : Highest(levels),
        { Zeros: Zeros.OfFirst } => levels => levels[0] == Zero ? Zero : Highest(levels),
        { Zeros: Zeros.OfBranches } => levels => Highest(levels[1..]) == Zero ? Zero : Highest(levels),
        _ => levels => Math.Max(Fixed, Highest(levels)),
    };

    private static byte Highest(ReadOnlySpan<byte> levels)
    {
        var highest = Zero;
        foreach (var level in levels)
        {
            highest = Math.Max(highest, level);
        }

        return highest;
    }

    private Marks Forward(LayerProduct product)
    {
        var (name, data) = (product.Node.Outputs[0], _fromInput[product.Data]);
        var units = product.HighestInputs(input => data.At(product.Reads, input), _cancellation);
        var summed = Part(product.Node, product.DataOperand, 0);
        summed.Whole = Highest(units);
        if (product.Makes is { } made)
        {
            summed.Dimensions[made] = units;
        }

        var biases = Operands(product.Node).Where(operand => operand.Index != product.Operand && operand.Index != product.DataOperand);
        return Combined(_fromInput[name], [summed, .. biases.Select(bias => Part(product.Node, bias.Index, 0))], Highest);
    }

    private void Backward(Node node)
    {
        foreach (var (output, name) in Outputs(node).Where(output => _toOutput[output.Name].Whole != Zero))
        {
            if (Followed(node) is not { } known)
            {
                foreach (var operand in node.Inputs.Concat(node.Captured).Where(_toOutput.ContainsKey))
                {
                    _toOutput[operand] = Distinct(Like(_toOutput[operand], Fixed));
                }

                continue;
            }

            var asked = _toOutput[name];
            if (_products.TryGetValue(node, out var product))
            {
                Backward(product, asked);
                continue;
            }

            Marks[] all = [asked, .. Parts(node, output)];
            foreach (var (place, (operand, from)) in Operands(node).Index().Where(entry => _toOutput.ContainsKey(entry.Item.Name)))
            {
                var passed = Combined(asked, all, levels => Passes(known, place + 1, levels) ? levels[0] : Zero);
                var marks = IndexLink.Backward(passed, Links(node, operand, output), Shape(from), Shape(name));
                if (IsOfTwoTensors(node, known))
                {
                    var (other, summed) = (Levels(node.Inputs[1 - operand]), Summed(node, known, 1 - operand));
                    marks.Dimensions[Summed(node, known, operand)] = other.Dimensions[summed]?.Select((_, k) => Math.Min(Fixed, other.At(summed, k))).ToArray();
                }

                _toOutput[from] = Distinct(_toOutput[from].Raised(marks));
            }
        }
    }

    /// <summary>Whether an operand matters where the others have their levels; at 0 is what the result is asked for.</summary>
    private static bool Passes(Operator known, int place, ReadOnlySpan<byte> levels) => known switch
    {
        { Scaled: not null } => place > 2 || levels[3 - place] != Zero,
        { Zeros: Zeros.OfAny } => !levels[1..place].Contains(Zero) && !levels[(place + 1)..].Contains(Zero),
        { Zeros: Zeros.OfFirst } => place == 1 || levels[1] != Zero,
        _ => true,
    };

    private void Backward(LayerProduct product, Marks asked)
    {
        var (node, name, data) = (product.Node, product.Node.Outputs[0], _fromInput[product.Data]);
        var inputs = product.HighestUnits(unit => product.Unit(asked, unit), _cancellation);
        foreach (var (operand, from) in Operands(node).Where(operand => _toOutput.ContainsKey(operand.Name)))
        {
            var marks = operand == product.Operand ? new Marks(data.Whole == Varying ? asked.Whole : Zero, new byte[]?[Shape(from).Length])
                : IndexLink.Backward(asked, Links(node, operand, 0), Shape(from), Shape(name));
            if (operand == product.DataOperand)
            {
                marks.Dimensions[product.Reads] = inputs;
            }
            else if (operand == product.Operand && product.Axes is { IsConvolution: false } && product.Makes is { } made)
            {
                // A weight that is shown in another form.
                var axes = OperatorCatalogue.Find(node)!.Weights.First(weight => weight.Input == operand).Axes(node, Shape(from).Length);
                marks.Dimensions[axes.Input] = data.Dimensions[product.Reads]?.Select((_, i) => data.At(product.Reads, i) == Varying ? Fixed : Zero).ToArray();
                marks.Dimensions[axes.Output] = asked.Dimensions[made];
            }

            _toOutput[from] = Distinct(_toOutput[from].Raised(marks.Settle()));
        }
    }
}
