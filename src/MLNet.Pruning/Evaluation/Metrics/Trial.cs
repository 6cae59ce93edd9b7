using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Runtimes;

namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>A network, and rows to measure it on, as metrics look at them. What several metrics ask for is found out once.</summary>
/// <param name="network">Gives the network, with values.</param>
internal sealed class Trial(Func<Network> network)
{
    private readonly Dictionary<string, Predictions> _changed = [];
    private readonly Dictionary<int, RunTimes> _times = [];
    private readonly Dictionary<(int Batch, double Watts), EnergyUse> _energy = [];

    public Network Network => field ??= network();

    /// <summary>How it is scored; by default as by a step that has timed nothing.</summary>
    public ScoringPlan Plan { private get => field ??= ScoringPlan.Undecided(Network); init; }

    /// <summary>What the network's outputs mean; null where the rows have no labels.</summary>
    public LearningTask? Task { get; init; }

    /// <summary>The rows; null for none.</summary>
    public TrainingData? Data { get; init; }

    /// <summary>Which of them are measured.</summary>
    public ImmutableArray<int> Rows { get; init; } = [];

    /// <summary>The same network on the rows that it was trained on; null where they are not at hand.</summary>
    public Trial? Training { get; init; }

    /// <summary>Images that outputs are compared with, row by row; null for none.</summary>
    public TrainingData? Targets { get; init; }

    /// <summary>What the network puts out beside those images; null where there are none.</summary>
    public OutputImages? Images => Targets is null ? null : field ??= OutputImages.Of(Network, Data!, Targets, Cancellation);

    /// <summary>Rows run at a time.</summary>
    public int BatchSize { get; init; } = 1;

    /// <summary>Where the machine's energy counters are.</summary>
    public string PowerCounters { get; init; } = Evaluation.PowerCounters.SystemFolder;

    /// <summary>The GPU that runs are timed on; null for the CPU.</summary>
    public Lazy<int?> Gpu { private get; init; } = new((int?)null);

    /// <summary>Where runs with so many rows are timed.</summary>
    public string Timed(int batch) => Gpu.Value is not null ? "this machine's GPU" : "this machine's CPU"
        + (Plan.Choice(batch).Runtime is var runtime and not ScoringRuntime.Auto ? $" ({runtime})" : "");

    public CancellationToken Cancellation { get; init; }

    /// <summary>What the network says of the rows.</summary>
    /// <exception cref="ArgumentException">There are no labelled rows.</exception>
    public Predictions Predictions { get => field ??= Run(null); init; }

    /// <summary>What the network costs.</summary>
    public NetworkCost Cost => field ??= NetworkCost.Of(Network, Cancellation);

    /// <summary>How long runs take with so many rows.</summary>
    public RunTimes Times(int batch)
        => _times.TryGetValue(batch, out var times) ? times : _times[batch]
            = Plan.Time(batch, RunTimes.ForPercentiles, Cancellation, Gpu.Value);

    /// <summary>What a row takes in runs with so many.</summary>
    /// <param name="batch">Rows in a run.</param>
    /// <param name="watts">What the machine draws where nothing says it.</param>
    public EnergyUse Energy(int batch, double watts) => _energy.TryGetValue((batch, watts), out var use) ? use
        : _energy[(batch, watts)] = EnergyUse.Of(Plan, batch, watts, PowerCounters, Gpu.Value, Cancellation);

    /// <summary>What the network says of the rows, changed.</summary>
    public Predictions Predict(Perturbation perturbation)
        => _changed.TryGetValue(perturbation.ToString()!, out var predictions) ? predictions : _changed[perturbation.ToString()!] = Run(perturbation);

    /// <summary>A metric asks for what there is none of.</summary>
    public static ArgumentException Lacks(Metric metric, string what) => new($"The metric '{metric.Name}' needs {what}.", nameof(metric));

    private Predictions Run(Perturbation? perturbation)
    {
        if (Data is not { } data || Task is not { } task || Rows.IsEmpty)
        {
            throw new ArgumentException("There are no labelled rows to measure on.");
        }

        using var scorer = Plan.Create(softmax: false, Math.Min(BatchSize, Rows.Length));
        using var change = perturbation?.Start(Network, task);
        var (labels, weights) = (new float[Rows.Length], data.IsWeighted ? new float[Rows.Length] : null);
        float[] scores = [];
        var batch = scorer.Rows.Length / scorer.Width;
        for (var start = 0; start < Rows.Length; start += batch)
        {
            Cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(batch, Rows.Length - start);
            for (var i = 0; i < count; i++)
            {
                var row = Rows[start + i];
                data.Row(row)[..data.Width].CopyTo(scorer.Rows.AsSpan(i * data.Width));
                labels[start + i] = data.Target(row);
                weights?[start + i] = data.Weight(row);
            }

            change?.Change(scorer.Rows.AsSpan(0, count * data.Width), labels.AsSpan(start, count));
            scorer.Run(count);
            for (var i = 0; i < count; i++)
            {
                var row = scorer.Scores(i);
                scores = scores.Length > 0 ? scores : new float[checked(Rows.Length * row.Length)];
                row.CopyTo(scores.AsSpan((start + i) * row.Length));
            }
        }

        return new(task, scores, labels, weights);
    }
}
