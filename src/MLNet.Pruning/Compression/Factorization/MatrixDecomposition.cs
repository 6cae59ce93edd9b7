using MLNet.Pruning.Structure.Granularities;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>
/// A matrix W projected on the leading ones of orthonormal directions of its outputs: U U' W. By its own singular vectors that is the nearest matrix of the
/// rank (Eckart &amp; Young 1936, "The Approximation of One Matrix by Another of Lower Rank"); by the principal directions of its outputs W x, the one
/// whose outputs are nearest.
/// </summary>
internal class MatrixDecomposition : Decomposition
{
    private readonly Tensor? _mean;

    /// <param name="form">How the weight is a matrix.</param>
    /// <param name="matrix">The matrix.</param>
    /// <param name="directions">Outputs x full rank, orthonormal.</param>
    /// <param name="values">Root of the energy of each, falling.</param>
    /// <param name="mean">Mean of the outputs, which is kept as it is; null where the outputs are approximated with it.</param>
    public MatrixDecomposition(MatrixForm form, Tensor matrix, Tensor directions, double[] values, Tensor? mean = null)
        => (Form, Matrix, Directions, Values, _mean, Full) = (form, matrix, directions, values, mean, [values.Length]);

    public override ImmutableArray<int> Full { get; }

    public override bool Shifts => _mean is not null;

    protected MatrixForm Form { get; }

    protected Tensor Matrix { get; }

    protected Tensor Directions { get; }

    protected double[] Values { get; }

    /// <summary>By the weight alone; its tensors belong to the caller's dispose scope.</summary>
    public static MatrixDecomposition Of(MatrixForm form)
    {
        var matrix = form.Read();
        var (u, s, _) = linalg.svd(matrix, fullMatrices: false);
        return new(form, matrix, u, [.. s.data<double>()]);
    }

    /// <summary>The same matrix by factors without negative values.</summary>
    public NonNegativeDecomposition NonNegative(int iterations) => new(Form, Matrix, Directions, Values, iterations);

    public override IReadOnlyList<LayerPart> Parts(Node node, ImmutableArray<int> ranks) => Form.Parts(node, ranks[0]);

    public override double Lost(ImmutableArray<int> ranks) => Tail(Values, ranks[0]);

    public override ImmutableArray<int> Keeping(double energy) => [Leading(Values, energy)];

    public override ImmutableArray<int>? AboveNoise() => VariationalRank.Of(Matrix) is > 0 and var rank ? [rank] : null;

    public override Factors Compute(ImmutableArray<int> ranks, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var left = Directions.narrow(1, 0, ranks[0]);
        var right = left.t().matmul(Matrix);
        // Factors of the same size, direction by direction, train at the same pace.
        var scale = Array.ConvertAll(right.norm(1).data<double>().ToArray(), size => size > 0 ? Math.Sqrt(size) : 1);
        var (grow, shrink) = (tensor(scale), tensor(Array.ConvertAll(scale, size => 1 / size)).unsqueeze(1));
        return new(Form.Write(left * grow, right * shrink), 1 - Lost(ranks))
        {
            Shift = _mean is null ? null : [.. (_mean - left.matmul(left.t().matmul(_mean))).data<double>()],
        };
    }
}
