using MLNet.Pruning.Scoring.Sparse;

namespace MLNet.Pruning.Scoring.Runtimes;

/// <summary>How a network is scored: the runtime that was asked for, or that was timed fastest. What it prepares is shared by all its scorers.</summary>
internal sealed class ScoringPlan
{
    private readonly Network _network;
    private readonly Lazy<SparseProgram> _single;
    private readonly Lazy<SparseProgram> _batch;

    public ScoringPlan(Network network, RuntimeReport report)
    {
        (_network, Report) = (network, report);
        _single = new(() => Program(network, report.Single));
        _batch = new(() => report.Batch.Elsewhere.SetEquals(report.Single.Elsewhere) ? _single!.Value : Program(network, report.Batch));
    }

    public RuntimeReport Report { get; }

    /// <summary>ONNX Runtime, else libtorch, and nothing timed yet.</summary>
    public static ScoringPlan Undecided(Network network)
        => new(network, RuntimeReport.Untimed(network, ScoringRuntime.Auto, "not timed yet: ONNX Runtime, or libtorch for what it does not run"));

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

    /// <exception cref="NotSupportedException">The runtime does not run the network; the message says why.</exception>
    public IBatchScorer Create(bool softmax, int batch)
    {
        var isSingle = batch == 1;
        return (isSingle ? Report.Single : Report.Batch).Runtime switch
        {
            ScoringRuntime.Sparse => new SparseScorer((isSingle ? _single : _batch).Value, softmax, batch),
            ScoringRuntime.OnnxRuntime => OnnxScorer.Create(_network, softmax, batch, out var refusal)
                ?? throw new NotSupportedException($"ONNX Runtime does not run the network: {refusal}"),
            ScoringRuntime.Torch => Scorer.Torch(_network, softmax, batch, null),
            _ => Scorer.Create(_network, softmax, batch),
        };
    }

    private static SparseProgram Program(Network network, RuntimeChoice choice) => SparseCompiler.Compile(network, choice.Elsewhere, out var refusal)
        ?? throw new NotSupportedException($"Sparse kernels do not run the network: {refusal}.");
}
