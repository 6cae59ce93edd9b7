using MLNet.Pruning.Compression.Sensitivity;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning;

/// <summary>How an amount spreads over the layers: what each layer is left with when the whole is pruned so far.</summary>
public sealed class Distribution
{
    private readonly string _call;

    /// <summary>Densities up to a factor; null where weights or structures of all layers are compared, or each layer has the same share.</summary>
    private readonly Func<IReadOnlyList<PoolMember>, double[]>? _densities;

    private readonly SensitivityAllocation? _sensitivity;

    private Distribution(string call, Func<IReadOnlyList<PoolMember>, double[]>? densities = null, SensitivityAllocation? sensitivity = null)
        => (_call, _densities, _sensitivity) = (call, densities, sensitivity);

    /// <summary>The same share of every layer.</summary>
    public static Distribution Uniform { get; } = new(nameof(Uniform));

    /// <summary>The least important weights or structures of all layers, wherever they are.</summary>
    public static Distribution Global { get; } = new(nameof(Global));

    /// <summary>
    /// As <see cref="Global"/>, by the layer-adaptive score s(u) = w(u)^2 / sum of w(v)^2 over the v of the same layer with |w(v)| at least |w(u)|
    /// (Lee et al. 2021, "Layer-adaptive Sparsity for the Magnitude-based Pruning"), where w is the importance, which has to be at least 0.
    /// No layer is emptied while another has more than one weight or structure: the score of the last one is 1.
    /// </summary>
    public static Distribution Lamp { get; } = new(nameof(Lamp));

    /// <summary>
    /// Density in proportion to (n_in + n_out) / (n_in n_out) of the layer (Mocanu et al. 2018, "Scalable Training of Artificial Neural Networks
    /// with Adaptive Sparse Connectivity inspired by Network Science"). Layers that would be denser than dense stay dense and the others
    /// give way. The total is exact.
    /// </summary>
    public static Distribution ErdosRenyi { get; } = new(nameof(ErdosRenyi), members => [.. members.Select(member => Sizes(member, withKernel: false))]);

    /// <summary>As <see cref="ErdosRenyi"/>, kernels counted: (n_in + n_out + w + h) / (n_in n_out w h) (Evci et al. 2020, "Rigging the Lottery").</summary>
    public static Distribution ErdosRenyiKernel { get; }
        = new(nameof(ErdosRenyiKernel), members => [.. members.Select(member => Sizes(member, withKernel: true))]);

    /// <summary>Whether weights or structures of all layers are compared.</summary>
    internal bool IsTogether => this == Global || IsLamp;

    /// <summary>Whether scores are layer-adaptive.</summary>
    internal bool IsLamp => this == Lamp;

    /// <summary>Whether the layers' shares follow from the layers rather than from the importance.</summary>
    internal bool IsAllocated => _densities is not null || _sensitivity is not null;

