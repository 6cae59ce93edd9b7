using MLNet.Pruning.Scoring.Sparse;

namespace MLNet.Pruning.Scoring.Runtimes;

/// <summary>
/// How a network is scored: the runtime that was asked for, or that was timed fastest. What it prepares is shared by all its scorers. All that tells how long
/// scoring takes times what it makes.
/// </summary>
internal sealed class ScoringPlan
{
    private readonly int? _threads;
    private readonly Lazy<SparseProgram> _single;
    private readonly Lazy<SparseProgram> _batch;

    /// <param name="network">The network, with values.</param>
    /// <param name="report">What was chosen.</param>
    /// <param name="threads">Threads of each run; null for as many as a batch keeps busy. Sparse kernels have one.</param>
    public ScoringPlan(Network network, RuntimeReport report, int? threads = null)
    {
        (Network, Report, _threads) = (network, report, threads);
        _single = new(() => Program(network, report.Single));
        _batch = new(() => report.Batch.Elsewhere.SetEquals(report.Single.Elsewhere) ? _single!.Value : Program(network, report.Batch));
    }

    public Network Network { get; }

    public RuntimeReport Report { get; }

    /// <summary>ONNX Runtime, else libtorch, and nothing timed yet.</summary>
    public static ScoringPlan Undecided(Network network, int? threads = null)
        => new(network, RuntimeReport.Untimed(network, ScoringRuntime.Auto, "not timed yet: ONNX Runtime, or libtorch for what it does not run"), threads);

    /// <summary>The fastest on this machine where another one may be that than ONNX Runtime, which else needs no timing.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="threads">Threads of each run; null for as many as a batch keeps busy.</param>
    /// <param name="batch">Rows of the only batches that will be scored; null for any.</param>
    public static ScoringPlan Fastest(Network network, int? threads = null, int? batch = null)
        => RuntimeTimer.IsWorthTiming(network) && RuntimeTimer.Decide(network, threads, batch) is { Machine: not null } timed
            ? new(network, timed, threads) : Undecided(network, threads);

    /// <summary>A runtime as it was asked for; the fastest on this machine for <see cref="ScoringRuntime.Auto"/>.</summary>
    /// <exception cref="NotSupportedException">It does not run the network; the message says why.</exception>
    public static ScoringPlan Of(Network network, ScoringRuntime runtime)
    {
        if (runtime == ScoringRuntime.Auto)
        {
            return new(network, RuntimeTimer.Decide(network));
        }

        var plan = new ScoringPlan(network, RuntimeReport.Untimed(network, runtime, "as requested"));
        plan.Create(softmax: false, batch: 1).Dispose();
        return plan;
    }

    /// <summary>What a file kept; on a machine of another kind, what was chosen by time is not timed yet.</summary>
    public static ScoringPlan Kept(Network network, RuntimeReport report)
        => report.Machine is not null && report.Machine != RuntimeTimer.Machine ? Undecided(network) : new(network, report);

    /// <summary>What was chosen for batches of a size.</summary>
    public RuntimeChoice Choice(int batch) => batch == 1 ? Report.Single : Report.Batch;

    /// <param name="softmax">Whether scores are probabilities over the outputs; else the logits as they are.</param>
    /// <param name="batch">Rows at a time.</param>
    /// <param name="gpu">The GPU that libtorch scores on in place of what was chosen; null for the CPU.</param>
    /// <exception cref="ArgumentOutOfRangeException">An array does not hold so many rows.</exception>
    /// <exception cref="NotSupportedException">The runtime does not run the network; the message says why.</exception>
    public IBatchScorer Create(bool softmax, int batch, int? gpu = null)
    {
        if (Network.Inputs.Sum(input => (long)input.RowSize) * batch > Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(nameof(batch), batch,
                $"A batch of {batch:N0} rows is larger than the {Array.MaxLength:N0} values that an array holds.");
        }

        return (gpu is null ? Choice(batch).Runtime : ScoringRuntime.Torch) switch
        {
            ScoringRuntime.Sparse => new SparseScorer((batch == 1 ? _single : _batch).Value, softmax, batch),
            ScoringRuntime.OnnxRuntime => OnnxScorer.Create(Network, softmax, batch, out var refusal, _threads)
                ?? throw new NotSupportedException($"ONNX Runtime does not run the network: {refusal}"),
            ScoringRuntime.Torch => Scorer.Torch(Network, softmax, batch, gpu, _threads),
            _ => Scorer.Create(Network, softmax, batch, threads: _threads),
        };
    }

    /// <summary>Times runs on rows of zeros, after a warm-up; see <see cref="RunTimes.Of"/>.</summary>
    public RunTimes Time(int batch, (int Runs, TimeSpan Least, TimeSpan Most) until, CancellationToken cancellation, int? gpu = null)
    {
        using var scorer = Create(softmax: false, batch, gpu);
        return RunTimes.Of(scorer, batch, until, cancellation);
    }

    private static SparseProgram Program(Network network, RuntimeChoice choice) => SparseCompiler.Compile(network, choice.Elsewhere, out var refusal)
        ?? throw new NotSupportedException($"Sparse kernels do not run the network: {refusal}.");
}
