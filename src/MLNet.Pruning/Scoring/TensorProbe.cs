using Google.Protobuf;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring.Native;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNet.Pruning.Scoring;

/// <summary>Runs a network over batches of rows in ONNX Runtime and shows tensors within it.</summary>
internal sealed class TensorProbe : IDisposable
{
    private readonly InferenceSession? _session;
    private readonly RunOptions _options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
    private readonly Network _network;
    private readonly string[] _computed;
    private readonly IReadOnlyList<string> _tensors;

    /// <param name="network">The network, with values.</param>
    /// <param name="tensors">What is shown: inputs, or what nodes compute.</param>
    /// <exception cref="NotSupportedException">ONNX Runtime does not run the network.</exception>
    public TensorProbe(Network network, IReadOnlyList<string> tensors)
    {
        (_network, _tensors) = (network, tensors);
        _computed = [.. tensors.Where(tensor => network.Producer(tensor) is not null)];
        if (_computed.Length == 0)
        {
            return;
        }

        var form = InferenceForm.Of(network, _computed);
        using var options = new SessionOptions { IntraOpNumThreads = TorchThreads.Worth(network, 64), InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        try
        {
            _session = new(OnnxWriter.Write(form).ToByteArray(), options);
        }
        catch (OnnxRuntimeException e)
        {
            throw Refused(e);
        }
    }

    /// <param name="rows">Values of all inputs, a row after another.</param>
    /// <param name="count">Rows.</param>
    /// <param name="visit">Called with each tensor's values.</param>
    /// <exception cref="NotSupportedException">ONNX Runtime does not run the network on these rows.</exception>
    public void Run(float[] rows, int count, Action<string, ReadOnlySpan<float>> visit)
    {
        var (info, start, width) = (OrtMemoryInfo.DefaultInstance, 0, _network.RowSize);
        var inputs = new List<OrtValue>();
        var read = new Dictionary<string, float[]>();
        try
        {
            foreach (var input in _network.Inputs)
            {
                var values = new float[count * input.RowSize];
                for (var row = 0; row < count; row++)
                {
                    rows.AsSpan(row * width + start, input.RowSize).CopyTo(values.AsSpan(row * input.RowSize));
                }

                start += input.RowSize;
                read[input.Name] = values;
                inputs.Add(OrtValue.CreateTensorValueFromMemory(info, values.AsMemory(), [count, .. input.Shape.Skip(1).Select(size => (long)size)]));
            }

            if (_session is { } session)
            {
                using var outputs = Outputs(session, inputs);
                for (var i = 0; i < _computed.Length; i++)
                {
                    visit(_computed[i], Values(outputs[i]));
                }
            }

            foreach (var tensor in _tensors.Where(read.ContainsKey))
            {
                visit(tensor, read[tensor]);
            }
        }
        finally
        {
            inputs.ForEach(input => input.Dispose());
        }
    }

    public void Dispose()
    {
        _session?.Dispose();
        _options.Dispose();
    }

    private IDisposableReadOnlyCollection<OrtValue> Outputs(InferenceSession session, List<OrtValue> inputs)
    {
        try
        {
            return session.Run(_options, session.InputNames, inputs, session.OutputNames);
        }
        catch (OnnxRuntimeException e)
        {
            throw Refused(e);
        }
    }

    private static NotSupportedException Refused(OnnxRuntimeException e) => new($"The network cannot be run on calibration rows: {e.Message}", e);

    private static ReadOnlySpan<float> Values(OrtValue tensor) => tensor.GetTensorTypeAndShape().ElementDataType switch
    {
        TensorElementType.Int64 => Array.ConvertAll(tensor.GetTensorDataAsSpan<long>().ToArray(), value => (float)value),
        TensorElementType.Int32 => Array.ConvertAll(tensor.GetTensorDataAsSpan<int>().ToArray(), value => (float)value),
        _ => tensor.GetTensorDataAsSpan<float>(),
    };
}
