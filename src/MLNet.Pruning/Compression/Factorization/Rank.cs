using MLNet.Pruning.Compression.Factorization;

namespace MLNet.Pruning;

/// <summary>How small the layers become that take the place of another: their inner width.</summary>
/// <example><code>var rank = Rank.Energy(0.99).For("fc1", 48);</code></example>
public abstract class Rank
{
    private protected Rank()
    {
    }

    /// <summary>
    /// The least rank that a method itself finds above noise in each weight, by empirical variational Bayes (Nakajima et al. 2013, "Global Analytic Solution of
    /// Fully-observed Variational Bayesian Matrix Factorization"; for convolutions as in Kim et al. 2016).
    /// </summary>
    public static Rank Vbmf { get; } = new NoiseRank();

    /// <summary>The least rank that keeps a share of a layer's energy, of each mode where it has several.</summary>
    /// <param name="share">In (0, 1]: of the sum of squares of the weight, or of the outputs where a method goes by these.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="share"/> is out of range.</exception>
    public static Rank Energy(double share) => share is > 0 and <= 1 ? new EnergyRank(share)
        : throw new ArgumentOutOfRangeException(nameof(share), share, "The share of the energy that is kept lies in (0, 1].");

    /// <summary>A share of the greatest rank of each layer, rounded up.</summary>
    /// <param name="share">In (0, 1].</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="share"/> is out of range.</exception>
    public static Rank Fraction(double share) => share is > 0 and <= 1 ? new FractionRank(share)
        : throw new ArgumentOutOfRangeException(nameof(share), share, "The share of the greatest rank lies in (0, 1].");

    /// <summary>The same for every layer.</summary>
    /// <param name="rank">At least 1; a layer whose greatest rank is less stays as it is.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rank"/> is below 1.</exception>
    public static Rank Fixed(int rank) => new FixedRank(Setting.AtLeast(1, rank, nameof(rank)));

    /// <summary>
    /// Within limits on costs, by layer as much as loses least energy for what it saves; with a limit on the loss of metric alone as small as keeps to it on
    /// the validation rows. With both the network within the costs has to keep to the loss. Time is measured on this machine.
    /// </summary>
    /// <param name="budget">Of parameters, multiply-adds, bytes, milliseconds and the loss of metric.</param>
    /// <exception cref="ArgumentException"><paramref name="budget"/> limits another cost.</exception>
    public static Rank Within(Budget budget) => new BudgetRank(Known(budget, nameof(Within)));

    /// <summary>
    /// As <see cref="Within"/>, but a layer is taken to lose what the loss on the validation rows rises by with this layer alone at a rank. For chains.
    /// </summary>
    /// <param name="budget">As of <see cref="Within"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="budget"/> limits another cost.</exception>
    /// <remarks>Cost: up to 12 measurements of the validation rows a layer.</remarks>
    public static Rank BySensitivity(Budget budget) => new SensitivityRank(Known(budget, nameof(BySensitivity)));

    /// <summary>The same rule, but a given rank for one layer.</summary>
    /// <param name="layer">Name of the layer or of its weight.</param>
    /// <param name="rank">At least 1 and at most the layer's greatest; of a layer with several modes for each of them that has so many.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rank"/> is below 1.</exception>
    public Rank For(string layer, int rank) => new GivenRank(this, Setting.Named(layer, nameof(layer)), Setting.AtLeast(1, rank, nameof(rank)));

    /// <summary>The budget that it keeps to; null for none.</summary>
    internal virtual Budget? Budget => null;

    /// <summary>The ranks of each layer; null, with the reason, where it stays as it is.</summary>
    internal abstract IReadOnlyList<RankChoice> Choose(IReadOnlyList<RankedLayer> layers, RankSearch search);

    private static Budget Known(Budget? budget, string rule) => Setting.Present(budget, nameof(budget)).For($"{nameof(Rank)}.{rule}",
        [CostMeasure.Parameters, CostMeasure.MultiplyAdds, CostMeasure.Bytes, CostMeasure.Milliseconds], nameof(budget));
}
