using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Scoring;

/// <summary>A session of ONNX Runtime with the memory that it reads and writes for so many rows: a run allocates nothing.</summary>
internal sealed class BoundRun : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
    private readonly OrtIoBinding _binding;
    private readonly OrtValue[] _values;

    /// <param name="session">The session; others may use it at the same time.</param>
    /// <param name="count">Rows.</param>
    /// <param name="inputs">Pinned memory and shape of each input.</param>
    /// <param name="outputs">Pinned memory and shape of each output.</param>
    public BoundRun(OnnxSession session, int count, IReadOnlyList<(Memory<float> Values, long[] Shape)> inputs,
        IReadOnlyList<(Memory<float> Values, long[] Shape)> outputs)
    {
        (_session, Count, _binding) = (session.Session, count, session.Session.CreateIoBinding());
        _values = [.. inputs.Concat(outputs).Select(place => OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, place.Values, place.Shape))];
        for (var i = 0; i < inputs.Count; i++)
        {
            _binding.BindInput(session.Inputs[i], _values[i]);
        }

        for (var i = 0; i < outputs.Count; i++)
        {
            _binding.BindOutput(session.Outputs[i], _values[inputs.Count + i]);
        }
    }

    public int Count { get; }

    /// <exception cref="OnnxRuntimeException">The network cannot work on the values.</exception>
    public void Run() => _session.RunWithBinding(_options, _binding);

    public void Dispose()
    {
        _binding.Dispose();
        Array.ForEach(_values, value => value.Dispose());
        _options.Dispose();
    }
}
