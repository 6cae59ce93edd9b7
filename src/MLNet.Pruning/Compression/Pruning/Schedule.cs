using MLNet.Pruning.Compression.Pruning;

namespace MLNet.Pruning;

/// <summary>How fast the sparsity rises from what a network has to the target.</summary>
public sealed class Schedule
{
    private const int MostSteps = 10_000;
    private const double SmallestShare = 1e-3;

    /// <summary>What halves are compared with.</summary>
    private const double Fuzz = 1e-9;

    /// <summary>From where a pool stands, where it is to go, and how far that may be from what was requested, to the sparsities after each step.</summary>
    private readonly Func<double, double, double, IEnumerable<double>> _sparsities;

    private readonly string _call;

    private Schedule(string call, Func<double, double, double, IEnumerable<double>> sparsities, LayerOrder order = LayerOrder.Together, int? batchSize = null)
        => (_call, _sparsities, Order, BatchSize) = (call, sparsities, order, batchSize);

    /// <summary>All at once.</summary>
    public static Schedule OneShot { get; } = new(nameof(OneShot), (_, target, _) => [target]);

    /// <summary>Equal parts of the way each step.</summary>
    /// <param name="steps">From 1 to 10,000.</param>
    public static Schedule Linear(int steps) => Curve(nameof(Linear), steps, (from, target, done) => from + (target - from) * done);

    /// <summary>The same share of the remaining weights each step, so that the remaining density falls geometrically.</summary>
    /// <param name="steps">From 1 to 10,000.</param>
    public static Schedule Geometric(int steps)
        => Curve(nameof(Geometric), steps, (from, target, done) => 1 - (1 - from) * Math.Pow((1 - target) / (1 - from), done));

    /// <summary>Fast at first, slower towards the target: target + (from - target) (1 - done)^3 (Zhu &amp; Gupta 2017).</summary>
    /// <param name="steps">From 1 to 10,000.</param>
    public static Schedule Cubic(int steps) => Curve(nameof(Cubic), steps, (from, target, done) => target + (from - target) * Math.Pow(1 - done, 3));

    /// <summary>Your own sparsities, rising; the target follows as the last step if it is not the last of them.</summary>
    /// <param name="sparsities">Each in [0, 1), none above the target.</param>
    public static Schedule Custom(params double[] sparsities)
    {
        ArgumentNullException.ThrowIfNull(sparsities);
        for (var i = 0; i < sparsities.Length; i++)
        {
            if (!(sparsities[i] is >= 0 and < 1) || (i > 0 && sparsities[i] <= sparsities[i - 1]))
            {
                throw new ArgumentException($"The sparsities of a custom schedule lie in [0, 1) and rise; number {i + 1} is {sparsities[i]}.",
                    nameof(sparsities));
            }
        }

        var copy = sparsities.ToArray();
        return new(Notation.Call(nameof(Custom), [.. copy]), (from, target, rounding)
            => copy.FirstOrDefault(sparsity => sparsity > target + rounding) is var above and > 0
            ? throw new ArgumentException($"The schedule's sparsity {above} lies above the target {target}.")
            : copy.Where(sparsity => sparsity > from && sparsity < target).Append(target));
    }

    /// <summary>Sparsities computed from where the network stands and where it is to go.</summary>
    /// <param name="sparsities">
    /// From the sparsity at the start and the target, both in [0, 1), to the sparsities after each step, rising, in (start, target]; the target follows as the
    /// last step if it is not the last of them. At most 10,000 steps. Called for each pool of weights or structures that are compared with each other.
    /// </param>
    /// <example><c>Schedule.From((from, target) =&gt; [from + 0.7 * (target - from), target])</c></example>
    public static Schedule From(Func<double, double, IEnumerable<double>> sparsities)
    {
        ArgumentNullException.ThrowIfNull(sparsities);
        return new($"{nameof(From)}(...)", (from, target, _) => Checked(sparsities(from, target), from, target));
    }

    /// <summary>A share of what remains each round until the target is reached (iterative magnitude pruning, Frankle &amp; Carbin 2019).</summary>
    /// <param name="share">Share of the remaining weights pruned a round, in [0.001, 1).</param>
    public static Schedule Iterative(double share = 0.2)
    {
        if (!(share is >= SmallestShare and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, $"The share pruned each round lies in [{SmallestShare}, 1).");
        }

        return new(Notation.Call(nameof(Iterative), share), (from, target, _) => Rounds(from, target, share));
    }

