using MLNet.Pruning.Compression.Pruning.Record;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>
/// What a pruning with given options does to a network, step by step of its schedule. The layers of each rule are a part of it. Parts take their steps
/// together; where the schedule goes layer by layer, each layer takes all its steps before the next begins.
/// </summary>
internal sealed class PruningPlan
{
    private readonly SelectionOptions _options;
    private readonly PrunedNetwork _start;
    private readonly ImportanceScores _first;
    private readonly Func<PrunedNetwork, ImportanceScores> _measure;
    private readonly IReadOnlyList<Part> _parts;

    /// <summary>Parts that take their steps together, one lot after another.</summary>
    private readonly IReadOnlyList<IReadOnlyList<Part>> _turns;

    private PruningPlan(SelectionOptions options, PrunedNetwork start, ImportanceScores scores, Func<PrunedNetwork, ImportanceScores> measure, bool isRecorded)
    {
        (_options, _start, _first, _measure) = (options, start, scores, measure);
        _parts = [.. (options.Layers.Count > 0 ? options.Parts(start) : [options]).Select(part => Part.Of(part, Candidates.Of(part, start, scores)))];
        _turns = options.Schedule.Order == LayerOrder.Together ? [_parts] : ByLayer();
        foreach (var part in isRecorded ? _turns.SelectMany(turn => turn) : [])
        {
            part.Record = part.Start.NewRecord();
            Record.Pools.AddRange(part.Record.Pools);
        }
    }

    public int Steps => Math.Max(1, _turns.Sum(turn => turn.Max(part => part.Steps)));

    /// <summary>What became of the candidates so far.</summary>
    public CandidateRecord Record { get; } = new();

    /// <summary>What removed the groups of the last step; null where it removed none.</summary>
    public StructureRemoval? Removal { get; private set; }

    /// <exception cref="PruningTargetException">More than the target is dropped already.</exception>
    /// <exception cref="ArgumentException">Nothing in scope can be pruned.</exception>
    /// <param name="options">Validated options.</param>
    /// <param name="start">The network to prune.</param>
    /// <param name="scores">Importance scores of the candidates in it, by a criterion that knows the rules.</param>
    /// <param name="measure">Measures what is left.</param>
    /// <param name="isRecorded">Whether anybody asks what became of the candidates.</param>
    public static PruningPlan Create(SelectionOptions options, PrunedNetwork start, ImportanceScores scores, Func<PrunedNetwork, ImportanceScores> measure,
        bool isRecorded = true) => new(options, start, scores, measure, isRecorded);

    /// <summary>The network after all steps of a plan of which nobody wants to know more.</summary>
    /// <param name="options">Validated options.</param>
    /// <param name="start">The network to prune.</param>
    /// <param name="criterion">What measures importance, of all rules.</param>
    public static PrunedNetwork Run(SelectionOptions options, PrunedNetwork start, Importance criterion)
    {
        ImportanceScores Measure(PrunedNetwork network) => criterion.Measure(new(network, cancellation: options.CancellationToken));
        var plan = Create(options, start, Measure(start), Measure, isRecorded: false);
        return Enumerable.Range(0, plan.Steps).Aggregate(start, plan.Prune);
    }

    /// <summary>
    /// All steps in turn, each of them ended by what else belongs to it, such as fine-tuning; the first that is taken back is the last. The network after the
    /// last that was kept, and the report.
    /// </summary>
    /// <param name="before">The network before pruning on the validation rows.</param>
    /// <param name="end">From the network before a step and after its pruning to what the step comes to.</param>
    /// <param name="report">Called with every step.</param>
    public (PrunedNetwork Network, PruningReport Report) Run(ValidationResult? before, Func<PrunedNetwork, PrunedNetwork, PruningStepEnd> end,
        Action<PruningStep> report)
    {
        var (good, done, steps) = (_start, new List<PruningStep>(), Steps);
        while (done.Count < steps && done.All(step => step.Kept))
        {
            var ended = end(good, Prune(good, done.Count));
            var (sparsity, left) = Describe(ended.Network);
            done.Add(new(done.Count + 1, steps, sparsity, left, ended.Pruned, ended.FineTuned, ended.Kept) { Bound = ended.Bound });
            Record.Close(done.Count, sparsity, ended.Kept);
            report(done[^1]);
            good = ended.Kept ? ended.Network : good;
        }

        return (good, PruningWarnings.AddTo(Complete(new(before, done), good), _options, _start, good));
    }

