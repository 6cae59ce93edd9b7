using System.Text.Json;
using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Scoring.Profiling;

/// <summary>A network in ONNX Runtime on rows of zeros, with a profile of what its nodes take or without.</summary>
internal sealed class ProfiledSession : IDisposable
{
    /// <summary>What stands behind a node's name in the profile.</summary>
    private const string Suffix = "_kernel_time";

    private readonly RunOptions _run = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
    private readonly InferenceSession _session;
    private readonly string _optimized;
    private readonly string[] _names;
    private readonly OrtValue[] _inputs;
    private IDisposableReadOnlyCollection<OrtValue>? _outputs;

    /// <param name="form">The network.</param>
    /// <param name="batch">Rows in a run.</param>
    /// <param name="threads">Threads of each run.</param>
    /// <param name="prefix">What the paths of the files begin with that are written of it; null for no profile.</param>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime does not run the network.</exception>
    public ProfiledSession(Network form, int batch, int threads, string? prefix)
    {
        _optimized = prefix + ".onnx";
        using var options = OnnxSession.Options(threads);
        if (prefix is not null)
        {
            options.OptimizedModelFilePath = _optimized;
            // Where the profile goes is asked for when profiling is enabled, not later.
            options.ProfileOutputPathPrefix = prefix;
            options.EnableProfiling = true;
        }

        _names = [.. form.Inputs.Select(input => input.Name)];
        _session = new InferenceSession(OnnxWriter.Write(form).ToByteArray(), options);
        _inputs = [.. form.Inputs.Select(input => OrtValue.CreateTensorValueFromMemory(new float[checked(batch * input.RowSize)],
            [batch, .. input.Shape.Skip(1).Select(size => (long)size)]))];
    }

    /// <summary>The graph that runs; of a session with a profile.</summary>
    public GraphProto Graph => OnnxFile.Read(_optimized).Graph;

    /// <exception cref="OnnxRuntimeException">ONNX Runtime does not run the network.</exception>
    public void Run()
    {
        if (_outputs is null)
        {
            _outputs = _session.Run(_run, _names, _inputs, _session.OutputNames);
        }
        else
        {
            _session.Run(_run, _names, _inputs, _session.OutputNames, _outputs);
        }
    }

    /// <summary>Ends the profile; the milliseconds of each run, by name of the node.</summary>
    public Dictionary<string, double[]> End()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(_session.EndProfiling()));
        return json.RootElement.EnumerateArray()
            .Where(entry => entry.GetProperty("cat").GetString() == "Node" && entry.GetProperty("name").GetString()!.EndsWith(Suffix, StringComparison.Ordinal))
            .GroupBy(entry => entry.GetProperty("name").GetString()![..^Suffix.Length], entry => entry.GetProperty("dur").GetDouble() / 1e3)
            .ToDictionary(entries => entries.Key, entries => entries.ToArray());
    }

    public void Dispose()
    {
        _outputs?.Dispose();
        Array.ForEach(_inputs, input => input.Dispose());
        _session.Dispose();
        _run.Dispose();
    }
}
