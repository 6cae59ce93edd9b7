using System.Diagnostics;
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

    /// <summary>Runs that are not counted.</summary>
    private const int WarmUps = 5;

    private const int MostRuns = 300;
    private const double MostSeconds = 0.5;

    /// <summary>Some 20 MB of JSON.</summary>
    private const int MostEvents = 20_000;

    /// <summary>Nodes that do next to nothing: all that they take is what the profile takes.</summary>
    private static readonly Network s_idle = Network.Sequential([1], [.. Enumerable.Range(0, 8).Select(i => i % 2 == 0 ? Layer.Sigmoid() : Layer.Tanh())]);

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
        var folder = Directory.CreateTempSubdirectory("MLNet.Pruning.");
        try
        {
            var form = InferenceForm.Of(network);
            using var plain = new ProfiledSession(form, batch, threads, null);
            using var profiled = new ProfiledSession(form, batch, threads, Path.Combine(folder.FullName, "network"));
            using var idle = new ProfiledSession(s_idle, 1, threads, Path.Combine(folder.FullName, "idle"));
            var turns = Run(plain, profiled, idle, form.Nodes.Length, cancellation);
            var graph = profiled.Graph;
            var covers = new KernelCover(form, graph.Node).Find();
            var (nodes, overhead) = (profiled.End(), idle.End().Values.ToArray());
            double[] whole = [.. turns.Select(Mean)];
            double[] taken = [.. turns.Select((_, turn) => new RunTimes(overhead.Select(times => Mean(OfTurn(times, turn, turns.Count)))).Median)];
            var milliseconds = new RunTimes(whole).Median;
            // Shares of the whole, turn by turn: what slows a turn down slows both.
            double Milliseconds(double[] times) => milliseconds * new RunTimes(turns.Select((_, turn)
                => Math.Max(0, Mean(OfTurn(times, turn, turns.Count)) - taken[turn]) / whole[turn])).Median;
            return new([.. graph.Node.Select((node, i) => new KernelTime(node, covers[i],
                nodes.TryGetValue(node.Name, out var times) ? Milliseconds(times) : 0))], milliseconds);
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

    /// <summary>The milliseconds of runs without a profile, by turn.</summary>
    private static List<double[]> Run(ProfiledSession plain, ProfiledSession profiled, ProfiledSession idle, int nodes, CancellationToken cancellation)
    {
        void Run(ProfiledSession session, int runs)
        {
            for (var i = 0; i < runs; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                session.Run();
            }
        }

        Run(plain, WarmUps);
        Run(profiled, WarmUps);
        Run(idle, WarmUps);
        var turns = new List<double[]>();
        var start = Stopwatch.GetTimestamp();
        do
        {
            var times = new double[Turn];
            for (var i = 0; i < Turn; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                var before = Stopwatch.GetTimestamp();
                plain.Run();
                times[i] = Stopwatch.GetElapsedTime(before).TotalMilliseconds;
            }

            turns.Add(times);
            Run(profiled, Turn);
            Run(idle, Turn);
        }
        while (turns.Count * Turn < MostRuns && (long)turns.Count * Turn * nodes < MostEvents && Stopwatch.GetElapsedTime(start).TotalSeconds < MostSeconds);

        return turns;
    }

    /// <summary>A node's times in a turn; where nodes share a name, those of all.</summary>
    private static IEnumerable<double> OfTurn(double[] times, int turn, int turns)
    {
        var perRun = times.Length / (WarmUps + turns * Turn);
        return times.Skip((WarmUps + turn * Turn) * perRun).Take(Turn * perRun);
    }

    /// <summary>Without the quarter of the runs in which something else had the processor.</summary>
    private static double Mean(IEnumerable<double> times)
    {
        var sorted = times.Order().ToArray();
        return sorted.Take(sorted.Length - sorted.Length / 4).Average();
    }
}
