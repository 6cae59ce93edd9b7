using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Operators;

namespace MLNet.Pruning.Evaluation;

/// <summary>A layer that is a sum of products with one weight: which unit of its result reads which index of its data.</summary>
internal sealed class LayerProduct
{
    /// <summary>Weights between two looks at whether to end.</summary>
    private const int Checked = 1 << 16;

    private readonly (int Output, int Input) _strides;
    private readonly int _groups;
    private readonly bool _isWithinGroup;

    private LayerProduct(LayerInfo layer, Parameter weight, Product product, int reads, int? makes)
    {
        (Node, Weight, Axes, Operand) = (layer.Node, weight, layer.Axes(weight), layer.Operand(weight.Name).Input);
        (Data, DataOperand, Reads, Makes) = (Node.Inputs[product.Data], product.Data, reads, makes);
        _strides = (Stride(Axes.Output), Stride(Axes.Input));
        _groups = Axes.IsConvolution ? (int)Node.Int("group", 1) : 1;
        // The weight of a transposed convolution has the outputs of a group, others have the inputs of one.
        _isWithinGroup = Axes.Input < Axes.Output;
        Units = Makes is null ? 1 : weight.Shape[Axes.Output] * (_isWithinGroup ? _groups : 1);
        Inputs = weight.Shape[Axes.Input] * (_isWithinGroup ? 1 : _groups);
    }

    public Node Node { get; }

    public Parameter Weight { get; }

    public WeightAxes Axes { get; }

    /// <summary>The operand that the weight is, or is shown as.</summary>
    public int Operand { get; }

    /// <summary>Name of what is multiplied.</summary>
    public string Data { get; }

    public int DataOperand { get; }

    /// <summary>The dimension of the data that is summed over.</summary>
    public int Reads { get; }

    /// <summary>The dimension of the result that the units are; null for a single unit that is none.</summary>
    public int? Makes { get; }

    public int Units { get; }

    public int Inputs { get; }

    /// <summary>The product that a layer is; null for one that is none, or that has an operand of unknown shape or of one dimension only.</summary>
    public static LayerProduct? Of(Network network, LayerInfo layer)
    {
        if (layer.Weights is not [var name] || layer.Node.Captured.Length > 0 || layer.Operand(name).Product is not { } product
            || network.Find(layer.Node.Inputs[product.Data]) is not { IsKnown: true, Shape.Length: >= 2 and var rank }
            || network.Find(layer.Node.Outputs[0]) is not { IsKnown: true } result)
        {
            return null;
        }

        var axes = layer.Axes(network[name]);
        return new(layer, network[name], product, Node.Resolve(product.Reads(layer.Node), rank),
            axes.Output == axes.Input ? null : Node.Resolve(product.Makes, result.Shape.Length));
    }

    /// <summary>The level of a unit in the result.</summary>
    public byte Unit(Marks result, int unit) => Makes is { } dimension ? result.At(dimension, unit) : result.Whole;

    /// <summary>Visits every weight that is not zero with the unit it belongs to and the index it reads.</summary>
    public void ForEachWeight(CancellationToken cancellation, Action<int, int> visit)
    {
        var shape = Weight.Shape;
        var values = Weight.Values;
        for (var i = 0; i < values.Length; i++)
        {
            if (i % Checked == 0)
            {
                cancellation.ThrowIfCancellationRequested();
            }

            if (values[i] != 0)
            {
                var (unit, input) = (Makes is null ? 0 : i / _strides.Output % shape[Axes.Output], i / _strides.Input % shape[Axes.Input]);
                if (_groups > 1)
                {
                    (unit, input) = _isWithinGroup ? (unit + (input / (Inputs / _groups) * shape[Axes.Output]), input)
                        : (unit, input + (unit / (Units / _groups) * shape[Axes.Input]));
                }

                visit(unit, input);
            }
        }
    }

    /// <summary>For each unit the highest level of an index that it reads with a weight other than zero.</summary>
    /// <param name="input">The level of an index.</param>
    /// <param name="cancellation">Ends the search.</param>
    public byte[] HighestInputs(Func<int, byte> input, CancellationToken cancellation) => Highest(ofUnits: true, input, cancellation);

    /// <summary>For each index of the data the highest level of a unit that reads it with a weight other than zero.</summary>
    /// <param name="unit">The level of a unit.</param>
    /// <param name="cancellation">Ends the search.</param>
    public byte[] HighestUnits(Func<int, byte> unit, CancellationToken cancellation) => Highest(ofUnits: false, unit, cancellation);

    private byte[] Highest(bool ofUnits, Func<int, byte> level, CancellationToken cancellation)
    {
        var (count, others) = ofUnits ? (Units, Inputs) : (Inputs, Units);
        var highest = new byte[count];
        if (_groups > 1 || Makes is null)
        {
            ForEachWeight(cancellation, (unit, index) =>
            {
                var (one, other) = ofUnits ? (unit, index) : (index, unit);
                highest[one] = Math.Max(highest[one], level(other));
            });
            return highest;
        }

        var (stride, otherStride) = ofUnits ? (_strides.Output, _strides.Input) : (_strides.Input, _strides.Output);
        Search(highest, stride, [.. Enumerable.Range(0, others).Select(level)], otherStride, cancellation);
        return highest;
    }

    /// <summary>Looks at the weights of each index until one of the highest level is found: of a dense layer, at the first.</summary>
    private void Search(byte[] highest, int stride, byte[] levels, int otherStride, CancellationToken cancellation)
    {
        var values = Weight.Values;
        var (most, looks) = (levels.DefaultIfEmpty().Max(), 0);
        for (var i = 0; i < highest.Length; i++)
        {
            for (var k = 0; k < values.Length / highest.Length && highest[i] < most; k++)
            {
                if (looks++ % Checked == 0)
                {
                    cancellation.ThrowIfCancellationRequested();
                }

                var place = (k / stride * highest.Length + i) * stride + k % stride;
                if (values[place] != 0)
                {
                    highest[i] = Math.Max(highest[i], levels[place / otherStride % levels.Length]);
                }
            }
        }
    }

    private int Stride(int dimension) => Weight.Shape.Skip(dimension + 1).Aggregate(1, (product, size) => product * size);
}
