using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Native;
using MLNet.Pruning.Training.Distilling;
using MLNet.Pruning.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training;

/// <summary>Fits a network's weights to rows. The network given is not changed.</summary>
internal sealed class TrainingLoop
{
    private readonly Scalar _one = 1.0;
    private readonly TrainingData _data;
    private readonly TrainingOptions _options;
    private readonly LearningTask _task;
    private readonly Validation _validation;
    private readonly Device _device;
    private readonly Action<EpochResult> _report;

    /// <param name="data">Rows, split into those to train on and those to measure on.</param>
    /// <param name="options">Validated options.</param>
    /// <param name="task">What the outputs mean.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="report">Called with every epoch.</param>
    /// <exception cref="ArgumentException">The loss or the metric does not fit the task.</exception>
    public TrainingLoop(TrainingData data, TrainingOptions options, LearningTask task, Device device, Action<EpochResult> report)
    {
        (_data, _options, _task, _device, _report) = (data, options, task, device, report);
        _validation = Validation.Of(data, task, options);
    }

    /// <summary>Trains.</summary>
    /// <param name="network">The network to start from, with values.</param>
    /// <param name="masks">Weights to hold at zero; they have to be zero in the network already.</param>
    /// <param name="seed">Seed of the order of rows and of dropout.</param>
    /// <param name="snapshotEpoch">Epoch after which the weights are kept aside, 0 for none.</param>
    /// <param name="callback">Takes part in every step; null for none.</param>
    /// <param name="session">The teacher it learns from; null where the options name no distillation.</param>
    /// <param name="isFresh">Whether the network was never trained: then half of the epochs pass before it rounds, where the options say that it does.</param>
    /// <param name="floats">The network without what rounds in it, which is measured beside it; null where nothing does.</param>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <exception cref="NotSupportedException">The network rounds to integers on its way.</exception>
    /// <exception cref="InvalidOperationException">The loss or the weights left the finite numbers, or early stopping has no validation rows.</exception>
    /// <exception cref="MetricException">Early stopping goes by a metric that the validation rows do not define.</exception>
    public TrainingResult Run(Network network, IReadOnlyDictionary<string, WeightMask> masks, int seed, int snapshotEpoch = 0,
        TrainingCallback? callback = null, DistillationSession? session = null, bool isFresh = false, Func<Network, Network>? floats = null)
    {
        if (isFresh && _options is { Quantization: not null, Epochs: > 1 })
        {
            return RunInHalves(network, masks, seed, session);
        }

        NativeHeap.KeepFreed();
        try
        {
            return _options.Quantization is not { } quantizer ? Train(network, masks, seed, snapshotEpoch, callback, session, floats)
                : quantizer.Train(network, _data, seed, _options.CancellationToken, (rounding, asFloats)
                    => Train(rounding, masks, seed, snapshotEpoch, callback, session, asFloats));
        }
        finally
        {
            NativeHeap.GiveBack();
        }
    }

    /// <summary>Ranges, and statistics of batch normalisation that is folded, are those of a network that has learned something (Jacob et al. 2018).</summary>
    private TrainingResult RunInHalves(Network network, IReadOnlyDictionary<string, WeightMask> masks, int seed, DistillationSession? session)
    {
        var half = _options.Epochs / 2;
        TrainingResult Part(TrainingOptions options, Network from, int before)
        {
            EpochResult Of(EpochResult epoch) => epoch.Behind(before, _options.Epochs);
            var result = new TrainingLoop(_data, options, _task, _device, epoch => _report(Of(epoch))).Run(from, masks, seed, session: session);
            return result with { History = [.. result.History.Select(Of)] };
        }

        var floats = Part(_options.Head(half) with { Quantization = null }, network, 0);
        var rounded = Part(_options.Tail(_options.Epochs - half), floats.Network, half);
        return rounded with { History = [.. floats.History, .. rounded.History] };
    }

