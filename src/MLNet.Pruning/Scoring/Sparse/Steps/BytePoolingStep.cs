using System.Runtime.Intrinsics;
using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Scoring.Sparse.Steps;

/// <summary>The largest byte of each window, channel by channel.</summary>
/// <param name="input">Buffer of what it reads.</param>
/// <param name="output">Buffer of what it gives.</param>
/// <param name="from">How what it reads lies.</param>
/// <param name="to">How what it gives lies: channels in the same order.</param>
/// <param name="window">The window, undilated; its padding is less than itself.</param>
/// <param name="zero">The byte that is zero.</param>
internal sealed unsafe class BytePoolingStep(int input, int output, ByteLayout from, ByteLayout to, ConvolutionWindow window, byte zero) : SparseStep
{
    public override string Kernel => "pooling";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
    {
        var source = (byte*)memory[input] + from.Start;
        var target = (byte*)memory[output] + to.Start;
        for (var y = 0; y < to.Height; y++)
        {
            var (top, bottom) = Range(y * window.RowStep - window.Top, window.Height, from.Height);
            for (var x = 0; x < to.Width; x++)
            {
                var (left, right) = Range(x * window.ColumnStep - window.Left, window.Width, from.Width);
                // What is written beyond the channels is written again by the next position, or is margin.
                for (var channel = 0; channel < from.Position; channel += Vector128<byte>.Count)
                {
                    var largest = Vector128<byte>.Zero;
                    for (var r = top; r < bottom; r++)
                    {
                        var next = source + (nint)r * from.Pitch + left * from.Position + channel;
                        for (var c = left; c < right; c++, next += from.Position)
                        {
                            largest = Vector128.Max(largest, Vector128.Load(next));
                        }
                    }

                    largest.Store(target + (nint)y * to.Pitch + x * to.Position + channel);
                }
            }
        }

        to.FillMargins((byte*)memory[output], zero);
    }

    /// <summary>The part of a window that lies within the image.</summary>
    private static (int First, int Last) Range(int start, int length, int size) => (Math.Max(0, start), Math.Min(size, start + length));
}

/// <summary>Puts the bytes of an image, as they lie, where rows of values are.</summary>
/// <param name="input">Buffer of the image.</param>
/// <param name="output">Buffer of the rows.</param>
/// <param name="length">Bytes of an image.</param>
internal sealed unsafe class ByteFlattenStep(int input, int output, int length) : SparseStep
{
    public override string Kernel => "copy";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SparseMemory memory, int row)
        => new ReadOnlySpan<byte>(memory[input], length).CopyTo(new((byte*)memory[output] + (memory.Stride == 1 ? 0 : (nint)row * length), length));
}
