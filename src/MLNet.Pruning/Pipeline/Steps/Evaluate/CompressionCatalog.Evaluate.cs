using MLNet.Pruning.Pipeline.Columns;
using MLNet.Pruning.Pipeline.Steps.Evaluate;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning;

public sealed partial class CompressionCatalog
{
    /// <summary>Measures the last network of a fitted model on all rows, as the chain scores them. Nothing is trained, and the model stays as it is.</summary>
    /// <param name="model">A fitted step or chain.</param>
    /// <param name="data">Rows with the columns that the model reads, and its label where a metric needs it. For a single step, the rows as the step gets
    /// them.</param>
    /// <param name="metrics">What is measured, in this order; none for those of <see cref="EvaluationOptions.Metrics"/>.</param>
    /// <exception cref="ArgumentException">The model has no neural network, or a metric does not fit its task or the rows.</exception>
    /// <exception cref="TrainingDataException">There are no rows, or values in them that are not finite.</exception>
    /// <example>
    /// <code>
    /// var report = ml.Compression().Evaluate(model, data, Metric.Accuracy, Metric.MacroF1, Metric.Accuracy.Under(Perturbation.GaussianNoise(0.1)));
    /// Console.WriteLine(report);
    /// </code>
    /// </example>
    public EvaluationReport Evaluate(ITransformer model, IDataView data, params IReadOnlyList<Metric> metrics)
        => Evaluate(model, data, new EvaluationOptions { Metrics = Given(metrics) });

    /// <inheritdoc cref="Evaluate(ITransformer, IDataView, IReadOnlyList{Metric})"/>
    /// <param name="model">A fitted step or chain.</param>
    /// <param name="data">Rows with the columns that the model reads, and its label where a metric needs it.</param>
    /// <param name="options">What is measured, and rows it was trained on.</param>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <example>
    /// <code>
    /// var gap = Metric.GeneralizationGap(Metric.Accuracy);
    /// var report = ml.Compression().Evaluate(model, data, new EvaluationOptions { Metrics = [gap], TrainingData = data });
    /// Console.WriteLine(report[gap]);
    /// </code>
    /// </example>
    public EvaluationReport Evaluate(ITransformer model, IDataView data, EvaluationOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        ITransformer[] steps = [.. NetworkChains.Flatten(model)];
        var last = Array.FindLastIndex(steps, step => step is NeuralNetworkTransformer);
        if (last < 0)
        {
            throw new ArgumentException($"The model ({model.GetType().Name}) has no neural network in it.", nameof(model));
        }

        IDataView Before(IDataView view) => steps[..last].Aggregate(view, (before, step) => step.Transform(before));
        var training = options.TrainingData is { } rows ? Before(rows) : null;
        return EvaluationRun.Of((NeuralNetworkTransformer)steps[last], Before(data), training, options, Gpu(options.CancellationToken));
    }

    /// <summary>
    /// Measures a network without a chain: what it says of labelled rows, how like the images that a target column holds its own are, what it costs and takes.
    /// </summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="data">
    /// Rows with the columns that it reads, and with a label or target column where a metric needs one; null where metrics need no rows.
    /// </param>
    /// <param name="options">What is measured, and which columns are read.</param>
    /// <exception cref="ArgumentException">A metric does not fit the network or the rows.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing, or of another type or size than the network reads or gives.</exception>
    /// <exception cref="TrainingDataException">There are no rows, or values in them that are not finite.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <example>
    /// <code>
    /// var network = Network.FromOnnx("model.onnx");
    /// Console.WriteLine(ml.Compression().Evaluate(network, null, new EvaluationOptions { Metrics = [Metric.MultiplyAdds, Metric.LatencyPercentile(95)] }));
    /// </code>
    /// </example>
    public EvaluationReport Evaluate(Network network, IDataView? data, EvaluationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        options ??= new();
        if (!network.IsInitialized)
        {
            throw new ArgumentException("The network has parameters without values: call Network.Initialize(seed), or train it.", nameof(network));
        }

        if (data is null || !EvaluationRun.IsLabel(data.Schema, options.LabelColumnName))
        {
            return EvaluationRun.Of(network, data, options, Gpu(options.CancellationToken));
        }

        return Evaluate(_context.Transforms.LoadNetwork(new LoadNetworkOptions
        {
            Network = network, InputColumnNames = options.InputColumnNames, LabelColumnName = options.LabelColumnName, ImageLayout = options.ImageLayout,
            ExampleWeightColumnName = options.ExampleWeightColumnName,
        }).Fit(data), data, options);
    }

    /// <summary>The GPU that the context names, looked for when something is timed.</summary>
    private Lazy<int?> Gpu(CancellationToken cancellation) => new(() => _context.GpuDeviceId is { } gpu && IsThere(gpu, cancellation) ? gpu : null);

    // In a method of its own: the runtime loads TorchSharp for a method that names its types.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsThere(int gpu, CancellationToken cancellation)
    {
        using var channel = ((IHostEnvironment)_context).Start(nameof(Evaluate));
        return TorchRuntime.Device(gpu, _context.FallbackToCpu, channel, cancellation).type == TorchSharp.DeviceType.CUDA;
    }

    private static IReadOnlyList<Metric>? Given(IReadOnlyList<Metric> metrics) => Setting.Present(metrics, nameof(metrics)).Count == 0 ? null : metrics;
}
