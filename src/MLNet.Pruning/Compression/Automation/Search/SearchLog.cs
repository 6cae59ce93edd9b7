namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>What a search knows: the layers and their levels, what candidates cost, and those measured so far.</summary>
internal sealed class SearchLog
{
    /// <summary>Falls that are sums of fractions are compared to rounding.</summary>
    private const double Rounding = 1e-9;

    /// <summary>How far from the limit on time, as a share of it, the table of layer times may be wrong about which side a network is on.</summary>
    private const double Near = 1.0 / 3;

    private readonly RatioSpace _space;
    private readonly CostMeter _meter;
    private readonly Budget _budget;
    private readonly Dictionary<string, double> _costs = [];
    private readonly Dictionary<string, double> _timed = [];
    private readonly Dictionary<string, SearchTrial> _trials = [];

    /// <summary>What the last network near the limit took as a whole, over what the table says of it.</summary>
    private double _offTable = 1;

    /// <param name="space">The networks to choose from.</param>
    /// <param name="meter">Counts and times them.</param>
    /// <param name="budget">What is to be met.</param>
    /// <param name="minimize">What is made as small as can be where the metric is bounded.</param>
    /// <param name="before">The network as it is, on the validation rows.</param>
    /// <param name="seed">Of the search's random numbers.</param>
    public SearchLog(RatioSpace space, CostMeter meter, Budget budget, CostMeasure minimize, ValidationResult before, int seed)
    {
        (_space, _meter, _budget, Minimize, Before) = (space, meter, budget, minimize, before);
        Random = new Random(seed);
    }

    public IReadOnlyList<RatioLayer> Layers => _space.Layers;

    public CostMeasure Minimize { get; }

    public ValidationResult Before { get; }

    public Random Random { get; }

    /// <summary>Whether the metric is bounded, so that the smallest network is looked for; else the most accurate one within the costs.</summary>
    public bool BoundsMetric => _budget.MaximumMetricLoss is not null;

    /// <summary>The best of those measured; null for none.</summary>
    public SearchTrial? Best { get; private set; }

    /// <summary>In the order they were measured.</summary>
    public List<SearchTrial> Trials { get; } = [];

    /// <summary>Every layer at its first level, or at its last.</summary>
    public int[] Dense => new int[Layers.Count];

    /// <inheritdoc cref="Dense"/>
    public int[] Smallest => [.. Layers.Select(layer => layer.Last)];

    public static string Key(IReadOnlyList<int> levels) => string.Join(",", levels);

    /// <inheritdoc cref="RatioSpace.Uniform"/>
    public int[] Uniform(int level) => _space.Uniform(level);

    public SearchTrial? Find(IReadOnlyList<int> levels) => _trials.GetValueOrDefault(Key(levels));

    /// <summary>What a network costs, milliseconds by the table.</summary>
    public double Cost(CostMeasure measure, IReadOnlyList<int> levels)
    {
        var key = $"{measure} {Key(levels)}";
        var cost = _costs.TryGetValue(key, out var known) ? known : _costs[key] = _meter.Of(measure, levels);
        return measure == CostMeasure.Milliseconds ? cost * _offTable : cost;
    }

    /// <summary>The milliseconds of a network that was timed as a whole; null for one that was not.</summary>
    public double? Timed(IReadOnlyList<int> levels) => _timed.TryGetValue(Key(levels), out var milliseconds) ? milliseconds : null;

    /// <summary>Notes the milliseconds of a network as a whole. Near the limit the table is taken to be off for others by as much as for this one.</summary>
    public void Time(IReadOnlyList<int> levels, double milliseconds)
    {
        _timed[Key(levels)] = milliseconds;
        if (IsNearLimit(levels))
        {
            _offTable *= milliseconds / Cost(CostMeasure.Milliseconds, levels);
        }
    }

