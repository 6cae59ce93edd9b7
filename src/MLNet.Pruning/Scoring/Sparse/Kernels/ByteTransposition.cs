using System.Buffers.Binary;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>Images of bytes between channel by channel and all channels of a position side by side.</summary>
internal static unsafe class ByteTransposition
{
    /// <summary>Rows and columns of a block.</summary>
    public const int Block = 8;

    /// <summary>Turns rows into columns.</summary>
    /// <param name="from">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="columns">Bytes of a row.</param>
    /// <param name="stride">From one row to the next.</param>
    /// <param name="to">Where the first column goes.</param>
    /// <param name="step">From one column to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(byte* from, int rows, int columns, nint stride, byte* to, nint step)
    {
        if (rows == 1 && step == 1)
        {
            new ReadOnlySpan<byte>(from, columns).CopyTo(new(to, columns));
            return;
        }

        if (rows < Block || columns < Block)
        {
            for (var column = 0; column < columns; column++)
            {
                for (var row = 0; row < rows; row++)
                {
                    to[column * step + row] = from[row * stride + column];
                }
            }

            return;
        }

        // The last block overlaps the one before where the sizes are no multiples.
        for (var row = 0; row < rows; row += Block)
        {
            var first = Math.Min(row, rows - Block);
            for (var column = 0; column < columns; column += Block)
            {
                var start = Math.Min(column, columns - Block);
                Turn(from + first * stride + start, stride, to + start * step + first, step);
            }
        }
    }

    /// <summary>Swaps quarters, then quarters of these, then bytes (Warren, "Hacker's Delight", 7-3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn(byte* from, nint stride, byte* to, nint step)
    {
        var (a, b, c, d) = (Load(from), Load(from + stride), Load(from + 2 * stride), Load(from + 3 * stride));
        var (e, f, g, h) = (Load(from + 4 * stride), Load(from + 5 * stride), Load(from + 6 * stride), Load(from + 7 * stride));
        const ulong halves = 0x00000000FFFFFFFF, quarters = 0x0000FFFF0000FFFF, eighths = 0x00FF00FF00FF00FF;
        Swap(ref a, ref e, 32, halves);
        Swap(ref b, ref f, 32, halves);
        Swap(ref c, ref g, 32, halves);
        Swap(ref d, ref h, 32, halves);
        Swap(ref a, ref c, 16, quarters);
        Swap(ref b, ref d, 16, quarters);
        Swap(ref e, ref g, 16, quarters);
        Swap(ref f, ref h, 16, quarters);
        Swap(ref a, ref b, 8, eighths);
        Swap(ref c, ref d, 8, eighths);
        Swap(ref e, ref f, 8, eighths);
        Swap(ref g, ref h, 8, eighths);
        Store(to, a);
        Store(to + step, b);
        Store(to + 2 * step, c);
        Store(to + 3 * step, d);
        Store(to + 4 * step, e);
        Store(to + 5 * step, f);
        Store(to + 6 * step, g);
        Store(to + 7 * step, h);
    }

    /// <summary>Swaps the high part of one with the low part of the other, in every field of twice the bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Swap(ref ulong first, ref ulong second, int bits, ulong low)
    {
        var changed = ((first >> bits) ^ second) & low;
        second ^= changed;
        first ^= changed << bits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load(byte* from)
        => BitConverter.IsLittleEndian ? Unsafe.ReadUnaligned<ulong>(from) : BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(byte* to, ulong value)
        => Unsafe.WriteUnaligned(to, BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value));
}
