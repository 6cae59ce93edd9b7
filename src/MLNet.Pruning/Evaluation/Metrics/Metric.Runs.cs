using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Evaluation.Metrics;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning;

public sealed partial class Metric
{
    private const string LatencyName = "latency";
    private const string PercentileWord = "latency-p";
    private const string RowsName = "rows-per-second";
    private const string MemoryName = "peak-memory";
    private const string EnergyName = "energy";
    private const string CarbonName = "carbon";
    private const double CarbonIntensity = 475;

    /// <summary>Joules in a kilowatt-hour.</summary>
    private const double KilowattHour = 3.6e6;

    /// <summary>
    /// Milliseconds from the bytes of the ONNX file to the scores of the first row: reading the network, making what runs it, and running it. The median of
    /// five starts within this process, whose native libraries are loaded already.
    /// </summary>
    public static Metric ColdStart { get; } = Run("cold-start", "Milliseconds from the bytes of the ONNX file to the scores of the first row.", "ms",
        MetricDirection.LowerIsBetter, trial => new(new ColdStart(trial.Network).Milliseconds(trial.Cancellation),
            "median of 5 starts, native libraries loaded before"));

    private static Metric[] OfRuns
        => [Latency(), LatencyPercentile(50), LatencyPercentile(95), LatencyPercentile(99), RowsPerSecond(), ColdStart, PeakMemory()];

    private static Metric[] OfEnergy => [Energy(), Carbon()];

    /// <summary>
    /// Mean milliseconds in which a batch is scored by this library, on the CPU or the GPU that <c>MLContext.GpuDeviceId</c> names: of a thousand runs or as
    /// many as two seconds have, at least 31, on rows of zeros, after a warm-up. Of a model it is the time of the runtime that scores it on the CPU, see
    /// <see cref="NeuralNetworkTransformer.Runtime"/>, on as many threads as the batch keeps busy; of a network without a chain that of ONNX Runtime.
    /// </summary>
    /// <param name="batch">Rows in the batch; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batch"/> is below 1.</exception>
    public static Metric Latency(int batch = 1) => Timed(LatencyName, "Mean milliseconds to score", batch, "ms", MetricDirection.LowerIsBetter,
        times => times.Mean);

    /// <summary>The milliseconds within which a share of the runs of <see cref="Latency"/> stays, between the two nearest in proportion.</summary>
    /// <param name="percent">The share, in (0, 100): 99 for what only one run of a hundred exceeds.</param>
    /// <param name="batch">Rows in the batch; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Metric LatencyPercentile(double percent, int batch = 1)
    {
        if (percent is not (> 0 and < 100))
        {
            throw new ArgumentOutOfRangeException(nameof(percent), percent, "A percentile lies in (0, 100).");
        }

        return Timed(FormattableString.Invariant($"{PercentileWord}{percent}"),
            FormattableString.Invariant($"Milliseconds within which {percent} % of runs score"), batch, "ms",
            MetricDirection.LowerIsBetter, times => times.Percentile(percent / 100));
    }

    /// <summary>Rows over the mean time of the runs of <see cref="Latency"/>.</summary>
    /// <param name="batch">Rows in the batch; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batch"/> is below 1.</exception>
    public static Metric RowsPerSecond(int batch = 1) => Timed(RowsName, "Rows a second, scoring", batch, "rows/s", MetricDirection.HigherIsBetter,
        times => batch / times.Mean * 1e3);

    /// <summary>
    /// Bytes by which the resident memory of the process rises at most while the network is read from the bytes of its ONNX file and scores a batch, sampled
    /// every millisecond. Memory that the process holds free before it takes up again unseen, and other work of the process counts too: it is worth
    /// something in a process that does nothing else, and of networks that are large beside its runtime.
    /// </summary>
    /// <param name="batch">Rows in the batch; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batch"/> is below 1.</exception>
    public static Metric PeakMemory(int batch = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        return Run(Numbered(MemoryName, batch), $"Bytes by which the process's memory rises to read the network and score {Batch(batch)}.", "bytes",
            MetricDirection.LowerIsBetter, trial =>
            {
                var start = new ColdStart(trial.Network);
                return new(ResidentMemory.Rise(() => start.Run(batch)), "rise of the process's resident memory, sampled every millisecond");
            });
    }

    /// <summary>
    /// Millijoules to score a row, on the CPU or the GPU that <c>MLContext.GpuDeviceId</c> names. Measured where Linux shows the counters of its processors
    /// (RAPL, which most systems show to root alone) or the driver that of its GPU (NVML), with all else that runs meanwhile; else an estimate, which says so:
    /// the power that is given times the time.
    /// </summary>
    /// <param name="watts">
    /// What the processor or GPU draws, for the estimate; above 0. Default: half of the 85 W that CodeCarbon takes for an unknown one.
    /// </param>
    /// <param name="batch">Rows in a run; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Metric Energy(double watts = EnergyUse.DefaultWatts, int batch = 1)
    {
        Setting.Positive(watts, nameof(watts));
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        return Run(Numbered(EnergyName, (watts, EnergyUse.DefaultWatts), (batch, 1)), $"Millijoules a row, scoring {Batch(batch)}.", "mJ a row",
            MetricDirection.LowerIsBetter, trial =>
            {
                var use = trial.Energy(batch, watts);
                return new(use.Joules * 1e3, use.Source);
            });
    }