    private TrainingResult Train(Network network, IReadOnlyDictionary<string, WeightMask> masks, int seed, int snapshotEpoch, TrainingCallback? callback,
        DistillationSession? session, Func<Network, Network>? floats)
    {
        if (network.Nodes.FirstOrDefault(node => node is { Domain: "", Operator: "QuantizeLinear" or "DynamicQuantizeLinear" }) is { } quantized)
        {
            throw new NotSupportedException($"Node '{quantized.Name}' ({quantized.Operator}) rounds, so that no gradient passes: train and prune the network "
                + "of "
                + "floats, then quantize it.");
        }

        if (_options.EarlyStoppingPatience is not null && _data.ValidationRows.IsEmpty)
        {
            throw new InvalidOperationException("Early stopping needs validation rows: train with a ValidationFraction above 0.");
        }

        using var threads = new TorchThreads(TorchThreads.Worth(network, _options.BatchSize));
        using var scope = NewDisposeScope();
        using var weights = new TrainedWeights(network, masks, _device);
        var penalty = _options.Regularization?.Bind(network, weights.Graph.Parameters);
        using var distillation = session is null ? null : new DistillationLoss(session, network, _device, seed);
        using var rule = _options.Optimizer.Create([.. weights.Trained(network, _options.LastLayers), .. distillation?.Trained ?? []], _options.WeightDecay);
        var change = _options.Augmentation?.Bind(network, seed);
        using var dropout = new Generator((ulong)(uint)seed);
        using var batch = new Batch(_data, _task, (int)Math.Min(_options.BatchSize + 1L, int.MaxValue), _device, stays: true);
        var random = new Random(seed);
        var order = _data.TrainingRows.ToArray();
        var steps = Steps(network, order.Length);
        List<TrainingCallback> callbacks = [];
        if (_options.TargetedDropout is { } targeted)
        {
            callbacks.Add(targeted.Bind(network));
        }

        if (callback is not null)
        {
            callbacks.Add(callback);
        }

        callbacks.ForEach(one => one.Begin(weights, (long)steps * _options.Epochs, seed));
        var step = new StepState(weights, rule, penalty, distillation, callbacks, batch, change, dropout);
        var history = new List<EpochResult>();
        Network? best = null, snapshot = null;
        ValidationResult? bestResult = null;
        var sinceBest = 0;
        for (var epoch = 0; epoch < _options.Epochs; epoch++)
        {
            random.Shuffle(order);
            var loss = Epoch(epoch, order, steps, step);
            callbacks.ForEach(one => one.BeforeMeasuring());
            var validation = _data.ValidationRows.IsEmpty ? null : _validation.Measure(weights.Graph, batch, weights.Snapshot);
            callbacks.ForEach(one => one.AfterMeasuring());
            var result = new EpochResult(epoch + 1, _options.Epochs, loss, validation)
            {
                Floats = floats is null ? null : _validation.Measure(floats(weights.Snapshot())),
            };
            history.Add(result);
            _report(result);
            if (epoch + 1 == snapshotEpoch)
            {
                snapshot = weights.Snapshot();
            }

            if (_options.EarlyStoppingPatience is not { } patience || !callbacks.All(one => one.IsSettled))
            {
                continue;
            }

            if (IsBetter(validation!, bestResult))
            {
                (best, bestResult, sinceBest) = (weights.Snapshot(), validation, 0);
            }
            else if (++sinceBest >= patience)
            {
                break;
            }
        }

        return Finite(new(best ?? weights.Snapshot(), best is null ? history[^1].Validation : bestResult, history, snapshot));
    }

    /// <summary>Whether an epoch is the best so far. One whose loss left the finite numbers never is.</summary>
    /// <exception cref="MetricException">The rows do not define the metric.</exception>
    private bool IsBetter(ValidationResult epoch, ValidationResult? best) => double.IsNaN(epoch.Metric) && double.IsFinite(epoch.Loss)
        ? throw new MetricException(epoch.Name, "early stopping")
        : double.IsFinite(epoch.Loss) && (best is null || best.LossTo(epoch) < 0);

    /// <summary>What the last step made: losses are those before a step.</summary>
    private TrainingResult Finite(TrainingResult result)
    {
        FiniteWeights.Check(result.Network, "Training diverged in its last steps", Remedy);
        return result.Validation is not { Loss: var loss } || double.IsFinite(loss) ? result
            : throw new InvalidOperationException($"Training diverged: the loss on the validation rows is {loss} at its end. {Remedy}");
    }

    private string Remedy => $"Lower the learning rate ({_options.LearningRate}), clip gradients, or normalise the features.";

