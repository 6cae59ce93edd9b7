using MLNet.Pruning.Structure.Granularities;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>
/// The kernels of a convolution between fewer channels, with a mixing of channels before and behind (Kim et al. 2016, "Compression of Deep Convolutional Neural
/// Networks for Fast and Low Power Mobile Applications"). Starts at the leading singular vectors of the weight unfolded by channels and by filters, and
/// improves one side after the other (De Lathauwer et al. 2000, "On the Best Rank-1 and Rank-(R1, ..., RN) Approximation of Higher-Order Tensors").
/// </summary>
internal sealed class TuckerDecomposition : Decomposition
{
    private const int Rounds = 20;
    private const double Settled = 1e-7;

    private readonly FactorizableLayer _layer;

    /// <summary>Filters x channels x positions.</summary>
    private readonly Tensor _kernels;

    /// <summary>Singular values and vectors by mode: channels, then filters.</summary>
    private readonly (double[] Values, Tensor Vectors)[] _modes;

    public TuckerDecomposition(FactorizableLayer layer)
    {
        _layer = layer;
        var shape = layer.Weight.Shape;
        _kernels = Kernels(layer);
        _modes = [Unfold(_kernels, 1), Unfold(_kernels, 0)];
        Full = [.. _modes.Select(mode => mode.Values.Length)];
    }

    public override ImmutableArray<int> Full { get; }

    /// <summary>A kernel as filters x channels x positions, in double precision.</summary>
    public static Tensor Kernels(FactorizableLayer layer) => tensor(Array.ConvertAll(layer.Weight.Array, value => (double)value),
        [layer.Weight.Shape[0], layer.Weight.Shape[1], layer.KernelPositions]);

    /// <summary>One size for each dimension of a kernel.</summary>
    public static ImmutableArray<int> Ones(FactorizableLayer layer) => [.. Enumerable.Repeat(1, layer.Weight.Shape.Length - 2)];

    /// <summary>A convolution that mixes channels position by position.</summary>
    public static LayerPart Mixing(FactorizableLayer layer, int filters, int channels) => new("Conv", 1, [filters, channels, .. Ones(layer)],
        ImmutableDictionary<string, object>.Empty.Add("kernel_shape", Ones(layer).Select(size => (long)size).ToArray()));

    public override IReadOnlyList<LayerPart> Parts(Node node, ImmutableArray<int> ranks) =>
    [
        Mixing(_layer, ranks[0], _layer.Weight.Shape[1]),
        new("Conv", 1, [ranks[1], ranks[0], .. _layer.Weight.Shape.Skip(2)], node.Attributes),
        Mixing(_layer, _layer.Weight.Shape[0], ranks[1]),
    ];

    /// <summary>As if what one mode keeps were spread evenly over the other; the sum of both tails is an upper bound.</summary>
    public override double Lost(ImmutableArray<int> ranks) => 1 - _modes.Select((mode, i) => 1 - Tail(mode.Values, ranks[i])).Aggregate((a, b) => a * b);

    public override ImmutableArray<int> Keeping(double energy) => [.. _modes.Select(mode => Leading(mode.Values, energy))];

    public override ImmutableArray<int>? AboveNoise()
    {
        using var scope = NewDisposeScope();
        int[] ranks = [VariationalRank.Of(Flat(_kernels, 1)), VariationalRank.Of(Flat(_kernels, 0))];
        return ranks.All(rank => rank > 0) ? [.. ranks] : null;
    }

    /// <summary>From the full ranks on that mode is cut next which loses less, of what it still keeps, for each weight that goes.</summary>
    public override IReadOnlyList<ImmutableArray<int>> Path(Func<ImmutableArray<int>, bool> isSmaller)
    {
        var (path, ranks) = (new List<ImmutableArray<int>>(), Full);
        double[] kept = [.. _modes.Select(mode => mode.Values.Sum(value => value * value))];
        while (true)
        {
            if (isSmaller(ranks))
            {
                path.Add(ranks);
            }

            double Last(int mode) => Math.Pow(_modes[mode].Values[ranks[mode] - 1], 2);
            double Cost(int mode) => Last(mode) / Math.Max(double.Epsilon, kept[mode])
                / (_layer.Weight.Shape[1 - mode] + (double)ranks[1 - mode] * _layer.KernelPositions);
            int[] open = [.. Enumerable.Range(0, 2).Where(mode => ranks[mode] > 1)];
            if (open.Length == 0)
            {
                return path;
            }

            var next = open.MinBy(Cost);
            kept[next] -= Last(next);
            ranks = ranks.SetItem(next, ranks[next] - 1);
        }
    }

    public override Factors Compute(ImmutableArray<int> ranks, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var (channels, filters) = (_modes[0].Vectors.narrow(1, 0, ranks[0]), _modes[1].Vectors.narrow(1, 0, ranks[1]));
        var all = Energy(_kernels);
        var core = Core(filters, channels);
        var kept = Energy(core);
        for (var round = 0; round < Rounds; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            channels = Unfold(einsum("fck,fr->rck", _kernels, filters), 1).Vectors.narrow(1, 0, ranks[0]);
            filters = Unfold(einsum("fck,cr->frk", _kernels, channels), 0).Vectors.narrow(1, 0, ranks[1]);
            core = Core(filters, channels);
            var before = kept;
            kept = Energy(core);
            if (kept - before <= Settled * all)
            {
                break;
            }
        }

        return new([Floats(channels.t()), Floats(core), Floats(filters)], all > 0 ? kept / all : 1);
    }

    /// <summary>A tensor's values as they are stored for a network.</summary>
    public static float[] Floats(Tensor values)
    {
        var floats = GC.AllocateUninitializedArray<float>((int)values.numel(), pinned: true);
        Array.ConvertAll(values.contiguous().data<double>().ToArray(), value => (float)value).CopyTo(floats, 0);
        return floats;
    }

    /// <summary>A dimension of a tensor x all others.</summary>
    public static Tensor Flat(Tensor tensor, int dimension) => tensor.movedim([dimension], [0]).flatten(1);

    private static (double[] Values, Tensor Vectors) Unfold(Tensor tensor, int dimension)
    {
        var (u, s, _) = linalg.svd(Flat(tensor, dimension), fullMatrices: false);
        return ([.. s.data<double>()], u);
    }

    /// <summary>The sum of its squares.</summary>
    public static double Energy(Tensor tensor) => (tensor * tensor).sum().data<double>()[0];

    private Tensor Core(Tensor filters, Tensor channels) => einsum("fck,fr,cs->rsk", _kernels, filters, channels);
}
