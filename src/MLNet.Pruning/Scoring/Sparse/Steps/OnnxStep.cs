using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse.Steps;

/// <summary>Nodes that have no managed form, or are faster without, in ONNX Runtime: over one image, or over the rows of a batch.</summary>
internal sealed class OnnxStep : SparseStep
{
    private readonly Network _part;
    private readonly ImmutableArray<Operand> _inputs;
    private readonly ImmutableArray<Operand> _outputs;

    /// <param name="part">The nodes as a network of their own.</param>
    /// <param name="inputs">What it reads, in the order of its inputs.</param>
    /// <param name="outputs">What it gives, in the order of its outputs.</param>
    public OnnxStep(Network part, ImmutableArray<Operand> inputs, ImmutableArray<Operand> outputs) => (_part, _inputs, _outputs) = (part, inputs, outputs);

    public override string Kernel => "ONNX Runtime";

    public override void Run(SparseMemory memory, int row)
    {
        var isOfImage = _inputs[0].Planes is not null;
        var bound = memory.State(this, static step => new Bound((OnnxStep)step));
        var rows = isOfImage ? 1 : memory.Count;
        for (var i = 0; i < _inputs.Length; i++)
        {
            Gather(memory, _inputs[i], bound.Inputs[i], rows);
        }

        bound.Run(rows);
        for (var i = 0; i < _outputs.Length; i++)
        {
            Spread(memory, _outputs[i], bound.Outputs[i], isOfImage ? row : null, rows);
        }
    }

    private static void Gather(SparseMemory memory, Operand operand, Span<float> values, int rows)
    {
        var source = memory.Span(operand.Buffer);
        if (operand.Planes is { } planes)
        {
            PlaneCopy.Gather(source, planes, values, 1);
            return;
        }

        var stride = memory.Stride;
        for (var row = 0; row < rows; row++)
        {
            for (var i = 0; i < operand.Shape[1]; i++)
            {
                values[row * operand.Shape[1] + i] = source[i * stride + row];
            }
        }
    }

    private static unsafe void Spread(SparseMemory memory, Operand operand, Span<float> values, int? image, int rows)
    {
        var target = memory.Span(operand.Buffer);
        if (operand.Planes is { } planes)
        {
            PlaneCopy.Spread(values, target, planes);
        }
        else if (image is { } column)
        {
            for (var i = 0; i < operand.Shape[1]; i++)
            {
                target[i * memory.Stride + (memory.Stride == 1 ? 0 : column)] = values[i];
            }
        }
        else
        {
            fixed (float* from = values)
            {
                Transposition.Run(from, operand.Shape[1], rows, memory[operand.Buffer], memory.Stride);
            }
        }
    }

    /// <summary>A tensor that it reads or gives.</summary>
    /// <param name="Buffer">Where it is.</param>
    /// <param name="Planes">How an image of it lies there; null for rows.</param>
    /// <param name="Shape">Its shape.</param>
    internal sealed record Operand(int Buffer, Planes? Planes, ImmutableArray<int> Shape)
    {
        public int RowSize => Shape.Skip(1).Aggregate(1, (product, size) => product * size);
    }

    /// <summary>A session with the memory that it reads and writes, of one scorer.</summary>
    private sealed class Bound : IDisposable
    {
        private readonly OnnxStep _step;
        private readonly OnnxSession _session;
        private readonly Dictionary<int, BoundRun> _runs = [];

        public Bound(OnnxStep step)
        {
            _step = step;
            _session = OnnxSession.Rent(step._part, 1, out var refusal, isPart: true)
                ?? throw new NotSupportedException($"ONNX Runtime does not run the part of the network from node '{step.Name}' on: {refusal}");
            var rows = step._inputs[0].Planes is null ? SparseMemory.Panel : 1;
            float[] Memory(Operand operand) => GC.AllocateUninitializedArray<float>(rows * operand.RowSize, pinned: true);
            (Inputs, Outputs) = ([.. step._inputs.Select(Memory)], [.. step._outputs.Select(Memory)]);
        }

        public float[][] Inputs { get; }

        public float[][] Outputs { get; }

        public void Run(int rows)
        {
            if (!_runs.TryGetValue(rows, out var run))
            {
                IReadOnlyList<(Memory<float>, long[])> Places(ImmutableArray<Operand> operands, float[][] memory)
                    => [.. operands.Zip(memory, (operand, place) => (place.AsMemory(0, rows * operand.RowSize),
                        (long[])[rows, .. operand.Shape.Skip(1).Select(size => (long)size)]))];
                _runs.Add(rows, run = new(_session, rows, Places(_step._inputs, Inputs), Places(_step._outputs, Outputs)));
            }

            run.Run();
        }

        public void Dispose()
        {
            foreach (var run in _runs.Values)
            {
                run.Dispose();
            }

            _session.Return();
        }
    }
}
