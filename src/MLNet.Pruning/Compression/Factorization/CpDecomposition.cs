using MLNet.Pruning.Structure.Granularities;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>
/// The kernels of a convolution as a sum of products of a filter's, a channel's and a kernel's part (Lebedev et al. 2015, "Speeding-up Convolutional Neural
/// Networks Using Fine-tuned CP-Decomposition"; here the kernel stays whole): a mixing of channels, a kernel for each of them, a mixing. Found by
/// alternating least squares from the leading singular vectors.
/// </summary>
internal sealed class CpDecomposition : Decomposition
{
    /// <summary>Share of a mean diagonal that keeps the least squares from dividing by nothing.</summary>
    private const double Damping = 1e-12;

    private const double Settled = 1e-9;

    private const int Levels = 16;

    private readonly Dictionary<int, (Factors Factors, double Lost)> _fits = [];
    private readonly FactorizableLayer _layer;
    private readonly Tensor _kernels;
    private readonly double _energy;
    private readonly int _iterations;

    public CpDecomposition(FactorizableLayer layer, int iterations)
    {
        (_layer, _iterations, _kernels) = (layer, iterations, TuckerDecomposition.Kernels(layer));
        _energy = TuckerDecomposition.Energy(_kernels);
        var (filters, channels, positions) = (layer.Weight.Shape[0], layer.Weight.Shape[1], layer.KernelPositions);
        // The rank of a tensor is at most the product of its two smallest sizes; and beyond as many values as there are nothing gets smaller.
        long[] bounds = [(long)filters * channels, (long)filters * positions, (long)channels * positions,
            layer.Weight.Count / (filters + channels + positions)];
        Full = [(int)Math.Max(1, bounds.Min())];
    }

    public override ImmutableArray<int> Full { get; }

    public override IReadOnlyList<LayerPart> Parts(Node node, ImmutableArray<int> ranks) =>
    [
        TuckerDecomposition.Mixing(_layer, ranks[0], _layer.Weight.Shape[1]),
        new("Conv", 1, [ranks[0], 1, .. _layer.Weight.Shape.Skip(2)], node.Attributes.SetItem("group", (long)ranks[0])),
        TuckerDecomposition.Mixing(_layer, _layer.Weight.Shape[0], ranks[0]),
    ];

    public override double Lost(ImmutableArray<int> ranks) => Fit(ranks[0], default).Lost;

    public override Factors Compute(ImmutableArray<int> ranks, CancellationToken cancellation) => Fit(ranks[0], cancellation).Factors;

    /// <summary>By bisection: each fit is a run of least squares. One above the greatest rank where that keeps less.</summary>
    public override ImmutableArray<int> Keeping(double energy)
    {
        var (little, much) = (0, Full[0] + 1);
        while (much - little > 1)
        {
            var rank = (little + much) / 2;
            (little, much) = Lost([rank]) <= 1 - energy ? (little, rank) : (rank, much);
        }

        return [much];
    }

    /// <summary>That of the filters or of the channels, whichever is greater: their products have at least that rank.</summary>
    public override ImmutableArray<int>? AboveNoise()
    {
        using var scope = NewDisposeScope();
        var rank = Math.Max(VariationalRank.Of(TuckerDecomposition.Flat(_kernels, 0)), VariationalRank.Of(TuckerDecomposition.Flat(_kernels, 1)));
        return rank > 0 ? [rank] : null;
    }

    /// <summary>Few of all ranks: each takes a fit.</summary>
    public override IReadOnlyList<ImmutableArray<int>> Path(Func<ImmutableArray<int>, bool> isSmaller)
    {
        var all = base.Path(isSmaller);
        return [.. Enumerable.Range(0, Levels).Select(i => (int)Math.Round(Math.Pow(all.Count, 1 - i / (Levels - 1.0)))).Distinct()
            .Where(rank => rank >= 1 && rank <= all.Count).Select(rank => ImmutableArray.Create(rank))];
    }

    private (Factors Factors, double Lost) Fit(int rank, CancellationToken cancellation)
    {
        if (!_fits.TryGetValue(rank, out var fit))
        {
            _fits[rank] = fit = Run(rank, cancellation);
        }

        return fit;
    }

    private (Factors Factors, double Lost) Run(int rank, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        Tensor[] unfolded = [.. Enumerable.Range(0, 3).Select(mode => TuckerDecomposition.Flat(_kernels, mode))];
        Tensor[] factors = [.. unfolded.Select((matrix, mode) => Start(matrix, rank, mode))];
        var lost = 1.0;
        for (var iteration = 0; iteration < _iterations; iteration++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            for (var mode = 0; mode < 3; mode++)
            {
                Tensor[] others = [.. factors.Where((_, i) => i != mode)];
                var gram = others[0].t().matmul(others[0]) * others[1].t().matmul(others[1]);
                var diagonal = gram.diag().data<double>().ToArray();
                var mean = diagonal.Average();
                var damped = gram - tensor(Array.ConvertAll(diagonal, _ => -Damping * (mean > 0 ? mean : 1))).diag();
                factors[mode] = linalg.solve(damped, unfolded[mode].matmul(Products(others[0], others[1])).t()).t();
                // The last one carries the size.
                factors[mode] = mode < 2 ? Scaled(factors[mode], factors[mode], -1) : factors[mode];
            }

            var before = lost;
            var error = unfolded[2] - factors[2].matmul(Products(factors[0], factors[1]).t());
            lost = _energy > 0 ? TuckerDecomposition.Energy(error) / _energy : 0;
            factors = [.. factors.Select(factor => factor.MoveToOuterDisposeScope())];
            if (before - lost <= Settled * before)
            {
                break;
            }
        }

        // Factors of the same size train at the same pace.
        Tensor Share(int mode, double power) => Scaled(factors[mode], factors[2], power);
        return (new([TuckerDecomposition.Floats(Share(1, 1 / 3.0).t()), TuckerDecomposition.Floats(Share(2, -2 / 3.0).t()),
            TuckerDecomposition.Floats(Share(0, 1 / 3.0))], 1 - lost), lost);
    }

    /// <summary>The products of each row of one factor with each of another.</summary>
    private static Tensor Products(Tensor one, Tensor other) => einsum("ar,br->abr", one, other).flatten(0, 1);

    /// <summary>Columns times a power of the sizes of those of another factor; where such a one is of zeros as they are.</summary>
    private static Tensor Scaled(Tensor columns, Tensor by, double power)
        => columns * tensor(Array.ConvertAll(by.norm(0).data<double>().ToArray(), size => size > 0 ? Math.Pow(size, power) : 1));

    /// <summary>Leading singular vectors, and where there are too few numbers drawn at random, the same each time.</summary>
    private static Tensor Start(Tensor matrix, int rank, int mode)
    {
        var (u, _, _) = linalg.svd(matrix, fullMatrices: false);
        var missing = rank - (int)u.shape[1];
        if (missing <= 0)
        {
            return u.narrow(1, 0, rank);
        }

        var random = new Random(mode);
        return cat([u, tensor([.. Enumerable.Range(0, missing * (int)u.shape[0]).Select(_ => random.NextDouble() - 0.5)], [u.shape[0], missing])], 1);
    }
}