    /// <summary>Grams of carbon dioxide, and what warms as much, for a million rows: <see cref="Energy"/> times what a kilowatt-hour emits.</summary>
    /// <param name="gramsPerKilowattHour">
    /// What a kilowatt-hour of the machine's electricity emits, in grams; above 0. Default: 475, the mean of the world in 2019 (International Energy Agency).
    /// </param>
    /// <param name="watts">As of <see cref="Energy"/>.</param>
    /// <param name="batch">Rows in a run; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Metric Carbon(double gramsPerKilowattHour = CarbonIntensity, double watts = EnergyUse.DefaultWatts, int batch = 1)
    {
        Setting.Positive(gramsPerKilowattHour, nameof(gramsPerKilowattHour));
        Setting.Positive(watts, nameof(watts));
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        return Run(Numbered(CarbonName, (gramsPerKilowattHour, CarbonIntensity), (watts, EnergyUse.DefaultWatts), (batch, 1)),
            $"Grams of CO2 equivalent a million rows, scoring {Batch(batch)}.", "g/1M rows", MetricDirection.LowerIsBetter, trial =>
            {
                var use = trial.Energy(batch, watts);
                return new(use.Joules * 1e6 / KilowattHour * gramsPerKilowattHour, string.Create(CultureInfo.InvariantCulture,
                    $"{gramsPerKilowattHour} g a kWh{(gramsPerKilowattHour == CarbonIntensity ? " (world 2019, IEA)" : "")}; energy {use.Source}"));
            });
    }

    /// <summary>One of those that take numbers, such as "latency-p99.9(32)"; null where it is none.</summary>
    private static Metric? RunNamed(string name)
    {
        var open = name.IndexOf('(');
        var numbers = Array.Empty<double>();
        if (open >= 0)
        {
            if (!name.EndsWith(')') || !TryNumbers(name[(open + 1)..^1], out numbers))
            {
                return null;
            }

            name = name[..open];
        }

        name = name.ToLowerInvariant();
        if (name is EnergyName or CarbonName && numbers.Length <= (name == CarbonName ? 3 : 2))
        {
            var grams = name == CarbonName ? At(numbers, 0, CarbonIntensity) : CarbonIntensity;
            var others = name == CarbonName ? [.. numbers.Skip(1)] : numbers;
            var (watts, rows) = (At(others, 0, EnergyUse.DefaultWatts), Whole(At(others, 1, 1)));
            return rows is null ? null : name == CarbonName ? Carbon(grams, watts, rows.Value) : Energy(watts, rows.Value);
        }

        return numbers.Length > 1 || Whole(At(numbers, 0, 1)) is not { } batch ? null : name switch
        {
            LatencyName => Latency(batch),
            RowsName => RowsPerSecond(batch),
            MemoryName => PeakMemory(batch),
            _ => name.StartsWith(PercentileWord, StringComparison.Ordinal) && TryNumbers(name[PercentileWord.Length..], out var percent) && percent.Length == 1
                ? LatencyPercentile(percent[0], batch) : null,
        };
    }

    private static double At(double[] numbers, int place, double usual) => place < numbers.Length ? numbers[place] : usual;

    private static int? Whole(double number) => number is >= 1 and <= int.MaxValue && number == Math.Floor(number) ? (int)number : null;

    private static bool TryNumbers(string text, out double[] numbers)
    {
        var parts = text.Split(',');
        numbers = new double[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!double.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A name with its numbers up to the last that is not the usual one.</summary>
    private static string Numbered(string name, params ReadOnlySpan<(double Value, double Usual)> numbers)
    {
        var count = numbers.Length;
        while (count > 0 && numbers[count - 1].Value == numbers[count - 1].Usual)
        {
            count--;
        }

        return Notation.Call(name, [.. numbers[..count].ToArray().Select(number => (object)number.Value)]);
    }

    private static string Numbered(string name, int batch) => Numbered(name, (batch, 1));

    private static string Batch(int batch) => batch == 1 ? "one row at a time" : string.Create(CultureInfo.InvariantCulture, $"{batch:N0} rows at a time");

    private static Metric Timed(string name, string what, int batch, string unit, MetricDirection direction, Func<RunTimes, double> value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        return Run(Numbered(name, batch), $"{what} {Batch(batch)}.", unit, direction, trial =>
        {
            var times = trial.Times(batch);
            return new(value(times), string.Create(CultureInfo.InvariantCulture, $"of {times.Count:N0} runs on {trial.Timed(batch)}"));
        });
    }

    private static Metric Run(string name, string legend, string unit, MetricDirection direction, Func<Trial, Measured> measure)
        => new(name, legend, unit, direction, measure, LearningTask.All) { NeedsRows = false };
}
