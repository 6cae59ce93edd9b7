using System.Runtime.Intrinsics;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>What a sparse convolution takes for a vector of positions, in loads of a vector at a cache line: measured on 3 x 3 windows.</summary>
/// <param name="Weights">Non-zeros.</param>
/// <param name="Moved">Sums over a column of a filter's window that would be moved to the column of the result.</param>
/// <param name="Columns">Columns of the window that are read from different places.</param>
internal readonly record struct ConvolutionWork(int Weights, int Moved, int Columns)
{
    /// <summary>A load from anywhere: most lie across two cache lines.</summary>
    private const double Anywhere = 1.5;

    /// <summary>What it takes to clear and to move a sum.</summary>
    private const double Move = 2.2;

    /// <summary>Whether the processor has vectors for which it matters: those of 512 bits are as long as a cache line.</summary>
    public static bool IsAligned => Vector512.IsHardwareAccelerated;

    /// <summary>What it takes as each weight is read, wherever rows lie.</summary>
    public double InPlace => Weights * (Columns > 1 ? Anywhere : 1);

    /// <summary>What it takes where rows lie at cache lines, so that sums may be moved.</summary>
    public double Aligned => IsMoved ? WithMoves : InPlace;

    /// <summary>Whether sums are better moved, where rows lie at cache lines.</summary>
    public bool IsMoved => IsAligned && WithMoves < InPlace;

    private double WithMoves => Weights + Move * Moved;

    /// <param name="weights">Filters x channels x height x width.</param>
    /// <param name="filters">How many.</param>
    /// <param name="window">The window.</param>
    public static ConvolutionWork Of(ReadOnlySpan<float> weights, int filters, ConvolutionWindow window)
    {
        int[] moves = [.. Enumerable.Range(0, window.Width).Select(window.Move)], distinct = [.. moves.Distinct()];
        var (count, moved) = (0, 0);
        var filled = new bool[distinct.Length];
        for (var (filter, size) = (0, weights.Length / filters); filter < filters; filter++)
        {
            Array.Clear(filled);
            for (var i = 0; i < size; i++)
            {
                if (weights[filter * size + i] != 0)
                {
                    count++;
                    filled[Array.IndexOf(distinct, moves[i % window.Width])] = true;
                }
            }

            moved += filled.Where((isFilled, column) => isFilled && distinct[column] != 0).Count();
        }

        return new(count, moved, distinct.Length);
    }
}
