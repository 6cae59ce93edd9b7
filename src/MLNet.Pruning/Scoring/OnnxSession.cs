using Google.Protobuf;
using MLNet.Pruning.Networks.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Scoring;

/// <summary>
/// A network in ONNX Runtime, for any number of threads at a time. Those that score the same network share it; the last few stay loaded
/// when nobody uses them, so that views that are opened again and again do not load theirs every time.
/// </summary>
internal sealed class OnnxSession
{
    private const int MostIdle = 4;

    /// <summary>Larger networks are let go of at once: loading them costs little beside running them.</summary>
    private const long LargestIdle = 1 << 22;

    private static readonly Lock s_lock = new();
    private static readonly List<OnnxSession> s_open = [];

    private readonly WeakReference<Network> _network;
    private readonly int _threads;
    private readonly bool _staysIdle;
    private int _users;

    private OnnxSession(Network network, int threads, bool isPart)
    {
        (_network, _threads, _staysIdle) = (new(network), threads, network.ParameterCount <= LargestIdle);
        var form = isPart ? InferenceForm.Of(network, network.Graph.Outputs) : InferenceForm.Of(network);
        Inputs = [.. form.Inputs.Select(input => input.Name)];
        Outputs = [.. form.Outputs.Select(output => output.Name)];
        OutputShape = [.. form.Output.Shape.Select(size => (long)size)];
        using var options = Options(threads);
        Session = new(OnnxWriter.Write(form).ToByteArray(), options);
    }

    public InferenceSession Session { get; }

    /// <summary>Names of what it reads, in the order of the network's inputs.</summary>
    public string[] Inputs { get; }

    /// <summary>Names of what it gives, in the order of the network's outputs; of the logits alone, unless it is a part.</summary>
    public string[] Outputs { get; }

    /// <summary>Sizes of what it gives, the rows first.</summary>
    public long[] OutputShape { get; }

    /// <summary>The network's session; null where ONNX Runtime does not have all its operators.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="threads">Threads of each run.</param>
    /// <param name="refusal">What ONNX Runtime says where there is none; null else.</param>
    /// <param name="isPart">Whether all its outputs are wanted as they are, not its logits.</param>
    public static OnnxSession? Rent(Network network, int threads, out string? refusal, bool isPart = false)
    {
        refusal = null;
        lock (s_lock)
        {
            var session = s_open.Find(open => open._threads == threads && open._network.TryGetTarget(out var other) && other == network);
            if (session is null)
            {
                try
                {
                    s_open.Add(session = new(network, threads, isPart));
                }
                catch (OnnxRuntimeException e)
                {
                    refusal = e.Message;
                    return null;
                }
            }

            session._users++;
            return session;
        }
    }

    /// <summary>How networks are run here.</summary>
    /// <param name="threads">Threads of each run.</param>
    public static SessionOptions Options(int threads)
    {
        var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        // Threads that spin while they wait take a core that another process may have.
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        return options;
    }

    public void Return()
    {
        lock (s_lock)
        {
            if (--_users > 0)
            {
                return;
            }

            // The one that was used last is the last to go.
            s_open.Remove(this);
            s_open.Add(this);
            var idle = s_open.Where(open => open._users == 0).ToList();
            foreach (var session in idle.Where((open, i) => !open._staysIdle || i < idle.Count - MostIdle || !open._network.TryGetTarget(out _)))
            {
                s_open.Remove(session);
                session.Session.Dispose();
            }
        }
    }
}
