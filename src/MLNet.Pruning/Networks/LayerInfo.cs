using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Networks;

/// <summary>One node of a network with what it owns and what it costs.</summary>
internal sealed class LayerInfo
{
    private readonly NetworkGraph _graph;
    private readonly Work _work = Work.None;

    public LayerInfo(NetworkGraph graph, Node node)
    {
        (Node, _graph) = (node, graph);
        string[] parameters = [.. node.Inputs.Concat(node.Captured).Where(input => graph.Place(input) is not null)];
        Dictionary<string, Use> uses = [];
        foreach (var use in Uses(graph, node))
        {
            var least = use.Operand.LeastDimensions;
            if (use.View.Dimensions.Length < least)
            {
                // Behind an operator that is not known, no shape tells it.
                throw new ArgumentException($"Layer '{node.Name}' ({node.Operator}) has the weight '{use.View.Parameter}' of {use.View.Dimensions.Length} "
                    + $"dimensions; expected at least {least}.");
            }

            uses.TryAdd(use.View.Parameter, use);
        }

        // Most layers have none of this: they share what is empty.
        if (parameters.Length > 0 || uses.Count > 0)
        {
            _work = new(parameters, [.. uses.Keys], uses, OpenCount.Zero, OpenCount.Zero, null);
        }

        if (node.Domain.Length == 0 && node.Captured.IsEmpty && node.Outputs.Any(output => output.Length > 0)
            && node.Inputs.Concat(node.Outputs).All(tensor => graph.Find(tensor)?.IsKnown != false))
        {
            if (Weights.Length > 0)
            {
                var positions = Positions(graph, node);
                _work = _work with { Positions = positions, MultiplyAdds = positions * Weights.Sum(weight => (long)graph.Parameter(weight)!.Count) };
            }
            else if (Products(graph, node) is { IsZero: false } multiplyAdds)
            {
                _work = _work with { MultiplyAdds = multiplyAdds };
            }
        }
        else if (CarriedShapes.IsGroupedQueries(node) && GroupedProducts(graph, node) is { } products)
        {
            _work = _work with { MultiplyAdds = products };
        }
        else if (node.Domain.Length > 0 || node.Captured.Length > 0 || Weights.Length > 0 || node.Operator is "MatMul" or "Gemm" or "If" or "Loop" or "Scan")
        {
            var reason = CarriedShapes.IsGroupedQueries(node) ? "the number of steps, of those before or of values of a head is not known"
                : node.Domain.Length > 0 ? "its operator is not analysed"
                : node.Captured.Length > 0 || node.Operator is "If" or "Loop" or "Scan" ? "it runs graphs of its own"
                : $"the shape of '{node.Inputs.Concat(node.Outputs).FirstOrDefault(tensor => graph.Find(tensor)?.IsKnown == false)}' is not known";
            _work = _work with { Positions = OpenCount.Unknown, MultiplyAdds = OpenCount.Unknown, NotCounted = reason };
        }
    }

    public Node Node { get; }

    /// <summary>Names of the parameters, weight first; with those that branches and bodies read.</summary>
    public IReadOnlyList<string> Parameters => _work.Parameters;

    public ImmutableArray<TensorInfo> Outputs => [.. Node.Outputs.Where(output => output.Length > 0).Select(output => _graph.Tensors[output])];

    public TensorInfo Output => Outputs[0];

    /// <summary>
    /// Names of the weights that multiply what the layer reads: one, or two of a recurrent layer, or all of the branches of an If; none for layers without. One
    /// that the layer reads transposed, or in another type or shape, counts as it is.
    /// </summary>
    public ImmutableArray<string> Weights => _work.Weights;

    /// <summary>How often each weight is used for one row: the number of positions of a convolution, of steps of a recurrent layer.</summary>
    public OpenCount PositionsPerWeight => _work.Positions;

    /// <summary>Multiplications with a weight, or in a product of two tensors, for one row.</summary>
    public OpenCount MultiplyAdds => _work.MultiplyAdds;

    /// <summary>Why its multiplications cannot be counted; null where they are.</summary>
    public string? NotCounted => _work.NotCounted;

    /// <summary>What the dimensions of one of the <see cref="Weights"/> are, which ONNX stores differently from operator to operator.</summary>
    public WeightAxes Axes(Parameter weight)
    {
        var (node, operand, view) = _work.Uses[weight.Name];
        var seen = operand.Axes(node, view.Dimensions.Length);
        return seen with { Output = view.Dimensions[seen.Output], Input = view.Dimensions[seen.Input] };
    }

    /// <summary>Those of a weight as the layer that multiplies with it reads it; outputs x inputs, or filters x channels x kernel, where none does.</summary>
    public static WeightAxes Axes(LayerInfo? layer, Parameter parameter)
        => layer?.Axes(parameter) ?? new(0, Math.Min(1, parameter.Shape.Length - 1), parameter.Shape.Length > 2);

