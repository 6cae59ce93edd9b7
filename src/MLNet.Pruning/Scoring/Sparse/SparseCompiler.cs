using System.Collections.Frozen;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Scoring.Sparse.Kernels;
using MLNet.Pruning.Scoring.Sparse.Steps;

namespace MLNet.Pruning.Scoring.Sparse;

/// <summary>Makes a <see cref="SparseProgram"/> of a network.</summary>
internal sealed partial class SparseCompiler
{
    private readonly Network _network;
    private readonly List<SparseOperation> _operations;
    private readonly Dictionary<string, Tensor> _tensors = [];
    private readonly List<SparseBuffer> _buffers = [];
    private readonly List<int> _free = [];
    private readonly List<SparseStep> _images = [];
    private readonly List<SparseStep> _rows = [];
    private readonly FrozenDictionary<int, int> _pitches;

    private SparseCompiler(Network network, List<SparseOperation> operations)
        => (_network, _operations, _pitches) = (network, operations, Pitches(network, operations));

    /// <summary>The program of a network; null where it has none.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="elsewhere">Names of layers that are left to ONNX Runtime.</param>
    /// <param name="refusal">Why it has none; null where it has.</param>
    public static SparseProgram? Compile(Network network, IReadOnlySet<string> elsewhere, out string? refusal)
    {
        var form = InferenceForm.Of(network).FoldBatchNorm();
        if (form.Inputs is not [{ IsKnown: true, Type: TensorType.Float, Shape: [TensorInfo.Batch, > 0] or [TensorInfo.Batch, > 0, > 0, > 0] }])
        {
            refusal = $"it reads {string.Join(", ", form.Inputs)}, not rows of values or images";
            return null;
        }

        if (form.Output is not { IsKnown: true, Shape: [TensorInfo.Batch, > 0] })
        {
            refusal = $"it gives '{form.Output}', not rows of values";
            return null;
        }

        var operations = SparseGraph.Of(form, elsewhere);
        if (!operations.Any(operation => operation.Kind is SparseKind.Dense or SparseKind.Convolution or SparseKind.Integer))
        {
            refusal = "it has no dense layer and no convolution that managed code computes";
            return null;
        }

        return new SparseCompiler(form, operations).Compile(out refusal);
    }

    private SparseProgram? Compile(out string? refusal)
    {
        refusal = null;
        var input = _network.Input;
        if (!IsRoundedAtOnce)
        {
            Bring(input.Name, input.Shape);
        }

        for (var i = 0; i < _operations.Count; i++)
        {
            if (!Add(_operations[i]))
            {
                refusal = $"node '{_operations[i].Node.Name}' ({_operations[i].Node.Operator}) reads or gives neither rows of values nor images, or both at "
                    + "once";
                return null;
            }

            Release(i);
        }

        return new([.. _images], [.. _rows], [.. _buffers], input.RowSize, _network.Output.RowSize, _tensors[_network.Output.Name].Buffer);
    }

    /// <summary>A tensor in memory.</summary>
    /// <param name="Buffer">Where it is.</param>
    /// <param name="Planes">How its images lie there; null for values of rows.</param>
    /// <param name="Floats">Its size for an image or a row.</param>
    /// <param name="Bytes">How its bytes lie there; null for floats.</param>
    private sealed record Tensor(int Buffer, Planes? Planes, int Floats, ByteLayout? Bytes = null)
    {
        public bool IsOfImage => Planes is not null || Bytes is { IsImage: true };
    }

    /// <summary>The network's input, as what reads it first wants it: a vector that is only reshaped becomes an image at once.</summary>
    private void Bring(string name, ImmutableArray<int> shape)
    {
        var planes = shape.Length == 4 ? Layout(name, shape, 0) : null;
        var tensor = planes is null ? Rows(shape[1]) : Image(planes);
        _tensors[name] = tensor;
        (planes is null ? _rows : _images).Add(new ReadStep(tensor.Buffer, _network.Find(name)!.RowSize, planes) { Name = name });
    }

