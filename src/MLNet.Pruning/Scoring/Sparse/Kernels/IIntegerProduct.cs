namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>A matrix of small integers times columns of bytes, in a layout that its zeros allow.</summary>
internal unsafe interface IIntegerProduct
{
    /// <summary>Sums that are written for a column: the outputs, and as many more as fill up the last vector.</summary>
    int Rows { get; }

    /// <summary>Columns that take a step together.</summary>
    int Together { get; }

    /// <summary>Computes the sums of columns.</summary>
    /// <param name="x">The first column; <see cref="IntegerProduct.Slack"/> bytes behind the last may be read.</param>
    /// <param name="step">Bytes from one column to the next.</param>
    /// <param name="count">Columns.</param>
    /// <param name="sums">Receives the sums.</param>
    /// <param name="stride">From the sums of a column to those of the next.</param>
    void Run(byte* x, nint step, int count, int* sums, nint stride);

    /// <summary>The layout that takes least.</summary>
    /// <param name="weights">Outputs x inputs.</param>
    /// <param name="bias">One for each output.</param>
    /// <param name="offsets">Where each input is, in bytes from the first; from the first in memory to the last.</param>
    static IIntegerProduct Of(sbyte[] weights, int[] bias, int[] offsets)
        => IsOfPattern(weights, bias.Length, offsets) ? new IntegerPatternProduct(weights, bias, offsets[0], IntegerProduct.Lanes)
            : new IntegerProduct(weights, bias, offsets, IntegerProduct.Lanes);

    /// <summary>Whether <see cref="Of"/> takes the layout of N:M sparsity, for which outputs may stand in any order.</summary>
    static bool IsOfPattern(sbyte[] weights, int rows, int[] offsets)
        => offsets.Index().All(input => input.Item == offsets[0] + input.Index) && IntegerPatternProduct.Fits(weights, rows);
}
