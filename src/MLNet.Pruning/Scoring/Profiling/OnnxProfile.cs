using System.Diagnostics;
using System.Text.Json;
using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Scoring.Profiling;

/// <summary>
/// Where the time of a network goes in ONNX Runtime, as its own profile has it. A node takes some microseconds longer while it is profiled, more than a small
/// layer takes by itself: as much as nodes take that do next to nothing is taken off, and how long a run takes as a whole is measured without a profile.
/// </summary>
internal sealed class OnnxProfile
{
    /// <summary>Runs without a profile and with one take turns of so many: other load hits both alike, and each finds its weights in the cache.</summary>
    private const int Turn = 20;

    private const int WarmUps = 5;
    private const int MostRuns = 300;
    private const double MostSeconds = 0.5;

    /// <summary>Some 20 MB of JSON.</summary>
    private const int MostEvents = 20_000;

    /// <summary>What stands behind a node's name in the profile.</summary>
    private const string Suffix = "_kernel_time";

    private OnnxProfile(ImmutableArray<KernelTime> kernels, double milliseconds) => (Kernels, Milliseconds) = (kernels, milliseconds);

    /// <summary>The nodes that ONNX Runtime runs, in an order in which they can run.</summary>
    public ImmutableArray<KernelTime> Kernels { get; }

    /// <summary>Of a run as a whole, without a profile.</summary>
    public double Milliseconds { get; }

    /// <summary>Profiles runs on rows of zeros, after a warm-up.</summary>
    /// <param name="network">The network, with values; its inputs are batches of rows of fixed sizes.</param>
    /// <param name="batch">Rows in a run.</param>
    /// <param name="threads">Threads of each run.</param>
    /// <param name="cancellation">Ends the profiling.</param>
    /// <exception cref="NotSupportedException">ONNX Runtime does not run the network.</exception>
    public static OnnxProfile Of(Network network, int batch, int threads, CancellationToken cancellation)
    {
        var idle = Run(Network.Sequential([1], [.. Enumerable.Range(0, 8).Select(i => i % 2 == 0 ? Layer.Sigmoid() : Layer.Tanh())]), 1, threads,
            cancellation).Nodes.Values.Order().ToArray();
        var form = InferenceForm.Of(network);
        var (graph, nodes, whole) = Run(form, batch, threads, cancellation);
        var covers = new KernelCover(form, graph.Node).Find();
        return new([.. graph.Node.Select((node, i) => new KernelTime(node, covers[i],
            Math.Max(0, nodes.GetValueOrDefault(node.Name) - idle[idle.Length / 2]) / 1e3))], whole);
    }

    /// <summary>The graph that runs, the microseconds of its nodes by name, and the milliseconds of a run without a profile.</summary>
    private static (GraphProto Graph, Dictionary<string, double> Nodes, double Milliseconds) Run(Network form, int batch, int threads,
        CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("MLNet.Pruning.");
        try
        {
            var optimized = Path.Combine(folder.FullName, "optimized.onnx");
            var (profile, times) = Profile(form, batch, threads, Path.Combine(folder.FullName, "profile"), optimized, cancellation);
            using var json = JsonDocument.Parse(File.ReadAllBytes(profile));
            var nodes = json.RootElement.EnumerateArray()
                .Where(entry => entry.GetProperty("cat").GetString() == "Node"
                    && entry.GetProperty("name").GetString()!.EndsWith(Suffix, StringComparison.Ordinal))
                .GroupBy(entry => entry.GetProperty("name").GetString()![..^Suffix.Length], entry => entry.GetProperty("dur").GetDouble())
                .ToDictionary(entries => entries.Key, Mean);
            return (OnnxFile.Read(optimized).Graph, nodes, Mean(times));
        }
        catch (OnnxRuntimeException e)
        {
            throw new NotSupportedException(
                string.Create(CultureInfo.InvariantCulture, $"ONNX Runtime does not run the network with {batch:N0} rows in a batch: {e.Message}"), e);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Without the warm-up, and without the quarter of the runs in which something else had the processor.</summary>
    private static double Mean(IEnumerable<double> times)
    {
        var sorted = times.Skip(WarmUps).Order().ToArray();
        return sorted.Take(sorted.Length - sorted.Length / 4).Average();
    }

    /// <summary>Runs a network, and gives the path of the profile and the milliseconds of runs without.</summary>
    private static (string Profile, List<double> Milliseconds) Profile(Network form, int batch, int threads, string prefix, string optimized,
        CancellationToken cancellation)
    {
        var model = OnnxWriter.Write(form).ToByteArray();
        using var plain = OnnxSession.Options(threads);
        using var profiling = OnnxSession.Options(threads);
        profiling.OptimizedModelFilePath = optimized;
        // Where the profile goes is asked for when profiling is enabled, not later.
        profiling.ProfileOutputPathPrefix = prefix;
        profiling.EnableProfiling = true;
        using var session = new InferenceSession(model, plain);
        using var profiled = new InferenceSession(model, profiling);
        using var run = new RunOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        OrtValue[] inputs = [.. form.Inputs.Select(input => OrtValue.CreateTensorValueFromMemory(new float[checked(batch * input.RowSize)],
            [batch, .. input.Shape.Skip(1).Select(size => (long)size)]))];
        try
        {
            string[] names = [.. form.Inputs.Select(input => input.Name)];
            using var outputs = session.Run(run, names, inputs, session.OutputNames);
            var times = new List<double>();
            var start = Stopwatch.GetTimestamp();
            do
            {
                for (var i = 0; i < Turn; i++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    var before = Stopwatch.GetTimestamp();
                    session.Run(run, names, inputs, session.OutputNames, outputs);
                    times.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
                }

                for (var i = 0; i < Turn; i++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    profiled.Run(run, names, inputs, session.OutputNames, outputs);
                }
            }
            while (times.Count < MostRuns && (long)times.Count * form.Nodes.Length < MostEvents && Stopwatch.GetElapsedTime(start).TotalSeconds < MostSeconds);

            return (profiled.EndProfiling(), times);
        }
        finally
        {
            Array.ForEach(inputs, input => input.Dispose());
        }
    }
}