    private bool Add(SparseOperation operation)
    {
        if (operation.Kind == SparseKind.Quantize && operation.Input == _network.Input.Name && IsRoundedAtOnce)
        {
            AddQuantize(operation, null);
            return true;
        }

        if (!operation.Inputs.All(_tensors.ContainsKey))
        {
            return false;
        }

        var (from, shape) = (_tensors[operation.Input], _network.Find(operation.Output)!.Shape);
        switch (operation.Kind)
        {
            case SparseKind.Dense when from.Planes is null && shape.Length == 2:
                var weight = _network[operation.Node.Inputs[1]];
                var dense = Rows(shape[1]);
                Add(operation, dense, new DenseStep(from.Buffer, dense.Buffer, OutputsByInputs(operation.Node, weight), Bias(operation, shape[1]),
                    operation.Relu)
                {
                    Name = operation.Node.Name, Part = () => Part(operation),
                });
                return true;

            case SparseKind.Convolution when from.Planes is { } planes && (operation.Addend is null || _tensors[operation.Addend].Planes is not null):
                AddConvolution(operation, from, planes, shape);
                return true;

            case SparseKind.Pooling when from.Planes is { } planes:
                var to = Layout(operation.Output, shape, 0);
                var pooled = Image(to);
                var row = Take(planes.Width, isOfImage: true);
                Add(operation, pooled, new PoolingStep(from.Buffer, pooled.Buffer, row, (planes, to), ConvolutionWindow.Of(operation.Node,
                    [.. operation.Node.Ints("kernel_shape").Select(size => (int)size)])!, operation.Node.Operator == "AveragePool",
                    operation.Node.Int("count_include_pad", 0) == 1) { Name = operation.Node.Name });
                _free.Add(row);
                return true;

            case SparseKind.GlobalPooling when from.Planes is { } planes:
                var channels = Rows(planes.Channels);
                Add(operation, channels, new GlobalPoolingStep(from.Buffer, channels.Buffer, planes, operation.Node.Operator == "GlobalAveragePool")
                {
                    Name = operation.Node.Name,
                });
                return true;

            case SparseKind.Elementwise:
                var other = operation.Addend is { } addend ? _tensors[addend] : from;
                if (other.Planes is null != from.Planes is null)
                {
                    return false;
                }

                var sum = from.Planes is null ? Rows(from.Floats) : Image(Layout(operation.Output, shape, 0));
                Add(operation, sum, Sum(from, operation.Addend is null ? null : other, sum, operation));
                return true;

            // A vector stays what it is, an image that stays one too.
            case SparseKind.Reshape when from.Planes is null && shape.Skip(2).All(size => size == 1)
                || from.Planes is not null && shape.SequenceEqual(_network.Find(operation.Input)!.Shape):
                _tensors[operation.Output] = from;
                return true;

            case SparseKind.Reshape when from.Planes is { } planes && shape.Skip(2).All(size => size == 1):
                var flat = Rows(shape[1]);
                Add(operation, flat, new FlattenStep(from.Buffer, flat.Buffer, planes) { Name = operation.Node.Name });
                return true;

            // Rows that become images before anything else reads them.
            case SparseKind.Reshape when operation.Input == _network.Input.Name && _images.Count == 0 && _rows.Count == 1 && shape.Length == 4
                && _network.Consumers(operation.Input).Count() == 1:
                _rows.Clear();
                Bring(operation.Output, shape);
                return true;

            case SparseKind.Quantize or SparseKind.Dequantize or SparseKind.Integer or SparseKind.BytePooling or SparseKind.ByteAverage
                or SparseKind.ByteSum or SparseKind.ByteReshape:
                return AddInteger(operation, from, shape);

            case SparseKind.Other:
                return AddOther(operation);

            default:
                return false;
        }
    }