    /// <summary>Steps of an epoch. Where batch statistics are taken, which needs two rows, a last batch of one joins the one before.</summary>
    private int Steps(Network network, int rows)
    {
        var (full, rest) = Math.DivRem(rows, _options.BatchSize);
        var joins = rest == 1 && full > 0 && network.Nodes.Any(node => node.Operator == "BatchNormalization");
        return full + (rest == 0 || joins ? 0 : 1);
    }

    private double Epoch(int epoch, int[] order, int steps, StepState state)
    {
        var start = 0;
        // Read when the epoch is over: a GPU falls behind the processor that gives it work, and reading a value waits for it.
        using var scope = NewDisposeScope();
        var (losses, counts, whole) = (new Tensor[steps], new double[steps], _data.Weight(order));
        for (var step = 0; step < steps; step++)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            var rows = order.AsSpan(start, step == steps - 1 ? order.Length - start : _options.BatchSize);
            start += rows.Length;
            var now = epoch + (double)step / steps;
            var rate = _options.LearningRate * _options.RateFactor(now, steps);
            double Factor(LearningRateSchedule schedule) => schedule.Factor(now, _options.Epochs, steps);
            losses[step] = Step(rows, rate, (long)epoch * steps + step + 1, Factor, state);
            counts[step] = _data.Weight(rows);
        }

        var loss = LossFunction.Values(losses).Zip(counts, (loss, count) => loss * count / whole).Sum();
        return double.IsFinite(loss) ? loss : throw new InvalidOperationException(
            $"Training diverged: the loss is {loss} in epoch {epoch + 1}. {Remedy}");
    }

    /// <returns>The loss before the step, owned by the caller's dispose scope.</returns>
    private Tensor Step(ReadOnlySpan<int> rows, double rate, long step, Func<LearningRateSchedule, double> factor, StepState state)
    {
        // A step of a large network with callbacks takes longer than a user waits, so that its parts look at the token.
        using var scope = NewDisposeScope();
        var (features, targets, weights) = state.Batch.Gather(rows, state.Change);
        state.Rule.ClearGradients();
        state.Callbacks.ForEach(one => one.BeforeForward());
        _options.CancellationToken.ThrowIfCancellationRequested();
        var logits = state.Weights.Graph.Forward(features, training: true, state.Dropout, state.Distillation?.Visit);
        var loss = LossFunction.Mean(_validation.Loss, logits, targets, weights);
        loss = state.Distillation?.Mix(loss, logits, rows, state.Change is null ? null : features, factor) ?? loss;
        _options.CancellationToken.ThrowIfCancellationRequested();
        (state.Penalty is null ? loss : loss.add(state.Penalty(), _one)).backward();
        // In reverse: the last to change the weights is the first to put them back.
        for (var i = state.Callbacks.Count - 1; i >= 0; i--)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            state.Callbacks[i].AfterBackward();
        }

        state.Weights.MaskGradients();
        if (_options.GradientClipping is { } limit)
        {
            nn.utils.clip_grad_norm_(state.Weights.Trainable, limit);
        }

        _options.CancellationToken.ThrowIfCancellationRequested();
        state.Rule.Step(rate);
        _options.CancellationToken.ThrowIfCancellationRequested();
        state.Callbacks.ForEach(one => one.AfterStep(step, rate));
        return loss.detach().MoveToOuterDisposeScope();
    }

    /// <summary>What every step works with.</summary>
    private sealed record StepState(TrainedWeights Weights, UpdateRule Rule, Func<Tensor>? Penalty, DistillationLoss? Distillation,
        List<TrainingCallback> Callbacks, Batch Batch, RowChange? Change, Generator Dropout);
}

/// <summary>What a training gave.</summary>
/// <param name="Network">The network with its new weights.</param>
/// <param name="Validation">What it measures on the validation rows; null without such rows.</param>
/// <param name="History">Its epochs.</param>
/// <param name="Snapshot">The weights after the epoch requested; null where none was requested or the training ended before it.</param>
internal sealed record TrainingResult(Network Network, ValidationResult? Validation, IReadOnlyList<EpochResult> History, Network? Snapshot)
{
    /// <summary>The steps between integers that were learned, of the quantiser that learned them; null where nothing was rounded.</summary>
    public object? Steps { get; init; }
}
