using MLNet.Pruning.Cli.Runtime;
using MLNet.Pruning.Data;
using Microsoft.ML;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>A step on rows: measured, and fine-tuned where it does so, in an ML.NET chain.</summary>
/// <param name="Data">CSV file with a header.</param>
/// <param name="Label">Name of the label's column.</param>
/// <param name="Task">What the outputs mean; null to tell from the network.</param>
/// <param name="LearningRate">Step size of Adam.</param>
/// <param name="BatchSize">Rows in a step.</param>
/// <param name="Seed">Of the split and the training.</param>
/// <param name="Gpu">The GPU that trains; null for the CPU.</param>
internal sealed record FineTuning(FileInfo Data, string Label, LearningTask? Task, double LearningRate, int BatchSize, int Seed, int? Gpu)
{
    /// <exception cref="ArgumentException">The rows or the task do not fit the network.</exception>
    public (Network, T) Fit<T>(Network network, Func<MLContext, IEstimator<NeuralNetworkTransformer>> step, Progress progress)
        where T : StepReport
    {
        if (network.Outputs.Length > 1)
        {
            throw new ArgumentException($"The network has {network.Outputs.Length} outputs "
                + $"({string.Join(", ", network.Outputs.Select(output => output.Name))}); training needs a network with one.");
        }

        var task = Task ?? (network.Output.RowSize > 1 ? LearningTask.Multiclass
            : throw new ArgumentException("A network with one output may be of either task: give --task binary or --task regression."));
        var ml = new MLContext(Seed) { GpuDeviceId = Gpu, FallbackToCpu = false };
        var rows = new CsvRows(ml, Data, Label).Load(task, network.Output.RowSize);
        var chain = ml.Transforms.LoadNetwork(new LoadNetworkOptions
        {
            Network = network,
            InputColumnNames = [CsvRows.Features],
            LabelColumnName = CsvRows.LabelColumn,
            Task = task,
            Seed = Seed,
            Training = new() { LearningRate = LearningRate, BatchSize = BatchSize, Seed = Seed, Progress = progress.Epochs },
        }).Append(step(ml));
        var last = chain.Fit(rows).LastTransformer;
        // A pipeline trains rows of scores; the file keeps the output that it has.
        return (ScoreOutput.Restore(last.Network, network), last.GetReport<T>());
    }
}