    /// <summary>A step in ONNX Runtime, over images or over rows.</summary>
    private bool AddOther(SparseOperation operation)
    {
        if (!operation.Inputs.All(_tensors.ContainsKey) || operation.Inputs.Select(name => _tensors[name].Planes is null).Distinct().Count() != 1
            || operation.Inputs.Concat(operation.Outputs).Any(name => _network.Find(name) is not
                { IsKnown: true, Type: TensorType.Float, Shape: [TensorInfo.Batch, > 0] or [TensorInfo.Batch, > 0, > 0, > 0] })
            || _tensors[operation.Input].Planes is null && operation.Outputs.Any(name => _network.Find(name)!.Shape.Length == 4))
        {
            return false;
        }

        foreach (var output in operation.Outputs)
        {
            var shape = _network.Find(output)!.Shape;
            _tensors[output] = shape.Length == 4 ? Image(Layout(output, shape, 0)) : Rows(shape[1]);
        }

        OnnxStep.Operand Operand(string name) => new(_tensors[name].Buffer, _tensors[name].Planes, _network.Find(name)!.Shape);
        (_tensors[operation.Input].Planes is null ? _rows : _images).Add(
            new OnnxStep(Part(operation), [.. operation.Inputs.Select(Operand)], [.. operation.Outputs.Select(Operand)]) { Name = operation.Node.Name });
        return true;
    }

    /// <summary>The nodes of an operation as a network of their own.</summary>
    private Network Part(SparseOperation operation) => new((_network.Parts with
    {
        Nodes = operation.Nodes,
        Inputs = [.. operation.Inputs.Select(name => _network.Find(name)!)],
        Outputs = operation.Outputs,
        AsRead = false,
    }).Needed());

    private void AddConvolution(SparseOperation operation, Tensor from, Planes planes, ImmutableArray<int> shape)
    {
        var weight = _network[operation.Node.Inputs[1]];
        var window = ConvolutionWindow.Of(operation.Node, [.. weight.Shape.Skip(2)])!;
        // What is added lies as the result does. Else the result's rows lie as far apart as those that are read, so that these can be read in place; or as the
        // image taken apart needs.
        var to = operation.Addend is { } addend ? _tensors[addend].Planes! : Layout(operation.Output, shape, planes.Pitch);
        var convolution = new ConvolutionShape(planes, to, window);
        if (operation.Addend is null && !convolution.IsDirect)
        {
            to = Layout(operation.Output, shape, Pitch(shape[3], shape[3] + window.Reach));
            convolution = new(planes, to, window);
        }

        // Rows of what is added lie too near each other for the image taken apart: the sum is a step of its own.
        if (!convolution.IsDirect && to.Pitch < to.Width + window.Reach)
        {
            var alone = Layout(operation.Nodes[0].Outputs[0], shape, Pitch(shape[3], shape[3] + window.Reach));
            var product = Convolve(operation with { Relu = false, Inputs = [operation.Input] }, from, new(planes, alone, window), shape);
            var total = Image(to);
            Add(operation, total, Sum(product, _tensors[operation.Addend!], total, operation));
            _free.Add(product.Buffer);
            return;
        }

        Convolve(operation, from, convolution, shape);
    }

    private Tensor Convolve(SparseOperation operation, Tensor from, ConvolutionShape convolution, ImmutableArray<int> shape)
    {
        var tensor = Image(convolution.Output);
        var apart = convolution.IsDirect ? -1 : Take(convolution.ApartLength, isOfImage: true);
        Add(operation, tensor, new ConvolutionStep(from.Buffer, tensor.Buffer, operation.Addend is null ? -1 : _tensors[operation.Addend].Buffer, apart,
            convolution, _network[operation.Node.Inputs[1]].Array, Bias(operation, shape[1]), operation.Relu)
            { Name = operation.Node.Name, Part = () => Part(operation) });
        if (apart >= 0)
        {
            _free.Add(apart);
        }

        return tensor;
    }

    private static SumStep Sum(Tensor left, Tensor? right, Tensor output, SparseOperation operation)
        => new((left.Buffer, left.Planes), right is null ? null : (right.Buffer, right.Planes), (output.Buffer, output.Planes), output.Floats, operation.Relu)
        {
            Name = operation.Nodes.Last(node => node.Operator is "Add" or "Relu").Name,
        };

