using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>A matrix times one column, in a layout that its zeros allow.</summary>
internal unsafe interface IVectorProduct
{
    /// <summary>Floats that may be read beyond the inputs.</summary>
    const int Slack = 32;

    /// <summary>Outputs, with those that fill up the last vector.</summary>
    int Rows { get; }

    /// <summary>
    /// About what it takes, in steps of <see cref="BlockProduct"/> with vectors of 512 bits.
    /// </summary>
    double Cost { get; }

    /// <param name="x">The inputs.</param>
    /// <param name="y">Receives the results, and as many numbers more as fill up <see cref="Rows"/>.</param>
    /// <param name="relu">Whether negative results become zero.</param>
    void Run(float* x, float* y, bool relu);

    /// <summary>Outputs at a time with the widest vectors there are.</summary>
    static int Lanes => Avx512F.IsSupported ? 16 : Avx2.IsSupported ? 8 : 4;

    /// <summary>The layout that takes least.</summary>
    /// <param name="weights">The matrix, row by row.</param>
    /// <param name="bias">One for each row.</param>
    static IVectorProduct Of(float[] weights, float[] bias)
    {
        IVectorProduct best = new WindowProduct(weights, bias, Lanes);
        if (PatternProduct.CostOf(weights, bias.Length, Lanes) < best.Cost)
        {
            best = new PatternProduct(weights, bias, Lanes);
        }

        for (var lanes = 4; lanes <= (Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : 4); lanes *= 2)
        {
            foreach (var isOfInputs in (ReadOnlySpan<bool>)[false, true])
            {
                if (BlockProduct.CostOf(weights, bias.Length, lanes, isOfInputs) < best.Cost)
                {
                    best = new BlockProduct(weights, bias, lanes, isOfInputs);
                }
            }
        }

        return best;
    }
}
