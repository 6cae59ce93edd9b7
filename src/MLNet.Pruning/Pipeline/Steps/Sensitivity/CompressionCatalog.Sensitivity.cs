using MLNet.Pruning.Pipeline.Columns;
using MLNet.Pruning.Pipeline.Steps;
using MLNet.Pruning.Pipeline.Steps.Sensitivity;

namespace MLNet.Pruning;

public sealed partial class CompressionCatalog
{
    /// <summary>
    /// Measures the last network of a fitted model on its validation rows with one layer pruned at a time: how much each layer tolerates. Nothing is trained,
    /// and the model stays as it is.
    /// </summary>
    /// <param name="model">A fitted step or chain.</param>
    /// <param name="data">
    /// The rows the chain was fitted on; those that were held back for validation are measured. For a single step, the rows as the step gets them.
    /// </param>
    /// <param name="options">Which sparsities, weights or structures and importance; by default single weights by magnitude.</param>
    /// <returns>The metric against the sparsity, layer by layer: a table as text, a picture by <see cref="SensitivityReport.SaveSvg(string)"/>.</returns>
    /// <exception cref="ArgumentException">The model has no neural network, or nothing in scope can be pruned.</exception>
    /// <exception cref="InvalidOperationException">The network was trained without validation rows.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <example>
    /// <code>
    /// var report = ml.Compression().Sensitivity(model, data, new SensitivityOptions { Granularity = Granularity.Filter });
    /// Console.WriteLine(report);
    /// report.SaveSvg("sensitivity.svg");
    /// </code>
    /// </example>
    public SensitivityReport Sensitivity(ITransformer model, IDataView data, SensitivityOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        options ??= new();
        options.Validate();
        ITransformer[] steps = [.. NetworkChains.Flatten(model)];
        var last = Array.FindLastIndex(steps, step => step is NeuralNetworkTransformer);
        if (last < 0)
        {
            throw new ArgumentException($"The model ({model.GetType().Name}) has no neural network in it.", nameof(model));
        }

        var state = ((NeuralNetworkTransformer)steps[last]).State;
        var rows = steps[..last].Aggregate(data, (view, step) => step.Transform(view));
        return SensitivityMeasurement.Run(state, NetworkStep.Read(rows, state, options.CancellationToken), options);
    }
}