    private void Add(SparseOperation operation, Tensor output, SparseStep step)
    {
        _tensors[operation.Output] = output;
        (_tensors[operation.Input].IsOfImage ? _images : _rows).Add(step);
    }

    /// <summary>How the images of a tensor lie: with as much room around them as the convolutions that read it, or what it is added to, want.</summary>
    private Planes Layout(string tensor, ImmutableArray<int> shape, int pitch)
    {
        var margin = Summed(tensor).SelectMany(other => _operations.Where(operation => operation.Kind == SparseKind.Convolution && operation.Input == other))
            .Select(operation => ConvolutionWindow.Of(operation.Node, [.. _network[operation.Node.Inputs[1]].Shape.Skip(2)])!)
            .Where(window => window is { RowStep: 1, ColumnStep: 1 }).Select(window => window.Margin).DefaultIfEmpty(0).Max();
        return new(shape[1], shape[2], shape[3], margin, Math.Max(pitch, Pitch(shape[3], shape[3] + margin)));
    }

    /// <summary>The tensors that lie as one does, since they are added to it or are its sums with others.</summary>
    private HashSet<string> Summed(string tensor)
    {
        var found = new HashSet<string> { tensor };
        while (true)
        {
            var before = found.Count;
            foreach (var operation in _operations.Where(operation => operation.Addend is not null || operation.Kind == SparseKind.Elementwise))
            {
                string?[] alike = [operation.Output, operation.Addend, operation.Kind == SparseKind.Elementwise ? operation.Input : null];
                if (alike.Any(name => name is not null && found.Contains(name)))
                {
                    found.UnionWith(alike.OfType<string>());
                }
            }

            if (found.Count == before)
            {
                return found;
            }
        }
    }

    private float[] Bias(SparseOperation operation, int outputs)
        => operation.Bias is not { } name ? new float[outputs]
            : _network[name].Count == outputs ? _network[name].Array : [.. Enumerable.Repeat(_network[name].Array[0], outputs)];

    private static float[] OutputsByInputs(Node node, Parameter weight)
    {
        if (node.Operator == "Gemm" && node.Int("transB", 0) == 1)
        {
            return weight.Array;
        }

        var (inputs, outputs) = (weight.Shape[0], weight.Shape[1]);
        var turned = new float[weight.Count];
        for (var input = 0; input < inputs; input++)
        {
            for (var output = 0; output < outputs; output++)
            {
                turned[output * inputs + input] = weight.Array[input * outputs + output];
            }
        }

        return turned;
    }

    private Tensor Image(Planes planes) => new(Take(planes.Length, isOfImage: true), planes, planes.Length);

    // Vectors are written up to the next whole one.
    private Tensor Rows(int values) => new(Take((values + 15) / 16 * 16, isOfImage: false), null, values);

    /// <summary>A buffer of at least a size that nothing else needs at the time.</summary>
    private int Take(int floats, bool isOfImage)
    {
        var fit = _free.Where(buffer => _buffers[buffer].IsOfImage == isOfImage).OrderBy(buffer => Math.Abs((long)_buffers[buffer].Floats - floats)).ToList();
        if (fit.Count == 0)
        {
            _buffers.Add(new(floats, isOfImage));
            return _buffers.Count - 1;
        }

        _free.Remove(fit[0]);
        _buffers[fit[0]] = new(Math.Max(floats, _buffers[fit[0]].Floats), isOfImage);
        return fit[0];
    }

    /// <summary>Gives back the buffers of what no later operation reads.</summary>
    private void Release(int place)
    {
        var needed = _operations.Skip(place + 1).SelectMany(operation => operation.Inputs).Append(_network.Output.Name).Where(_tensors.ContainsKey)
            .Select(name => _tensors[name].Buffer).ToHashSet();
        _free.AddRange(_tensors.Values.Select(tensor => tensor.Buffer).Distinct().Where(buffer => !needed.Contains(buffer) && !_free.Contains(buffer)));
    }
}
