using System.Numerics;
using System.Numerics.Tensors;
using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse.Steps;

/// <summary>Lays out the channels of an image as a row of values.</summary>
/// <param name="input">Buffer of what it reads.</param>
/// <param name="output">Buffer of what it gives.</param>
/// <param name="planes">The channels.</param>
internal sealed class FlattenStep(int input, int output, Planes planes) : SparseStep
{
    public override string Kernel => "copy";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
        => PlaneCopy.Gather(memory.Span(input), planes, memory.Span(output)[(memory.Stride == 1 ? 0 : row)..], memory.Stride);
}

/// <summary>The average, or the largest, of each channel of an image.</summary>
/// <param name="input">Buffer of what it reads.</param>
/// <param name="output">Buffer of what it gives.</param>
/// <param name="planes">The channels.</param>
/// <param name="isAverage">Whether it gives averages.</param>
internal sealed unsafe class GlobalPoolingStep(int input, int output, Planes planes, bool isAverage) : SparseStep
{
    public override string Kernel => "pooling";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
    {
        var target = memory.Span(output)[(memory.Stride == 1 ? 0 : row)..];
        for (var channel = 0; channel < planes.Channels; channel++)
        {
            var source = memory[input] + (nint)channel * planes.Stride + planes.Start;
            target[channel * memory.Stride] = isAverage ? Sum(source) / (planes.Height * planes.Width) : Largest(source);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private float Sum(float* source)
    {
        if (planes.Width < Vector<float>.Count)
        {
            var sum = 0f;
            for (var y = 0; y < planes.Height; y++, source += planes.Pitch)
            {
                for (var column = 0; column < planes.Width; column++)
                {
                    sum += source[column];
                }
            }

            return sum;
        }

        // Column by column: sums of one do not wait for those of another.
        var (sums, x) = (Vector<float>.Zero, 0);
        for (; x <= planes.Width - Vector<float>.Count; x += Vector<float>.Count)
        {
            sums += Columns(source + x);
        }

        if (x < planes.Width)
        {
            // The last with some before them, which are left out.
            var last = planes.Width - Vector<float>.Count;
            sums += Vector.ConditionalSelect(Vector.LessThan(Vector<int>.Indices, new(x - last)).As<int, float>(), Vector<float>.Zero, Columns(source + last));
        }

        return Vector.Sum(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector<float> Columns(float* source)
    {
        var sum = Vector<float>.Zero;
        for (var y = 0; y < planes.Height; y++, source += planes.Pitch)
        {
            sum += Vector.Load(source);
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private float Largest(float* source)
    {
        var largest = *source;
        for (var y = 0; y < planes.Height; y++, source += planes.Pitch)
        {
            for (var x = 0; x < planes.Width; x++)
            {
                largest = MathF.Max(largest, source[x]);
            }
        }

        return largest;
    }
}

/// <summary>Sums of two tensors, or the positive part of one.</summary>
/// <param name="left">The first: its buffer, and how its images lie there; null for rows.</param>
/// <param name="right">The second; null for none.</param>
/// <param name="output">The result.</param>
/// <param name="floats">Floats of an image or a row of the result.</param>
/// <param name="relu">Whether negative results become zero.</param>
internal sealed class SumStep((int Buffer, Planes? Planes) left, (int Buffer, Planes? Planes)? right, (int Buffer, Planes? Planes) output, int floats,
    bool relu) : SparseStep
{
    public override string Kernel => "elementwise";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
    {
        if (left.Planes == output.Planes && (right is null || right.Value.Planes == output.Planes))
        {
            Sum(memory, 0, 0, 0, floats * (output.Planes is null ? memory.Stride : 1));
            return;
        }

        var (from, to) = (left.Planes!, output.Planes!);
        var other = right?.Planes ?? from;
        to.ClearMargins(memory.Span(output.Buffer));
        for (var channel = 0; channel < to.Channels; channel++)
        {
            for (var y = 0; y < to.Height; y++)
            {
                Sum(memory, channel * from.Stride + from.Start + y * from.Pitch, channel * other.Stride + other.Start + y * other.Pitch,
                    channel * to.Stride + to.Start + y * to.Pitch, to.Width);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sum(SparseMemory memory, int first, int second, int result, int length)
    {
        ReadOnlySpan<float> from = memory.Span(left.Buffer).Slice(first, length);
        var to = memory.Span(output.Buffer).Slice(result, length);
        if (right is { } other)
        {
            TensorPrimitives.Add(from, memory.Span(other.Buffer).Slice(second, length), to);
            from = to;
        }

        if (relu)
        {
            TensorPrimitives.Max(from, 0f, to);
        }
    }
}
