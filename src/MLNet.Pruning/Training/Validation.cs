using System.Runtime.InteropServices;
using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Native;
using static TorchSharp.torch;

namespace MLNet.Pruning.Training;

/// <summary>Measures a network on validation rows.</summary>
internal static class Validation
{
    /// <summary>Measures a network as it is; null without validation rows.</summary>
    public static ValidationResult? Measure(Network network, TrainingData data, LearningTask task, Loss loss, int batchSize, CancellationToken cancellation = default)
    {
        if (data.ValidationRows.IsEmpty)
        {
            return null;
        }

        using var threads = new TorchThreads(TorchThreads.Worth(network, batchSize));
        using var scope = NewDisposeScope();
        using var graph = TorchGraph.ForScoring(network);
        using var batch = new Batch(data, task, batchSize, CPU);
        return Measure(graph, batch, data, task, loss, cancellation);
    }

    /// <summary>Measures the graph on all validation rows.</summary>
    public static ValidationResult Measure(TorchGraph graph, Batch batch, TrainingData data, LearningTask task, Loss loss, CancellationToken cancellation)
    {
        using var noGrad = no_grad();
        var rows = data.ValidationRows.AsSpan();
        double lossSum = 0, correct = 0, squaredError = 0;
        for (var start = 0; start < rows.Length; start += batch.Capacity)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var part = rows.Slice(start, Math.Min(batch.Capacity, rows.Length - start));
            var (features, targets) = batch.Gather(part);
            var logits = graph.Forward(features);
            lossSum += (double)LossFunction.Value(LossFunction.Mean(loss, logits, targets)) * part.Length;
            var values = MemoryMarshal.Cast<byte, float>(logits.cpu().contiguous().bytes);
            var outputs = values.Length / part.Length;
            for (var i = 0; i < part.Length; i++)
            {
                var row = values.Slice(i * outputs, outputs);
                var target = data.Target(part[i]);
                switch (task)
                {
                    case LearningTask.Multiclass:
                        correct += PredictedClass.Of(row) == (int)target ? 1 : 0;
                        break;
                    case LearningTask.Binary:
                        correct += row[0] > 0 == target > 0 ? 1 : 0;
                        break;
                    default:
                        squaredError += Math.Pow(row[0] - (double)target, 2);
                        break;
                }
            }
        }

        return new(task == LearningTask.Regression ? 1 - squaredError / SquaredDeviation(data) : correct / rows.Length, lossSum / rows.Length, task);
    }

    private static double SquaredDeviation(TrainingData data)
    {
        var mean = data.ValidationRows.Average(row => (double)data.Target(row));
        return data.ValidationRows.Sum(row => Math.Pow(data.Target(row) - mean, 2));
    }
}
