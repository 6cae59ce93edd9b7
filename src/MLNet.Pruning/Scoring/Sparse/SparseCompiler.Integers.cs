using MLNet.Pruning.Scoring.Sparse.Kernels;
using MLNet.Pruning.Scoring.Sparse.Steps;

namespace MLNet.Pruning.Scoring.Sparse;

/// <summary>Operations of bytes.</summary>
internal sealed partial class SparseCompiler
{
    /// <summary>Whether rows are rounded as they come: all that reads them is one QuantizeLinear.</summary>
    private bool IsRoundedAtOnce => _network.Consumers(_network.Input.Name).Count() == 1 && _operations.Any(operation
        => operation.Kind == SparseKind.Quantize && operation.Input == _network.Input.Name);

    private bool AddInteger(SparseOperation operation, Tensor from, ImmutableArray<int> shape)
    {
        switch (operation.Kind)
        {
            case SparseKind.Quantize:
                AddQuantize(operation, from);
                return true;

            case SparseKind.Dequantize:
                var floats = shape.Length == 4 ? Image(Layout(operation.Output, shape, 0)) : Rows(shape[1]);
                Add(operation, floats, new DequantizeStep(from.Buffer, from.Bytes!, ByteGrid.Of(_network, operation.Node)!.Value, floats.Buffer, floats.Planes)
                {
                    Name = operation.Node.Name,
                });
                return true;

            case SparseKind.BytePooling:
                var pooled = Bytes(operation.Output, shape, from.Bytes!.Places);
                Add(operation, pooled, new BytePoolingStep(from.Buffer, pooled.Buffer, from.Bytes, pooled.Bytes!, SparseGraph.PoolingWindow(operation.Node)!,
                    ByteGrid.Of(_network, operation.Nodes[^1])!.Value.Zero) { Name = operation.Node.Name });
                return true;

            case SparseKind.ByteAverage:
                var averages = Bytes(operation.Output, shape, from.Bytes!.Places);
                Add(operation, averages, new ByteAverageStep(from.Buffer, averages.Buffer, from.Bytes, averages.Bytes!, Source(operation.Node.Inputs[0]),
                    ByteGrid.Of(_network, operation.Nodes[^1])!.Value) { Name = operation.Node.Name });
                return true;

            case SparseKind.ByteSum when _tensors[operation.Addend!].Bytes is { } other && other.Places.SequenceEqual(from.Bytes!.Places):
                var sum = Bytes(operation.Output, shape, other.Places);
                Add(operation, sum, new ByteSumStep((from.Buffer, from.Bytes, Source(operation.Node.Inputs[0])),
                    (_tensors[operation.Addend!].Buffer, other, Source(operation.Node.Inputs[1])),
                    (sum.Buffer, sum.Bytes!, ByteGrid.Of(_network, operation.Nodes[^1])!.Value), operation.Relu) { Name = operation.Node.Name });
                return true;

            case SparseKind.ByteReshape when !from.IsOfImage || shape.Length == 4:
                _tensors[operation.Output] = from;
                return true;

            // Not those around which a convolution wants a margin.
            case SparseKind.ByteReshape when from.Bytes is { Margin: 0 } image:
                var flat = Bytes(image.Flat());
                Add(operation, flat, new ByteFlattenStep(from.Buffer, flat.Buffer, image.Length) { Name = operation.Node.Name });
                return true;

            case SparseKind.Integer:
                AddLayer(operation, from, shape);
                return true;

            default:
                return false;
        }
    }

    private void AddQuantize(SparseOperation operation, Tensor? from)
    {
        var shape = _network.Find(operation.Output)!.Shape;
        var width = shape.Skip(1).Aggregate(1, (product, size) => product * size);
        var bytes = Bytes(operation.Output, shape, [.. Enumerable.Range(0, shape[1])]);
        var values = Take(width, isOfImage: true);
        _tensors[operation.Output] = bytes;
        (bytes.IsOfImage ? _images : _rows).Add(new QuantizeStep(from?.Buffer, from?.Planes, bytes.Buffer, values, width, bytes.Bytes!,
            ByteGrid.Of(_network, operation.Node)!.Value) { Name = operation.Node.Name });
        _free.Add(values);
    }