    /// <summary>What a network costs, milliseconds as it was timed as a whole, or by the table where it was not.</summary>
    public double Known(CostMeasure measure, IReadOnlyList<int> levels)
        => measure == CostMeasure.Milliseconds && Timed(levels) is { } milliseconds ? milliseconds : Cost(measure, levels);

    /// <summary>What a network costs, milliseconds by the table: shares of the limits, summed up, or what is minimised where no cost is limited.</summary>
    public double CostShare(IReadOnlyList<int> levels) => _budget.Limits.IsEmpty ? Cost(Minimize, levels)
        : _budget.Limits.Sum(limit => Cost(limit.Measure, levels) / _meter.Most(limit));

    /// <summary>By how much the limits on costs are exceeded, as shares of them, summed up; 0 where they are met.</summary>
    public double CostExcess(IReadOnlyList<int> levels) => CostExcess(measure => Known(measure, levels));

    /// <inheritdoc cref="CostExcess(IReadOnlyList{int})"/>
    public double CostExcess(Func<CostMeasure, double> cost) => _budget.Limits.Sum(limit => Math.Max(0, cost(limit.Measure) / _meter.Most(limit) - 1));

    /// <summary>By how much more of the metric is lost than is allowed.</summary>
    public double MetricExcess(ValidationResult validation) => _budget.MaximumMetricLoss is not { } most ? 0
        : Before.LossTo(validation) - most is var excess && excess > Rounding ? excess : excess <= Rounding ? 0 : double.PositiveInfinity;

    /// <summary>Notes a candidate that was measured; one near the limit on time is timed as a whole.</summary>
    public SearchTrial Add(IReadOnlyList<int> levels, ValidationResult validation)
    {
        if (Timed(levels) is null && IsNearLimit(levels))
        {
            Time(levels, _meter.Milliseconds(levels));
        }

        var trial = new SearchTrial([.. levels], CostExcess(levels), MetricExcess(validation), Known(Minimize, levels), validation);
        _trials[Key(levels)] = trial;
        Trials.Add(trial);
        Best = Best is null || Compare(trial, Best) < 0 ? trial : Best;
        return trial;
    }

    /// <summary>
    /// Negative where the first is better: it is nearer to the limits on costs, then to that on the metric; then it is smaller where the metric is
    /// bounded, and more accurate where it is not.
    /// </summary>
    public int Compare(SearchTrial one, SearchTrial other)
    {
        var fit = one.CostExcess.CompareTo(other.CostExcess) is not 0 and var costs ? costs : one.MetricExcess.CompareTo(other.MetricExcess);
        var size = one.Size.CompareTo(other.Size);
        // A metric or loss that is not a number is worse than any.
        var accuracy = Worst(Before.LossTo(one.Validation)).CompareTo(Worst(Before.LossTo(other.Validation))) is not 0 and var metric ? metric
            : Worst(one.Validation.Loss).CompareTo(Worst(other.Validation.Loss));
        return fit != 0 ? fit : BoundsMetric ? size != 0 ? size : accuracy : accuracy != 0 ? accuracy : size;
    }

    private bool IsNearLimit(IReadOnlyList<int> levels)
        => _budget.Time is { } limit && Math.Abs(Cost(CostMeasure.Milliseconds, levels) / _meter.Most(limit) - 1) <= Near;

    private static double Worst(double loss) => double.IsNaN(loss) ? double.PositiveInfinity : loss;
}

/// <summary>A candidate that was measured.</summary>
/// <param name="Levels">The level of each layer.</param>
/// <param name="CostExcess">By how much it exceeds the limits on costs, as shares of them; 0 where it meets them.</param>
/// <param name="MetricExcess">By how much more of the metric it loses than is allowed.</param>
/// <param name="Size">Its cost by the measure that is minimised.</param>
/// <param name="Validation">Measured on the validation rows.</param>
internal sealed record SearchTrial(IReadOnlyList<int> Levels, double CostExcess, double MetricExcess, double Size, ValidationResult Validation)
{
    public bool Meets => CostExcess == 0 && MetricExcess == 0;
}
