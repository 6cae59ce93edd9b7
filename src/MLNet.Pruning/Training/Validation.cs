using MLNet.Pruning.Data;
using MLNet.Pruning.Evaluation.Metrics;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Native;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training;

/// <summary>Measures networks on validation rows.</summary>
/// <param name="Data">The rows, split.</param>
/// <param name="Task">What outputs mean.</param>
/// <param name="Metric">What is measured, beside the loss; it fits the task.</param>
/// <param name="Loss">A loss that fits the task.</param>
/// <param name="BatchSize">Rows run at a time.</param>
/// <param name="Cancellation">Ends a measurement.</param>
internal sealed record Validation(TrainingData Data, LearningTask Task, Metric Metric, Loss Loss, int BatchSize, CancellationToken Cancellation = default)
{
    /// <summary>By the metric and the loss of a training.</summary>
    /// <exception cref="ArgumentException">The loss or the metric does not fit the task.</exception>
    public static Validation Of(TrainingData data, LearningTask task, TrainingOptions training)
        => new(data, task, Metric.Resolve(training.Metric, task), LossFunction.Resolve(training.Loss, task), training.BatchSize, training.CancellationToken);

    /// <summary>Measures a network as it is; null without validation rows.</summary>
    public ValidationResult? Measure(Network network) => Run(network)?.Result;

    /// <summary>
    /// What a network says of the validation rows, changed where the metric changes rows, and what that measures; null without such rows.
    /// </summary>
    public (Predictions Predictions, ValidationResult Result)? Run(Network network)
    {
        if (Data.ValidationRows.IsEmpty)
        {
            return null;
        }

        using var threads = new TorchThreads(TorchThreads.Worth(network, BatchSize));
        using var scope = NewDisposeScope();
        using var graph = TorchGraph.ForScoring(network);
        using var batch = new Batch(Data, Task, BatchSize, CPU);
        return Run(rows => graph.Forward(rows), batch, () => network);
    }

    /// <summary>Measures a network as a chain scores it, with integers where it has them; null without validation rows.</summary>
    public ValidationResult? MeasureScored(Network network)
    {
        if (Data.ValidationRows.IsEmpty)
        {
            return null;
        }

        using var scope = NewDisposeScope();
        using var batch = new Batch(Data, Task, BatchSize, CPU);
        using var scorer = Scorer.Create(network, softmax: false, batch.Capacity);
        return Run(rows =>
        {
            var count = (int)rows.shape[0];
            TensorValues.Of(rows).CopyTo(scorer.Rows, 0);
            scorer.Run(count);
            return tensor(Enumerable.Range(0, count).SelectMany(row => scorer.Scores(row).ToArray()).ToArray()).reshape(count, -1);
        }, batch, () => network).Result;
    }

    /// <summary>Measures a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="batch">Room for its rows.</param>
    /// <param name="network">Gives it as a network, for metrics of more than its predictions.</param>
    public ValidationResult Measure(TorchGraph graph, Batch batch, Func<Network> network) => Run(rows => graph.Forward(rows), batch, network).Result;

    private (Predictions Predictions, ValidationResult Result) Run(Func<Tensor, Tensor> forward, Batch batch, Func<Network> network)
    {
        using var noGrad = no_grad();
        var rows = Data.ValidationRows.AsSpan();
        var labels = new float[rows.Length];
        var weights = Data.IsWeighted ? new float[rows.Length] : null;
        float[] scores = [];
        double lossSum = 0;
        for (var start = 0; start < rows.Length; start += batch.Capacity)
        {
            Cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var part = rows.Slice(start, Math.Min(batch.Capacity, rows.Length - start));
            var (features, targets, counts) = batch.Gather(part);
            var logits = forward(features);
            lossSum += (double)LossFunction.Value(LossFunction.Mean(Loss, logits, targets, counts)) * Data.Weight(part);
            var values = MemoryMarshal.Cast<byte, float>(logits.cpu().contiguous().bytes);
            var outputs = values.Length / part.Length;
            scores = scores.Length > 0 ? scores : new float[checked(rows.Length * outputs)];
            values.CopyTo(scores.AsSpan(start * outputs));
            for (var i = 0; i < part.Length; i++)
            {
                labels[start + i] = Data.Target(part[i]);
                weights?[start + i] = Data.Weight(part[i]);
            }
        }

        var trial = new Trial(network)
        {
            Task = Task, Data = Data, Rows = Data.ValidationRows, BatchSize = BatchSize, Cancellation = Cancellation,
            Predictions = new(Task, scores, labels, weights),
            Training = new(network) { Task = Task, Data = Data, Rows = Data.TrainingRows, BatchSize = BatchSize, Cancellation = Cancellation },
        };
        return (Metric.Seen(trial), new(Metric.On(trial).Value, lossSum / Data.Weight(rows), Metric));
    }
}