    private void AddLayer(SparseOperation operation, Tensor from, ImmutableArray<int> shape)
    {
        var (layer, layout, outputs) = (operation.Node, from.Bytes!, shape[1]);
        var weight = _network[layer.Inputs[1]];
        var grid = Source(layer.Inputs[0]);
        var window = layer.Operator == "Conv" ? ConvolutionWindow.Of(layer, [.. weight.Shape.Skip(2)]) : null;
        int[] offsets = window is null ? [.. layout.Places] : [.. layout.Places.SelectMany(place => Enumerable.Range(0, window.Height * window.Width).Select(tap
            => tap / window.Width * window.RowDilation * layout.Pitch + tap % window.Width * window.ColumnDilation * layout.Position + place))];
        var integers = IntegerGraph.Integers(layer, weight)!.Chunk(Math.Max(1, offsets.Length)).ToArray();
        // What the zero of the inputs adds to each sum goes off with the bias.
        var bias = operation.Bias is { } name && _network[name] is var values ? values.Grid!.Quantize(values.Values, values.Shape)! : new long[outputs];
        var round = operation.Nodes[^1].Operator == "QuantizeLinear" ? ByteGrid.Of(_network, operation.Nodes[^1]) : null;
        var scales = weight.Grid!.Scales;
        // Those with as many non-zeros as each other together, but for bytes that are added to others, which lie in the order of the network; and for patterns,
        // which gain nothing by it, while the next layer's may be lost.
        var isOrdered = IsSummed(operation.Output) || (window is null && IIntegerProduct.IsOfPattern([.. integers.SelectMany(row => row)], outputs, offsets));
        int[] order = [.. Enumerable.Range(0, outputs).OrderByDescending(output => isOrdered ? 0 : integers[output].Count(integer => integer != 0))];
        var step = (window?.ColumnStep ?? 0) * layout.Position;
        var columns = window is null || round is null ? 1 : IntegerStep.PositionsOf(outputs, step, shape[3]);
        var product = Product([.. order.Select(output => integers[output])],
            [.. order.Select(output => (int)bias[output] - grid.Zero * integers[output].Sum(integer => integer))], offsets, columns, step);
        // In the order of the standard's kernels, so that the same products come out.
        float[] factors = [.. order.Select(output => grid.Scale * scales[output % scales.Length] / (round?.Scale ?? 1))];
        var places = new int[outputs];
        for (var i = 0; i < outputs; i++)
        {
            places[order[i]] = i;
        }

        var sums = Take(IntegerStep.SumsOf(product), isOfImage: true);
        var given = round is not null ? Bytes(operation.Output, shape, [.. places])
            : shape.Length == 4 ? Image(Layout(operation.Output, shape, 0)) : Rows(outputs);
        Add(operation, given, new IntegerStep((from.Buffer, layout), window, (product, columns), factors, order, round is { } to
            ? (given.Buffer, given.Bytes!, to.Zero) : null, round is null ? (given.Buffer, given.Planes) : null, sums, operation.Relu) { Name = layer.Name });
        _free.Add(sums);
    }

    /// <summary>A product whose columns are several positions of an image: its outputs are those of the first, then those of the next.</summary>
    private static IIntegerProduct Product(sbyte[][] weights, int[] bias, int[] offsets, int positions, int step)
    {
        int[] read = [.. Enumerable.Range(0, positions).SelectMany(position => offsets.Select(offset => offset + position * step)).Distinct().Order()];
        var rows = new sbyte[positions * weights.Length * read.Length];
        for (var row = 0; row < positions * weights.Length; row++)
        {
            for (var i = 0; i < offsets.Length; i++)
            {
                rows[row * read.Length + Array.BinarySearch(read, offsets[i] + row / weights.Length * step)] = weights[row % weights.Length][i];
            }
        }

        return IIntegerProduct.Of(rows, [.. Enumerable.Repeat(bias, positions).SelectMany(values => values)], read);
    }

    /// <summary>What the bytes stand for that a node reads as floats.</summary>
    private ByteGrid Source(string tensor) => ByteGrid.Of(_network, _network.Producer(tensor)!)!.Value;

    /// <summary>Whether bytes are added to others, which have to lie in the same order: as they are, or when a pooling has moved them.</summary>
    private bool IsSummed(string tensor) => _operations.Any(operation => operation.Inputs.Contains(tensor) && (operation.Kind == SparseKind.ByteSum
        || operation.Kind is SparseKind.BytePooling or SparseKind.ByteAverage or SparseKind.ByteReshape && IsSummed(operation.Output)));

    /// <summary>Memory for a tensor of bytes: images have as much margin as the convolutions that read them want.</summary>
    private Tensor Bytes(string tensor, ImmutableArray<int> shape, ImmutableArray<int> places) => Bytes(shape.Length == 2 ? new(false, 1, 1, 0, places)
        : new ByteLayout(true, shape[2], shape[3], _operations.Where(operation => operation is { Kind: SparseKind.Integer, Node.Operator: "Conv" }
            && operation.Input == tensor).Select(operation
                => ConvolutionWindow.Of(operation.Node, [.. _network[operation.Node.Inputs[1]].Shape.Skip(2)])!.Margin).DefaultIfEmpty(0).Max(), places));

    private Tensor Bytes(ByteLayout layout)
    {
        var floats = layout.Length / sizeof(float);
        return new(Take(floats, layout.IsImage), null, floats, layout);
    }
}