    /// <summary>
    /// Density in proportion to 1 - s of the sparsities given, such as those that a measurement found each layer to tolerate. Where the amount is
    /// what they come to, each layer gets its own; otherwise all densities change by the same factor, layers that would be denser than
    /// dense stay dense, and the total is exact.
    /// </summary>
    /// <param name="sparsities">By the name of the layer or of its weight, in [0, 1); one for every layer in scope.</param>
    public static Distribution Given(IReadOnlyDictionary<string, double> sparsities)
    {
        ArgumentNullException.ThrowIfNull(sparsities);
        if (sparsities.ContainsKey(""))
        {
            throw new ArgumentException("A name of a layer is empty.", nameof(sparsities));
        }

        if (sparsities.Count == 0 || sparsities.Any(sparsity => !(sparsity.Value is >= 0 and < 1)))
        {
            throw new ArgumentException(sparsities.Count == 0 ? "Give a sparsity for every layer."
                : $"A layer's sparsity lies in [0, 1); that of '{sparsities.First(s => !(s.Value is >= 0 and < 1)).Key}' is "
                    + $"{sparsities.First(s => !(s.Value is >= 0 and < 1)).Value}.", nameof(sparsities));
        }

        var own = sparsities.ToDictionary();
        return new(Notation.Call(nameof(Given), own.OrderBy(sparsity => sparsity.Key, StringComparer.Ordinal)), members =>
        {
            string[] known = [.. members.SelectMany(member => new[] { member.Layer, member.Parameter.Name })];
            if (own.Keys.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            {
                throw new ArgumentException($"The sparsity given for '{unknown}' is for no layer in scope.{NearestNames.Suggest(unknown, known)}");
            }

            return [.. members.Select(member => own.TryGetValue(member.Parameter.Name, out var sparsity) || own.TryGetValue(member.Layer, out sparsity)
                ? 1 - sparsity
                : throw new ArgumentException($"No sparsity is given for layer '{member.Layer}' (parameter {member.Parameter}), which is in scope; given are "
                    + $"{string.Join(", ", own.Keys)}."))];
        });
    }

    /// <summary>
    /// By measured sensitivity: all layers are pruned until each alone would raise the validation loss by the same, and the amount says how far that is.
    /// Between sparsities that were measured the rise is taken to be linear, and never to fall; beyond the greatest all layers thin out by the same factor.
    /// The total is exact.
    /// </summary>
    /// <param name="report">What <c>ml.Compression().Sensitivity</c> measured, of every layer in scope.</param>
    /// <exception cref="ArgumentNullException"><paramref name="report"/> is null.</exception>
    public static Distribution BySensitivity(SensitivityReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return new($"{nameof(BySensitivity)}(...)", sensitivity: new SensitivityAllocation(report));
    }

    /// <inheritdoc/>
    public override string ToString() => _call;

    /// <summary>Weights or structures that each layer keeps: in proportion to its density, none more than it has, and exactly so many in all.</summary>
    /// <param name="members">The layers.</param>
    /// <param name="totals">Weights or structures of each layer.</param>
    /// <param name="remaining">Weights or structures of each layer that are not dropped yet; at most those are kept.</param>
    /// <param name="keep">Weights or structures kept in all, at most as many as remain.</param>
    internal long[] Allocate(IReadOnlyList<PoolMember> members, IReadOnlyList<long> totals, IReadOnlyList<long> remaining, long keep)
    {
        if (_sensitivity is not null)
        {
            return Rounded(_sensitivity.Allocate(members, totals, remaining, keep), remaining, keep);
        }

        var weights = _densities!(members).Zip(totals, (density, total) => density * total).ToArray();
        var exact = new double[weights.Length];
        var full = new bool[weights.Length];
        while (true)
        {
            // Layers that cannot take their part are full; what they leave goes to the others, which may fill more of them.
            var (room, sum) = (keep - Enumerable.Range(0, full.Length).Where(i => full[i]).Sum(i => remaining[i]),
                Enumerable.Range(0, full.Length).Where(i => !full[i]).Sum(i => weights[i]));
            var filled = false;
            for (var i = 0; i < full.Length; i++)
            {
                exact[i] = full[i] ? remaining[i] : room * weights[i] / sum;
                filled |= exact[i] > remaining[i];
            }

            if (!filled)
            {
                return Rounded(exact, remaining, keep);
            }

            for (var i = 0; i < full.Length; i++)
            {
                full[i] |= exact[i] > remaining[i];
            }
        }
    }

    /// <summary>Whole numbers of the same sum, by the largest remainders (Hamilton's method).</summary>
    private static long[] Rounded(double[] exact, IReadOnlyList<long> most, long sum)
    {
        var rounded = exact.Select((value, i) => Math.Min(most[i], (long)Math.Floor(value))).ToArray();
        for (var missing = sum - rounded.Sum(); missing != 0; missing -= Math.Sign(missing))
        {
            var step = Math.Sign(missing);
            rounded[Enumerable.Range(0, exact.Length).Where(i => step > 0 ? rounded[i] < most[i] : rounded[i] > 0)
                .MaxBy(i => step * (exact[i] - rounded[i]))] += step;
        }

        return rounded;
    }

    private static double Sizes(PoolMember member, bool withKernel)
    {
        var (shape, axes) = (member.Parameter.Shape, member.Axes);
        double[] sizes = shape.Length < 2 ? [shape.Length == 0 ? 1 : shape[0]] : axes.IsConvolution && withKernel ? [.. shape.Select(size => (double)size)]
            : [shape[axes.Output], shape[axes.Input]];
        return sizes.Sum() / sizes.Aggregate((product, size) => product * size);
    }
}
