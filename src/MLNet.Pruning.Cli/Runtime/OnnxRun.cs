using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Cli.Runtime;

/// <summary>A model in ONNX Runtime.</summary>
internal sealed class OnnxRun : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options;
    private readonly string[] _inputs;
    private readonly FileInfo _file;

    /// <param name="model">The file and its network.</param>
    /// <param name="threads">Threads of the runtime.</param>
    public OnnxRun(Model model, int threads)
    {
        try
        {
            // The first of ONNX Runtime, which loads it. What goes wrong is told by exceptions, not by its log.
            _options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        }
        catch (TypeInitializationException e) when (e.GetBaseException() is DllNotFoundException missing)
        {
            throw new PlatformNotSupportedException(
                $"ONNX Runtime, which runs models, could not be loaded on {RuntimeInformation.RuntimeIdentifier}. {missing.Message}", e);
        }

        using var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        _file = model.File;
        try
        {
            _session = new(_file.ToString(), options);
        }
        catch (OnnxRuntimeException e)
        {
            _options.Dispose();
            throw new InvalidOperationException($"{_file}: ONNX Runtime does not load it. {Reason(e)}", e);
        }

        _inputs = [.. model.Network.Inputs.Select(input => input.Name)];
        FixedRows = model.Network.Inputs.Where(input => input is { IsKnown: true, Shape: [TensorInfo.Batch, ..] })
            .Select(input => _session.InputMetadata[input.Name].Dimensions[0]).Where(size => size > 0).Cast<int?>().FirstOrDefault();
    }

    /// <summary>Rows that the file fixes a run to, where the network takes any number; null where it fixes none.</summary>
    public int? FixedRows { get; }

    /// <summary>Names of what <see cref="Run(IReadOnlyCollection{OrtValue})"/> gives.</summary>
    public IReadOnlyList<string> OutputNames => _session.OutputNames;

    /// <exception cref="InvalidOperationException">It does not run on values of these sizes.</exception>
    public IDisposableReadOnlyCollection<OrtValue> Run(IReadOnlyCollection<OrtValue> inputs)
    {
        try
        {
            return _session.Run(_options, _inputs, inputs, OutputNames);
        }
        catch (OnnxRuntimeException e)
        {
            var sizes = _inputs.Zip(inputs).Select(input => $"{input.First} of {string.Join(" x ", input.Second.GetTensorTypeAndShape().Shape)}");
            throw new InvalidOperationException($"{_file} does not run on {string.Join(" and ", sizes)}: give its open dimensions sizes that go together with "
                + $"--size name=number (inspect lists them). {Reason(e)}", e);
        }
    }

    /// <summary>Runs into the outputs of an earlier run on inputs of the same shapes, which allocates nothing.</summary>
    public void Run(IReadOnlyCollection<OrtValue> inputs, IReadOnlyCollection<OrtValue> outputs)
        => _session.Run(_options, _inputs, inputs, OutputNames, outputs);

    /// <summary>The innermost of the nodes that failed, without the path to it.</summary>
    private static string Reason(OnnxRuntimeException e)
    {
        const string marker = "Status Message: ";
        var start = e.Message.LastIndexOf(marker, StringComparison.Ordinal);
        return start < 0 ? e.Message : e.Message[(start + marker.Length)..];
    }

    public void Dispose()
    {
        _options.Dispose();
        _session.Dispose();
    }
}
