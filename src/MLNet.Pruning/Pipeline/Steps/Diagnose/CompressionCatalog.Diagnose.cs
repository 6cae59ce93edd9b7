using MLNet.Pruning.Evaluation.Diagnosis;
using MLNet.Pruning.Pipeline.Columns;
using MLNet.Pruning.Pipeline.Steps.Diagnose;

namespace MLNet.Pruning;

public sealed partial class CompressionCatalog
{
    /// <summary>
    /// Tells why a model is not as small or as fast as it could be, the last network of a fitted chain and what is around it: what stands in the way, what
    /// share of the time or the bytes each costs, measured on this machine in ONNX Runtime, and what to do about it. The model stays as it is.
    /// </summary>
    /// <param name="model">A fitted step or chain.</param>
    /// <param name="data">
    /// Rows with the columns that the model reads; null for none. With rows it is measured what of scoring them is not the network's time.
    /// </param>
    /// <param name="options">How the network is run, and what is looked for; by default one row at a time, and everything.</param>
    /// <exception cref="ArgumentException">
    /// The model has no neural network: what trees cost is their number and size, which <see cref="Measure(ITransformer)"/> tells.
    /// </exception>
    /// <exception cref="NotSupportedException">ONNX Runtime does not run the network.</exception>
    /// <exception cref="TrainingDataException">There are no rows.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <example>
    /// <code>
    /// var report = ml.Compression().Diagnose(model, data);
    /// Console.WriteLine(report);
    /// </code>
    /// </example>
    public DiagnosisReport Diagnose(ITransformer model, IDataView? data = null, DiagnosisOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= new();
        ITransformer[] steps = [.. NetworkChains.Flatten(model)];
        var last = Array.FindLastIndex(steps, step => step is NeuralNetworkTransformer);
        if (last < 0)
        {
            throw new ArgumentException($"The model ({model.GetType().Name}) has no neural network in it: what is diagnosed is how ONNX Runtime runs one. "
                + $"Of trees, {nameof(Measure)} counts what they cost.", nameof(model));
        }

        return NetworkDiagnosis.Of(((NeuralNetworkTransformer)steps[last]).Network, options,
            [.. ChainDiagnosis.Superseded(model, options), .. data is null ? [] : ChainDiagnosis.Outside(steps, last, data, options)]);
    }

    /// <summary>Tells why a network is not as small or as fast as it could be.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="options">How it is run, and what is looked for; by default one row at a time, and everything.</param>
    /// <exception cref="ArgumentException">The network has parameters without values, or its inputs have open sizes.</exception>
    /// <exception cref="NotSupportedException">ONNX Runtime does not run the network.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    /// <example>
    /// <code>
    /// var report = ml.Compression().Diagnose(Network.FromOnnx("model.onnx"), new DiagnosisOptions { BatchSize = 8, Threads = 1 });
    /// foreach (var finding in report.Findings)
    /// {
    ///     Console.WriteLine($"{finding.Share:P0} {finding.Kind}: {finding.Advice}");
    /// }
    /// </code>
    /// </example>
    public DiagnosisReport Diagnose(Network network, DiagnosisOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        return network.IsInitialized ? NetworkDiagnosis.Of(network, options ?? new(), [])
            : throw new ArgumentException("The network has parameters without values: call Network.Initialize(seed), or train it.", nameof(network));
    }
}