    /// <summary>
    /// The network after a step, from 0, by what is measured on the network before it, in batches where the schedule is greedy: what is left is measured anew
    /// after each. What stays is changed as the criterion makes up for what went.
    /// </summary>
    public PrunedNetwork Prune(PrunedNetwork good, int step)
    {
        _options.CancellationToken.ThrowIfCancellationRequested();
        var scores = good == _start ? _first : _measure(good);
        if (_options.Schedule.BatchSize is not { } most)
        {
            var pruned = Prune(good, step, long.MaxValue, ref scores);
            return scores.Compensate(pruned);
        }

        while (true)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            var next = Prune(good, step, most, ref scores);
            if (next == good)
            {
                return good;
            }

            good = scores.Compensate(next);
            scores = _measure(good);
        }
    }

    /// <summary>The network after a step by scores of another's making; nothing makes up for what went.</summary>
    /// <param name="good">The network after the step before.</param>
    /// <param name="step">Number of the step, from 0.</param>
    /// <param name="scores">Importance scores of the candidates in it.</param>
    public PrunedNetwork Prune(PrunedNetwork good, int step, ImportanceScores scores) => Prune(good, step, long.MaxValue, ref scores);

    /// <summary>Share of the candidates that are gone, and what is left.</summary>
    public (double Sparsity, long Left) Describe(PrunedNetwork network)
        => _options.Layers.Count == 0 || !_options.Granularity.Removes ? _parts[0].Start.Describe(network)
        : (1 - (double)network.Network.ParameterCount / _start.Network.ParameterCount, network.Network.ParameterCount);

    /// <summary>Adds to the report what the plan alone knows.</summary>
    public PruningReport Complete(PruningReport report, PrunedNetwork network)
    {
        var reports = _parts.Select(part => part.Start.Complete(report, network)).ToArray();
        return report with
        {
            Record = Record,
            Warnings = [.. report.Warnings, .. report.StoppedEarly ? [] : _parts.SelectMany(part => part.Held(network, _first)).Distinct()],
            Widths = [.. reports.SelectMany(part => part.Widths)],
            Bypassed = [.. reports.SelectMany(part => part.Bypassed).Distinct()],
        };
    }

    /// <param name="good">The network after the step before, or what an earlier call for this step gave.</param>
    /// <param name="step">Number of the step.</param>
    /// <param name="most">Candidates of each pool to go at most.</param>
    /// <param name="scores">Importance scores of the candidates; afterwards what was measured last, where parts of the step are measured by themselves.</param>
    /// <returns>The same network where nothing is missing.</returns>
    private PrunedNetwork Prune(PrunedNetwork good, int step, long most, ref ImportanceScores scores)
    {
        // Layers whose turn comes later count from the start.
        good = step == 0 && _options.Schedule.Order != LayerOrder.Together ? _parts.Aggregate(good, (network, part) => part.Start.Open(network)) : good;
        Removal = null;
        foreach (var turn in _turns)
        {
            var steps = turn.Max(part => part.Steps);
            if (step >= steps)
            {
                step -= steps;
                continue;
            }

            foreach (var part in turn)
            {
                var (now, before) = (part.Start.In(good, scores), good);
                var missing = part.Missing(now, step, most);
                string[] weights = [.. part.Start.Pools.SelectMany(pool => pool.Members).Select(member => member.Parameter)];
                var chosen = scores.Toward(new(part.Options.Granularity, weights, (other, share)
                    => part.Start.In(before, other).Drop([.. missing.Select(count => (long)Math.Round(share * count))])));
                now = chosen == scores ? now : part.Start.In(good, chosen);
                var next = now.Drop(missing, part.Record);
                Removal = (now as GroupCandidates)?.Removal ?? Removal;
                if (turn.Count == 1)
                {
                    scores = chosen;
                }
                else if ((_options.Granularity.Removes || chosen != scores) && next != good)
                {
                    // What one part loses changes the sizes of what the next one reads, or the weights that were chosen with it.
                    scores = chosen;
                    next = scores.Compensate(next);
                    scores = _measure(next);
                }

                good = next;
            }

            break;
        }

        return good;
    }

    /// <summary>Each layer that is to lose something, with what it would lose if all went at once.</summary>
    private IReadOnlyList<IReadOnlyList<Part>> ByLayer()
    {
        var names = _start.Weights.Layers.Select(layer => layer.Node.Name).ToList();
        // A layer's width rounds when its turn comes; a cost is one of rounded widths.
        IReadOnlyList<(string Layer, long Lost)> Losses(Part part)
            => part.Start.Losses(part.Missing(part.Start, part.Steps - 1, long.MaxValue), isRounded: part.Costs is not null);
        var layers =
            from part in _parts
            from layer in Losses(part).GroupBy(one => one.Layer)
            where layer.Any(one => one.Lost > 0)
            let candidates = part.Start.Within(layer.Key)
            let gone = layer.Zip(candidates.Pools, (one, pool) => one.Lost + pool.Gone).ToArray()
            select (Place: names.IndexOf(layer.Key), Part: Part.Of(part.Options, candidates, gone));
        return [.. layers.OrderBy(layer => _options.Schedule.Order == LayerOrder.TopDown ? -layer.Place : layer.Place).Select(layer => new[] { layer.Part })];
    }

    /// <summary>Candidates that take their steps together.</summary>
    /// <param name="Options">The options, of one rule.</param>
    /// <param name="Start">The candidates at the start.</param>
    /// <param name="Gone">How many of each pool are gone after each step; none where the amount is a cost.</param>
    /// <param name="Costs">Where the amount is a cost, the share of it that is gone after each step.</param>
    private sealed record Part(SelectionOptions Options, Candidates Start, IReadOnlyList<IReadOnlyList<long>> Gone, IReadOnlyList<double>? Costs)
    {
        public int Steps => Costs?.Count ?? Gone.Select(pool => pool.Count).DefaultIfEmpty(1).Max();

        public CandidateRecord? Record { get; set; }

        public static Part Of(SelectionOptions options, Candidates start) => options.Amount.Budget is null ? Of(options, start, start.Targets())
            : new(options, start, [], options.Schedule.Sparsities(start.CostGone, start.CostTarget()));

        public static Part Of(SelectionOptions options, Candidates start, IReadOnlyList<long> targets)
            => new(options, start, [.. start.Pools.Zip(targets, (pool, target) => options.Schedule.Counts(pool.Gone, target, pool.Total))], null);

        /// <summary>How many more of each pool have to go in a step.</summary>
        /// <param name="now">What is there.</param>
        /// <param name="step">The step.</param>
        /// <param name="most">How many of a pool go at most.</param>
        public IReadOnlyList<long> Missing(Candidates now, int step, long most) => Costs is not null ? now.DropsForCost(Costs[Math.Min(step, Steps - 1)], most)
            : [.. Gone.Zip(now.Pools, (gone, pool) => Math.Clamp(gone[Math.Min(step, gone.Count - 1)] - pool.Gone, 0, most))];

        /// <summary>Pools of which candidates stay that the amount asks for.</summary>
        public IEnumerable<string> Held(PrunedNetwork after, ImportanceScores scores)
        {
            if (Options.MinimumKept == 0 || Costs is not null)
            {
                return [];
            }

            var now = Start.In(Start.Open(after), scores);
            return from pool in now.Pools.Select((pool, p) => (pool.Members, Missing: Gone[p][^1] - pool.Gone, Room: now.Room(p)))
                where pool.Missing > 0 && pool.Room == 0
                let layers = string.Join(", ", pool.Members.Select(member => $"'{member.Layer}'").Distinct())
                select string.Create(CultureInfo.InvariantCulture, $"The amount {Options.Amount} is not reached: {nameof(SelectionOptions.MinimumKept)} "
                    + $"{Options.MinimumKept} keeps {pool.Missing:N0} weights or structures of {layers} that it asks for.");
        }
    }
}

/// <summary>What a step of a schedule comes to.</summary>
/// <param name="Network">The network after it.</param>
/// <param name="Pruned">Measured right after pruning.</param>
/// <param name="FineTuned">Measured after fine-tuning.</param>
/// <param name="Kept">Whether the network stays so.</param>
/// <param name="Bound">What the loss of metric is at most.</param>
internal readonly record struct PruningStepEnd(PrunedNetwork Network, ValidationResult? Pruned = null, ValidationResult? FineTuned = null, bool Kept = true,
    LossBound? Bound = null);
