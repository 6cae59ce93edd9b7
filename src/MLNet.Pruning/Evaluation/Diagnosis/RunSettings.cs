using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Evaluation.Diagnosis;

/// <summary>What a row takes with the batch and the threads that are asked for, and with others, timed in turns.</summary>
internal sealed class RunSettings
{
    /// <summary>How many times as many rows are tried; kernels for several rows have come to their best by then.</summary>
    public const int MoreRows = 16;

    /// <summary>Values that a batch has at most where more rows are tried: 64 MB of floats.</summary>
    private const int MostValues = 1 << 24;

    /// <summary>A setting that gains less than this share is not worth a change, and may be chance.</summary>
    private const double LeastGain = 0.2;

    private readonly IReadOnlyList<(int Batch, int Threads)> _tried;
    private readonly TurnTimes _times;

    /// <param name="tried">The settings, those that are asked for first.</param>
    /// <param name="times">Of a run with each.</param>
    public RunSettings(IReadOnlyList<(int Batch, int Threads)> tried, TurnTimes times) => (_tried, _times) = (tried, times);

    /// <summary>Times a network.</summary>
    public static RunSettings Of(DiagnosedNetwork diagnosed)
    {
        var (network, options) = (diagnosed.Network, diagnosed.Options);
        var (batch, threads) = (options.BatchSize, diagnosed.Threads);
        var tried = new List<(int Batch, int Threads)> { (batch, threads) };
        if (options.Asks(FindingKind.BatchSize) && Fits(network, (long)batch * MoreRows))
        {
            tried.Add((batch * MoreRows, threads));
        }

        if (options.Asks(FindingKind.Threads))
        {
            tried.AddRange(new[] { 1, Environment.ProcessorCount }.Distinct().Where(count => count != threads).Select(count => (batch, count)));
        }

        return new(tried, TurnTimes.Of([.. tried.Select(setting => (network, setting.Batch, setting.Threads))], options.CancellationToken));
    }

    /// <summary>Whether so many rows may be tried.</summary>
    public static bool Fits(Network network, long rows) => network.Inputs.Sum(input => (long)input.RowSize) * rows <= MostValues;

    /// <summary>The settings that take at least a fifth less a row.</summary>
    public IEnumerable<DiagnosisFinding> Find()
    {
        var (rows, threads) = (Best(setting => setting.Batch != _tried[0].Batch), Best(setting => setting.Threads != _tried[0].Threads));
        if (rows.Gain >= LeastGain)
        {
            yield return new(FindingKind.BatchSize, [], rows.Gain, string.Create(CultureInfo.InvariantCulture,
                $"a row takes {1 - rows.Gain:P0} of the time in a run of {_tried[rows.Setting].Batch:N0} rows, as a run has costs of its own and reads each "
                    + $"weight once."),
                "Score rows together where they arrive together: Transform instead of a PredictionEngine, which scores one at a time.");
        }

        if (threads.Gain >= LeastGain)
        {
            var count = _tried[threads.Setting].Threads;
            var reason = count < _tried[0].Threads ? "handing out parts and waiting for them costs more than it gains" : "its layers have parts enough for all";
            yield return new(FindingKind.Threads, [], threads.Gain,
                string.Create(CultureInfo.InvariantCulture, $"a run takes {1 - threads.Gain:P0} of the time on {Count(count)}: {reason}."),
                $"Set SessionOptions.IntraOpNumThreads to {count.ToString(CultureInfo.InvariantCulture)}, with ml.SetOnnxSessionOption for models that "
                    + "ml.Model.Load reads; where many rows are scored at a time, one run on each thread does as well.");
        }
    }

    /// <summary>"1 thread", "8 threads".</summary>
    public static string Count(int threads) => string.Create(CultureInfo.InvariantCulture, $"{threads} thread{(threads == 1 ? "" : "s")}");

    private (int Setting, double Gain) Best(Func<(int Batch, int Threads), bool> differs) => _tried.Index().Where(setting => differs(setting.Item))
        .Select(setting => (Setting: setting.Index, Gain: 1 - _times.OfFirst(setting.Index) * _tried[0].Batch / setting.Item.Batch)).DefaultIfEmpty()
        .MaxBy(setting => setting.Gain);
}