    /// <summary>How the layer multiplies with one of the <see cref="Weights"/>.</summary>
    public WeightOperand Operand(string weight) => _work.Uses[weight].Operand;

    /// <summary>Where the node, or one in its branches and bodies, multiplies with a weight.</summary>
    private static IEnumerable<Use> Uses(NetworkGraph graph, Node node)
    {
        if (node.Captured.IsEmpty)
        {
            return Uses(node, graph.Parameter, graph.Producer);
        }

        var inner = SubgraphNodes.Of(node).ToArray();
        var producers = inner.SelectMany(one => one.Outputs.Select(output => (output, one))).DistinctBy(pair => pair.output)
            .ToDictionary(pair => pair.output, pair => pair.one);
        return inner.SelectMany(one => Uses(one, graph.Parameter, name => producers.GetValueOrDefault(name) ?? graph.Producer(name)));
    }

    private static IEnumerable<Use> Uses(Node node, Func<string, Parameter?> parameter, Func<string, Node?> producer)
    {
        WeightView? At(int input) => node.Input(input) is { } name ? WeightView.Of(name, parameter, producer) : null;
        return from operand in OperatorCatalogue.Find(node)?.Weights ?? []
               let view = At(operand.Input)
               where view is not null && !(operand.Product is { } product && At(product.Data) is not null)
               let use = new Use(node, operand, view)
               where !IsBetweenDimensions(use)
               select use;
    }

    /// <summary>Whether a dimension that the layer makes or reads is none of the parameter's own.</summary>
    private static bool IsBetweenDimensions(Use use) => use.View.Dimensions.TakeLast(2).Concat(use.View.Dimensions.Take(2)).Any(d => d < 0);

    private OpenCount Positions(NetworkGraph graph, Node node) => Weights.Length == 0 ? OpenCount.Zero
        : Size(graph, _work.Uses[Weights[0]].Operand.Positions(graph.Find(node.Inputs[0])!.Shape, Output.Shape, _work.Uses[Weights[0]].View.Dimensions.Length));

    private OpenCount Products(NetworkGraph graph, Node node) => node.Operator switch
    {
        "MatMul" => Size(graph, [.. Output.Shape, graph.Find(node.Inputs[0])!.Shape[^1]]),
        "Gemm" => Size(graph, [.. Output.Shape, graph.Find(node.Inputs[0])!.Shape[node.Int("transA", 0) == 1 ? 0 : 1]]),
        _ => OpenCount.Zero,
    };

    /// <summary>
    /// Of each step with all before it and each now, for the scores and for the sums of values: as many as the node is told where that is a constant,
    /// else those of the past and its own.
    /// </summary>
    private static OpenCount? GroupedProducts(NetworkGraph graph, Node node)
    {
        var (heads, past) = (node.Int("num_heads", 0), node.Input(CarriedShapes.PastKeys));
        if (heads <= 0 || graph.Find(node.Inputs[0]) is not { IsKnown: true, Shape: [_, var steps, _] }
            || graph.Find(node.Outputs[0]) is not { IsKnown: true, Shape: [_, _, var width] })
        {
            return null;
        }

        int[] lengths = node.Input(CarriedShapes.Total) is { } total && graph.Constant(total) is { Values: [> 0 and <= int.MaxValue and var all] }
            ? [(int)all]
            : past is null ? [steps]
            : graph.Find(past) is { IsKnown: true, Shape: [_, _, var before, _] } ? [before, steps] : [];
        return lengths.Length == 0 ? null
            : lengths.Aggregate(OpenCount.Zero, (sum, length) => sum + OpenCount.Product(graph.Symbols, [steps, length, width]) * 2);
    }

    private static OpenCount Size(NetworkGraph graph, IEnumerable<int> sizes) => OpenCount.Product(graph.Symbols, sizes);

    /// <summary>What most layers have none of.</summary>
    private sealed record Work(IReadOnlyList<string> Parameters, ImmutableArray<string> Weights, IReadOnlyDictionary<string, Use> Uses, OpenCount Positions,
        OpenCount MultiplyAdds, string? NotCounted)
    {
        public static Work None { get; } = new([], [], FrozenDictionary<string, Use>.Empty, OpenCount.Zero, OpenCount.Zero, null);
    }

    /// <param name="Node">The node that multiplies: the layer's own, or one in its branches and bodies.</param>
    /// <param name="Operand">Which of its operands the weight is, and what it does with it.</param>
    /// <param name="View">The weight as it reads it.</param>
    private sealed record Use(Node Node, WeightOperand Operand, WeightView View);
}
