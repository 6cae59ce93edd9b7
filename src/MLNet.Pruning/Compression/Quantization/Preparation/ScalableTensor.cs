using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Compression.Quantization.Preparation;

/// <summary>
/// A tensor whose units (channels, neurons) can be divided by any positive numbers without a change to what the network computes: what makes them and is
/// added to them is divided, the weights that read them are multiplied, and all between passes a positive factor on.
/// </summary>
/// <param name="Maker">The node that makes it.</param>
/// <param name="Units">How many.</param>
/// <param name="Made">What makes them: a layer's weight, or the scale of a normalisation.</param>
/// <param name="Shifts">What is added to them: biases.</param>
/// <param name="Readers">The weights that read them, with the tensors that they multiply.</param>
internal sealed record ScalableTensor(Node Maker, int Units, UnitSlices Made, ImmutableArray<UnitSlices> Shifts,
    ImmutableArray<(UnitSlices Weight, UnitSlices Data)> Readers)
{
    /// <summary>Operators that give c times the result for c times what they read first, c above zero, unit by unit.</summary>
    private static readonly FrozenSet<string> s_homogeneous = FrozenSet.Create("Relu", "LeakyRelu", "PRelu", "Abs", "Neg", "Identity", "Dropout");

    private static readonly FrozenSet<string> s_pooling = FrozenSet.Create("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool");
    private static readonly FrozenSet<string> s_reshaping = FrozenSet.Create("Flatten", "Reshape", "Squeeze", "Unsqueeze");

    /// <summary>Whether a layer makes it, and no normalisation.</summary>
    public bool IsOfLayer => OperatorCatalogue.Find(Maker)!.Weights.Count > 0;

    /// <summary>Whether dense layers alone read it.</summary>
    public bool IsReadByDense(Network network) => Readers.All(reader => network[reader.Weight.Name].Shape.Length == 2);

    /// <summary>All of a network, in its order.</summary>
    /// <param name="network">The network, with values.</param>
    public static IReadOnlyList<ScalableTensor> All(Network network)
    {
        var layers = network.Layers.ToDictionary(layer => layer.Node);
        return [.. network.Nodes.Select(node => new Walk(network, layers).From(node)).OfType<ScalableTensor>()];
    }

    /// <summary>The network with units divided.</summary>
    /// <param name="network">A network of the graph that it was found in.</param>
    /// <param name="factors">What each unit is divided by; above 0.</param>
    public Network Divide(Network network, double[] factors) => network.WithParameters(
    [
        .. Shifts.Prepend(Made).Select(parameter => parameter.Times(network, unit => 1 / factors[unit])),
        .. Readers.Select(reader => reader.Weight.Times(network, unit => factors[unit])),
    ]);

    /// <summary>Goes from what makes a tensor to all that reads it.</summary>
    private sealed class Walk(Network network, Dictionary<Node, LayerInfo> layers)
    {
        private readonly HashSet<string> _tensors = [];
        private readonly List<UnitSlices> _shifts = [];
        private readonly List<(UnitSlices, UnitSlices)> _readers = [];
        private int _units;

        public ScalableTensor? From(Node node)
        {
            if (node.Domain.Length > 0 || node.Captured.Length > 0 || HasMore(node) || network.Find(node.Outputs[0]) is not { IsKnown: true, Shape: var shape })
            {
                return null;
            }

            if (Source(node, shape.Length) is not ({ } made, var dimension))
            {
                return null;
            }

            _units = made.Units.Length;
            var bias = node.Operator == "Mul" ? null : node.Input(2);
            return shape[dimension] == _units && (bias is null || Shift(bias, dimension, dimension + 1))
                && Follow(node.Outputs[0], new(dimension, 1)) && _readers.Count > 0 ? new(node, _units, made, [.. _shifts], [.. _readers]) : null;
        }

        /// <summary>The parameter that makes the units of what a node computes, and the dimension of that.</summary>
        private (UnitSlices? Made, int Dimension) Source(Node node, int rank)
        {
            if (OperatorCatalogue.Find(node) is { Scaled: { } scaled })
            {
                return IsOwn(node.Inputs[1]) && network[node.Inputs[1]].Shape is [var count]
                    ? (new(node.Inputs[1], 0, [.. Enumerable.Range(0, count)]), Node.Resolve(scaled, rank)) : default;
            }

            if (node.Operator == "Mul")
            {
                return node.Inputs.FirstOrDefault(IsOwn) is { } scale && network[scale].Shape is var sizes && sizes.Count(size => size > 1) == 1
                    && sizes.IndexOf(sizes.Max()) is var own ? (new(scale, own, [.. Enumerable.Range(0, sizes[own])]), rank - sizes.Length + own) : default;
            }

            return Layer(node) is { } layer && network[layer.Weights[0]] is var weight && layer.Axes(weight).Output is var made
                && layer.Operand(weight.Name).Product!.Makes is var makes
                ? (new(weight.Name, made, [.. Enumerable.Range(0, weight.Shape[made])]), Node.Resolve(makes, rank)) : default;
        }

        /// <summary>The layer of a node that multiplies what it reads with a weight of its own.</summary>
        private LayerInfo? Layer(Node node) => node.Operator is "Conv" or "Gemm" or "MatMul" && node.Int("transA", 0) == 0
            && layers[node] is { Weights: [var weight] } layer && IsOwn(weight) && layer.Operand(weight).Input == 1
            && (node.Operator == "Conv" || network[weight].Shape.Length == 2) ? layer : null;

        /// <summary>Whether a parameter of floats is one operand of one node alone.</summary>
        private bool IsOwn(string name) => network.Parameter(name) is { Type: TensorType.Float, Grid: null }
            && network.Consumers(name).ToArray() is [var only] && only.Inputs.Count(input => input == name) == 1 && !network.Graph.Outputs.Contains(name);

        /// <summary>Goes on to what reads a tensor; false where that does not pass factors on.</summary>
        private bool Follow(string tensor, UnitPlace place)
        {
            _tensors.Add(tensor);
            return !network.Graph.Outputs.Contains(tensor) && network.Find(tensor)!.IsKnown
                && network.Consumers(tensor).All(node => Passes(node, tensor, place));
        }

        private bool Passes(Node node, string tensor, UnitPlace place)
        {
            if (node.Domain.Length > 0 || node.Captured.Length > 0 || HasMore(node) || node.Inputs.Count(_tensors.Contains) != 1
                || network.Find(node.Outputs[0]) is not { IsKnown: true, Shape: var to })
            {
                return false;
            }

            var (from, first) = (network.Find(tensor)!.Shape, node.Inputs[0] == tensor);
            var next = node.Operator switch
            {
                "Add" or "Sub" when place.In(from, to) is { } sum => Shift(node.Inputs[first ? 1 : 0], sum.Dimension, to.Length, sum.Inner) ? sum : null,
                "Mul" => place.In(from, to),
                _ when !first => null,
                "Div" => place.In(from, to),
                "Clip" when IsHalfOpen(node) => place,
                "Transpose" => place with { Dimension = Transposed(node, from.Length, place.Dimension) },
                "ReduceMean" or "ReduceSum" or "ReduceMax" when node.Inputs.Length == 1 => place.Without(
                    [.. OperatorCatalogue.Find(node)!.Over!(node, from.Length, network.Graph.Opset)], node.Int("keepdims", 1) == 1),
                var name when s_homogeneous.Contains(name) => place.In(from, to),
                var name when s_pooling.Contains(name) => place.Dimension == 1 ? place : null,
                var name when s_reshaping.Contains(name) && node.Inputs.Length == 1 => place.Reshaped(from, to, _units),
                _ => null,
            };
            return next is { } found ? Follow(node.Outputs[0], found) : first && Read(node, tensor, from, place);
        }

        private bool Read(Node node, string tensor, ImmutableArray<int> shape, UnitPlace place)
        {
            if (Layer(node) is not { } layer)
            {
                return false;
            }

            var (weight, axes) = (network[layer.Weights[0]], layer.Axes(network[layer.Weights[0]]));
            var groups = axes.IsConvolution ? node.Int("group", 1) : 1;
            // In groups, the same place of a weight reads a channel of each; but for one channel in each.
            if (Node.Resolve(layer.Operand(weight.Name).Product!.Reads(node), shape.Length) != place.Dimension || groups > 1 && weight.Shape[axes.Input] > 1)
            {
                return false;
            }

            var units = Of(place.Inner, shape[place.Dimension]);
            var perChannel = groups > 1 ? weight.Shape[axes.Output] / units.Length : 1;
            _readers.Add((new(weight.Name, groups > 1 ? axes.Output : axes.Input, [.. units.SelectMany(unit => Enumerable.Repeat(unit, perChannel))]),
                new(tensor, place.Dimension, units)));
            return true;
        }

        /// <summary>Whether what is added has a value of its own for each unit.</summary>
        /// <param name="name">What is added.</param>
        /// <param name="dimension">That of the units in the sum.</param>
        /// <param name="rank">Dimensions of the sum that it is aligned to from the right.</param>
        /// <param name="inner">Neighbours of one unit.</param>
        private bool Shift(string name, int dimension, int rank, int inner = 1)
        {
            if (!IsOwn(name) || network[name].Shape is var shape && dimension - rank + shape.Length is var own && own < 0 || shape[own] == 1 && _units > 1)
            {
                return false;
            }

            _shifts.Add(new(name, own, Of(inner, shape[own])));
            return true;
        }

        private int[] Of(int inner, int size) => [.. Enumerable.Range(0, size).Select(i => i / inner % _units)];

        private static bool HasMore(Node node) => node.Outputs.Skip(1).Any(output => output.Length > 0);

        private static bool IsHalfOpen(Node node) => node.Inputs.Length == 1
            && node.Float("min", float.MinValue) is 0 or float.MinValue or float.NegativeInfinity
            && node.Float("max", float.MaxValue) is 0 or float.MaxValue or float.PositiveInfinity;

        private static int Transposed(Node node, int rank, int dimension)
            => Array.IndexOf(node.Ints("perm", [.. Enumerable.Range(0, rank).Reverse().Select(d => (long)d)]), dimension);
    }
}