    /// <summary>
    /// The same layer by layer, from the input to the output: the first layer takes all its steps, then the next. How much each layer is to lose
    /// is settled at the start, what it loses in its steps. Not for blocks.
    /// </summary>
    public Schedule BottomUp() => new(_call, _sparsities, LayerOrder.BottomUp, BatchSize);

    /// <summary>The same layer by layer, from the output to the input; see <see cref="BottomUp"/>.</summary>
    public Schedule TopDown() => new(_call, _sparsities, LayerOrder.TopDown, BatchSize);

    /// <summary>
    /// The same greedily: within each step the weight or structure that costs least goes first, the importance of the others is measured anew without it, and
    /// so on. With <see cref="Importance.LossChange"/> that is backward elimination. Widths are not rounded. Cost: a measurement of the importance
    /// for each batch.
    /// </summary>
    /// <param name="count">Weights or structures that go at once from each pool that the scope makes; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is below 1.</exception>
    public Schedule Greedy(int count = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new(_call, _sparsities, Order, count);
    }

    /// <summary>
    /// The same, and more steps at the target, in which nothing goes: for what makes up for it, such as <see cref="Importance.CombinatorialBrainSurgeon"/>,
    /// or for fine-tuning that is measured step by step.
    /// </summary>
    /// <param name="steps">How many more; not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="steps"/> is negative, or above 10,000.</exception>
    public Schedule Hold(int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(steps, MostSteps);
        return new($"{_call}.{Notation.Call(nameof(Hold), steps)}", (from, target, rounding)
            => _sparsities(from, target, rounding).Concat(Enumerable.Repeat(target, steps)), Order, BatchSize);
    }

    /// <inheritdoc/>
    public override string ToString() => _call + (Order == LayerOrder.Together ? "" : $".{Order}")
        + (BatchSize is { } count ? "." + Notation.Call(nameof(Greedy), count) : "");

    /// <summary>In which order layers are pruned.</summary>
    internal LayerOrder Order { get; }

    /// <summary>Weights or structures of a pool that go before importance is measured anew; null for all of a step's.</summary>
    internal int? BatchSize { get; }

    /// <summary>The sparsities after each step; the last is the target.</summary>
    /// <param name="from">The sparsity at the start.</param>
    /// <param name="target">The sparsity at the end.</param>
    /// <param name="rounding">How far the target may lie from what was requested, since it is a whole number of something.</param>
    internal IReadOnlyList<double> Sparsities(double from, double target, double rounding = 0)
        => target <= from ? [target] : [.. _sparsities(from, target, rounding)];

    /// <summary>How many of a pool are gone after each step; it stays at its target once it is there.</summary>
    /// <param name="gone">Those gone at the start.</param>
    /// <param name="target">Those gone at the end.</param>
    /// <param name="total">All, those gone included.</param>
    internal IReadOnlyList<long> Counts(long gone, long target, long total)
    {
        var sparsities = Sparsities((double)gone / total, (double)target / total, (0.5 + Fuzz) / total);
        return [.. sparsities.Select((sparsity, step) => step == sparsities.Count - 1 ? target : Amount.Rounded(sparsity, total))];
    }

    private static Schedule Curve(string name, int steps, Func<double, double, double, double> at)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(steps, MostSteps);
        return new(Notation.Call(name, steps), (from, target, _)
            => Enumerable.Range(1, steps).Select(step => step == steps ? target : at(from, target, (double)step / steps)));
    }

    /// <exception cref="InvalidOperationException">A schedule of the user's own falls, leaves its range, or has no end.</exception>
    private static List<double> Checked(IEnumerable<double>? sparsities, double from, double target)
    {
        var steps = new List<double>();
        foreach (var sparsity in sparsities ?? throw new InvalidOperationException("The function of Schedule.From returned null."))
        {
            if (!(sparsity > (steps.Count == 0 ? from : steps[^1]) && sparsity <= target))
            {
                throw new InvalidOperationException(FormattableString.Invariant(
                    $"The sparsities of Schedule.From rise from above {from} to at most the target {target}; number {steps.Count + 1} is {sparsity}."));
            }

            if (steps.Count == MostSteps)
            {
                throw new InvalidOperationException($"The sparsities of Schedule.From are more than {MostSteps}.");
            }

            steps.Add(sparsity);
        }

        if (steps.Count == 0 || steps[^1] < target)
        {
            steps.Add(target);
        }

        return steps;
    }

    private static IEnumerable<double> Rounds(double from, double target, double share)
    {
        for (var sparsity = 1 - (1 - from) * (1 - share); sparsity < target; sparsity = 1 - (1 - sparsity) * (1 - share))
        {
            yield return sparsity;
        }

        yield return target;
    }
}
