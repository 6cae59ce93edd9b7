using MLNet.Pruning.Scoring.Profiling;

namespace MLNet.Pruning.Scoring.Runtimes;

/// <summary>
/// How long a batch takes on what will score it, on one thread: in ONNX Runtime, or in sparse kernels where <c>Compact()</c> would take them for the zeros that
/// a network has.
/// </summary>
internal class NetworkTimer
{
    private const int OneThread = 1;

    /// <summary>The median of at least 31 runs and 50 milliseconds, after a warm-up.</summary>
    public virtual double Milliseconds(Network network, int batch, CancellationToken cancellation)
        => Plan(network, batch).Time(batch, RunTimes.ForMedian, cancellation).Median;

    /// <summary>Two networks in turns, so that what else runs on the machine hits both alike.</summary>
    public virtual (NetworkTime Before, NetworkTime After) InTurns(Network before, Network after, int batch, CancellationToken cancellation)
    {
        var (first, second) = (Plan(before, batch), Plan(after, batch));
        using var slow = first.Create(softmax: false, batch);
        using var fast = second.Create(softmax: false, batch);
        slow.Rows.AsSpan().Clear();
        fast.Rows.AsSpan().Clear();
        var times = TurnTimes.Of([() => slow.Run(batch), () => fast.Run(batch)], cancellation);
        return (new(times.Median(0), Runtime(slow)), new(times.Median(1), Runtime(fast)));
    }

    /// <summary>A network as a whole, and how much of it each layer takes that is timed by itself; of what libtorch scores none is.</summary>
    public virtual NetworkTime ByLayer(Network network, int batch, CancellationToken cancellation)
    {
        var plan = Plan(network, batch);
        using var scorer = plan.Create(softmax: false, batch);
        var whole = new NetworkTime(RunTimes.Of(scorer, batch, RunTimes.ForMedian, cancellation).Median, Runtime(scorer));
        return whole.Runtime switch
        {
            ScoringRuntime.Sparse => whole.Split([.. plan.Choice(batch).Layers.Select(layer
                => (layer.Layer, layer.Kernel == LayerRuntime.OnnxRuntime ? layer.OnnxRuntimeMicroseconds ?? layer.Microseconds : layer.Microseconds))]),
            ScoringRuntime.OnnxRuntime => Split(whole, network, OnnxProfile.Of(network, batch, OneThread, cancellation)),
            _ => whole,
        };
    }

    private static ScoringPlan Plan(Network network, int batch) => ScoringPlan.Fastest(network, OneThread, batch);

    private static ScoringRuntime Runtime(IBatchScorer scorer)
        => scorer is OnnxScorer ? ScoringRuntime.OnnxRuntime : scorer is Sparse.SparseScorer ? ScoringRuntime.Sparse : ScoringRuntime.Torch;

    /// <summary>A kernel's time is that of the first layer in it that multiplies; where none does, of no layer.</summary>
    private static NetworkTime Split(NetworkTime whole, Network network, OnnxProfile profile)
    {
        var working = network.Layers.Where(layer => !layer.MultiplyAdds.IsZero).Select(layer => layer.Node.Name).ToHashSet();
        var times = profile.Kernels.Select(kernel
            => (kernel.Covers.FirstOrDefault(node => working.Contains(node.Name))?.Name ?? "", kernel.Milliseconds)).ToList();
        // What lies between the kernels is of none.
        times.Add(("", Math.Max(0, profile.Milliseconds - times.Sum(time => time.Milliseconds))));
        return whole.Split(times);
    }
}

/// <summary>How long a batch takes.</summary>
/// <param name="Milliseconds">The median of a run.</param>
/// <param name="Runtime">What scored it.</param>
internal sealed record NetworkTime(double Milliseconds, ScoringRuntime Runtime)
{
    /// <summary>What of it steps take, by the name of their layer; those of no layer have names that none has.</summary>
    public ImmutableDictionary<string, double> Layers { get; init; } = ImmutableDictionary<string, double>.Empty;

    /// <summary>Shared among steps in proportion to times of theirs, which were taken by themselves.</summary>
    public NetworkTime Split(IReadOnlyList<(string Layer, double Time)> steps)
    {
        var scale = Milliseconds / Math.Max(double.Epsilon, steps.Sum(step => step.Time));
        return this with
        {
            Layers = steps.GroupBy(step => step.Layer).ToImmutableDictionary(layer => layer.Key, layer => scale * layer.Sum(step => step.Time)),
        };
    }
}
