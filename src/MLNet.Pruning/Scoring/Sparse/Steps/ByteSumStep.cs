using System.Numerics;
using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse.Steps;

/// <summary>Sums of two tensors of bytes that lie in the same order, rounded to bytes.</summary>
/// <param name="left">The first: its buffer, how it lies there, and what its bytes stand for.</param>
/// <param name="right">The second.</param>
/// <param name="output">The sum.</param>
/// <param name="relu">Whether negative results become zero.</param>
internal sealed unsafe class ByteSumStep((int Buffer, ByteLayout Layout, ByteGrid Grid) left, (int Buffer, ByteLayout Layout, ByteGrid Grid) right,
    (int Buffer, ByteLayout Layout, ByteGrid Grid) output, bool relu) : SparseStep
{
    public override string Kernel => "elementwise";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
    {
        var (from, other, to) = (left.Layout, right.Layout, output.Layout);
        var a = (byte*)memory[left.Buffer];
        var b = (byte*)memory[right.Buffer];
        var sum = (byte*)memory[output.Buffer];
        if (!to.IsImage)
        {
            for (var i = 0; i < memory.Count; i++)
            {
                Sum(a + (nint)i * from.Length, b + (nint)i * other.Length, sum + (nint)i * to.Length, to.Position);
            }

            return;
        }

        // What is written beyond a row is written again by the next, or is margin.
        for (var y = 0; y < to.Height; y++)
        {
            Sum(a + from.Start + (nint)y * from.Pitch, b + other.Start + (nint)y * other.Pitch, sum + to.Start + (nint)y * to.Pitch, to.Width * to.Position);
        }

        to.FillMargins(sum, output.Grid.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sum(byte* a, byte* b, byte* sum, int count)
    {
        var (first, second) = (left.Grid.Scale / output.Grid.Scale, right.Grid.Scale / output.Grid.Scale);
        var fixedPart = new Vector<float>(output.Grid.Zero - (first * left.Grid.Zero + second * right.Grid.Zero));
        for (var i = 0; i < count; i += ByteRounding.Block)
        {
            Vector.Widen(Vector.Load(a + i), out var low, out var high);
            Vector.Widen(Vector.Load(b + i), out var otherLow, out var otherHigh);
            Vector.Widen(low, out var a0, out var a1);
            Vector.Widen(high, out var a2, out var a3);
            Vector.Widen(otherLow, out var b0, out var b1);
            Vector.Widen(otherHigh, out var b2, out var b3);
            ByteRounding.Round(Of(a0, b0), Of(a1, b1), Of(a2, b2), Of(a3, b3), 0, relu ? output.Grid.Zero : (byte)0).Store(sum + i);
        }

        Vector<float> Of(Vector<uint> x, Vector<uint> y)
            => fixedPart + Vector.ConvertToSingle(Vector.AsVectorInt32(x)) * first + Vector.ConvertToSingle(Vector.AsVectorInt32(y)) * second;
    }
}

/// <summary>The average of each channel of an image of bytes, rounded to bytes.</summary>
/// <param name="input">Buffer of what it reads.</param>
/// <param name="output">Buffer of what it gives.</param>
/// <param name="from">How what it reads lies.</param>
/// <param name="to">How what it gives lies: channels in the same order.</param>
/// <param name="read">What the bytes stand for that it reads.</param>
/// <param name="given">What those stand for that it gives.</param>
internal sealed unsafe class ByteAverageStep(int input, int output, ByteLayout from, ByteLayout to, ByteGrid read, ByteGrid given) : SparseStep
{
    public override string Kernel => "pooling";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
    {
        var source = (byte*)memory[input] + from.Start;
        var target = (byte*)memory[output] + to.Start;
        var count = from.Height * from.Width;
        var start = new Vector<int>(-read.Zero * count);
        var scale = read.Scale / (given.Scale * count);
        // What is read beyond the channels is of the next position, or margin; what is written beyond them is margin.
        for (var channel = 0; channel < from.Position; channel += ByteRounding.Block)
        {
            var (a, b, c, d) = (start, start, start, start);
            for (var y = 0; y < from.Height; y++)
            {
                var next = source + (nint)y * from.Pitch + channel;
                for (var x = 0; x < from.Width; x++, next += from.Position)
                {
                    Vector.Widen(Vector.Load(next), out var low, out var high);
                    Vector.Widen(low, out var first, out var second);
                    Vector.Widen(high, out var third, out var fourth);
                    (a, b) = (a + Vector.AsVectorInt32(first), b + Vector.AsVectorInt32(second));
                    (c, d) = (c + Vector.AsVectorInt32(third), d + Vector.AsVectorInt32(fourth));
                }
            }

            ByteRounding.Round(Vector.ConvertToSingle(a) * scale, Vector.ConvertToSingle(b) * scale, Vector.ConvertToSingle(c) * scale,
                Vector.ConvertToSingle(d) * scale, given.Zero, 0).Store(target + channel);
        }

        to.FillMargins((byte*)memory[output], given.Zero);
    }
}
