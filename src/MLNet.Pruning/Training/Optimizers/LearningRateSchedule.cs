namespace MLNet.Pruning;

/// <summary>How the learning rate changes over the steps of a training.</summary>
public sealed class LearningRateSchedule
{
    private readonly string _call;
    private readonly Func<double, int, double> _factor;

    private LearningRateSchedule(string call, Func<double, int, double> factor, double warmupEpochs = 0)
        => (_call, _factor, WarmupEpochs) = (call, factor, warmupEpochs);

    /// <summary>Epochs in which the rate first rises linearly from 0; 0 for none. Early in warm-up it lies below the schedule, never above.</summary>
    public double WarmupEpochs { get; }

    /// <summary>The same rate throughout.</summary>
    public static LearningRateSchedule Constant { get; } = new(Notation.Call(nameof(Constant)), (_, _) => 1);

    /// <summary>Multiplies the rate by a factor every so many epochs.</summary>
    /// <param name="epochs">Epochs between changes, at least 1.</param>
    /// <param name="factor">In (0, 1].</param>
    public static LearningRateSchedule Step(int epochs, double factor = 0.1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(epochs, 1);
        CheckShare(factor, nameof(factor));
        // Half a part in 10^9 of tolerance: an epoch counted in steps need not be a whole number in binary.
        return new(Notation.Call(nameof(Step), epochs, factor), (epoch, _) => Math.Pow(factor, Math.Floor(epoch / epochs + 1e-9)));
    }

    /// <summary>A straight line from the full rate to a share of it at the end.</summary>
    /// <param name="final">Share of the rate at the end, in [0, 1].</param>
    public static LearningRateSchedule Linear(double final = 0)
    {
        CheckEnd(final);
        return new(Notation.Call(nameof(Linear), final), (epoch, epochs) => 1 + (final - 1) * epoch / epochs);
    }

    /// <summary>Half a cosine from the full rate down to a share of it at the end (Loshchilov &amp; Hutter 2017, without restarts).</summary>
    /// <param name="final">Share of the rate at the end, in [0, 1].</param>
    public static LearningRateSchedule Cosine(double final = 0)
    {
        CheckEnd(final);
        return new(Notation.Call(nameof(Cosine), final), (epoch, epochs) => Between(1, final, epoch / epochs));
    }

    /// <summary>
    /// One cycle (Smith &amp; Topin 2018), cosine up from <paramref name="initial"/> of the rate to all of it, then down to
    /// <paramref name="final"/>.
    /// </summary>
    /// <param name="rise">Share of the training in which the rate rises, in (0, 1).</param>
    /// <param name="initial">Share of the rate at the start, in (0, 1].</param>
    /// <param name="final">Share of the rate at the end, in (0, 1].</param>
    public static LearningRateSchedule OneCycle(double rise = 0.3, double initial = 1 / 25.0, double final = 1 / 250_000.0)
    {
        CheckShare(rise, nameof(rise));
        ArgumentOutOfRangeException.ThrowIfEqual(rise, 1);
        CheckShare(initial, nameof(initial));
        CheckShare(final, nameof(final));
        return new(Notation.Call(nameof(OneCycle), rise, initial, final), (epoch, epochs) =>
        {
            var done = epoch / epochs;
            return done < rise ? Between(initial, 1, done / rise) : Between(1, final, (done - rise) / (1 - rise));
        });
    }

    /// <summary>The same schedule with a linear warm-up before it takes full effect.</summary>
    /// <param name="epochs">Length of the warm-up, above 0 and finite; fractions of an epoch are allowed.</param>
    public LearningRateSchedule WithWarmup(double epochs)
    {
        Setting.Positive(epochs, nameof(epochs));
        return new(_call, _factor, epochs);
    }

    /// <inheritdoc/>
    public override string ToString() => WarmupEpochs > 0 ? $"{_call}.{Notation.Call(nameof(WithWarmup), WarmupEpochs)}" : _call;

    /// <summary>Factor on the learning rate.</summary>
    /// <param name="epoch">Epochs done, with fractions.</param>
    /// <param name="epochs">Epochs in all.</param>
    /// <param name="stepsPerEpoch">Steps of an epoch: the warm-up's first step is one step up, not zero.</param>
    internal double Factor(double epoch, int epochs, int stepsPerEpoch)
    {
        var warmup = WarmupEpochs > 0 ? Math.Min(1, (epoch + 1.0 / stepsPerEpoch) / WarmupEpochs) : 1;
        return warmup * _factor(epoch, epochs);
    }

    private static double Between(double from, double to, double share) => to + (from - to) * (1 + Math.Cos(Math.PI * share)) / 2;

    private static void CheckEnd(double final)
    {
        if (!(final is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(final), final, "The share of the rate at the end lies in [0, 1].");
        }
    }

    private static void CheckShare(double value, string name)
    {
        if (!(value is > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} lies in (0, 1].");
        }
    }
}
