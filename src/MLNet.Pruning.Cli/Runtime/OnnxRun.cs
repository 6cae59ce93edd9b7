using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Cli.Runtime;

/// <summary>A model in ONNX Runtime.</summary>
internal sealed class OnnxRun : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options;
    private readonly string[] _inputs;

    /// <param name="model">The file and its network.</param>
    /// <param name="threads">Threads of the runtime.</param>
    public OnnxRun(Model model, int threads)
    {
        try
        {
            // The first of ONNX Runtime, which loads it.
            _options = new();
        }
        catch (TypeInitializationException e) when (e.GetBaseException() is DllNotFoundException missing)
        {
            throw new PlatformNotSupportedException(
                $"ONNX Runtime, which runs models, could not be loaded on {RuntimeInformation.RuntimeIdentifier}. {missing.Message}", e);
        }

        using var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        _session = new(model.File.ToString(), options);
        _inputs = [.. model.Network.Inputs.Select(input => input.Name)];
        FixedRows = model.Network.Inputs.Where(input => input is { IsKnown: true, Shape: [TensorInfo.Batch, ..] })
            .Select(input => _session.InputMetadata[input.Name].Dimensions[0]).Where(size => size > 0).Cast<int?>().FirstOrDefault();
    }

    /// <summary>Rows that the file fixes a run to, where the network takes any number; null where it fixes none.</summary>
    public int? FixedRows { get; }

    /// <summary>Names of what <see cref="Run(IReadOnlyCollection{OrtValue})"/> gives.</summary>
    public IReadOnlyList<string> OutputNames => _session.OutputNames;

    public IDisposableReadOnlyCollection<OrtValue> Run(IReadOnlyCollection<OrtValue> inputs) => _session.Run(_options, _inputs, inputs, OutputNames);

    /// <summary>Runs into the outputs of an earlier run on inputs of the same shapes, which allocates nothing.</summary>
    public void Run(IReadOnlyCollection<OrtValue> inputs, IReadOnlyCollection<OrtValue> outputs) => _session.Run(_options, _inputs, inputs, OutputNames, outputs);

    public void Dispose()
    {
        _options.Dispose();
        _session.Dispose();
    }
}
