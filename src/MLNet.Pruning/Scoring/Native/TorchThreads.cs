using TorchSharp;

namespace MLNet.Pruning.Scoring.Native;

/// <summary>
/// Holds libtorch to as many threads as a network's work keeps busy, while it lasts. Handing a layer to another thread and waiting for it costs
/// more than a small layer's own work, and many times that where other processes use the cores too (build/bench.sh --only busy). The number
/// depends on the network and the batch alone, so that the same seed gives the same bits, and never exceeds what
/// <c>torch.get_num_threads()</c> was.
/// </summary>
internal sealed class TorchThreads : IDisposable
{
    /// <summary>Multiply-adds of a layer over a batch that are worth a thread: about a millisecond.</summary>
    private const long Grain = 1 << 25;

    // libtorch gives a thread that is new to it the number that any thread set last: all of them find the one from before.
    private static readonly Lock s_lock = new();
    private static int s_open, s_most;

    // What the innermost of them on this thread set; 0 outside of all.
    [ThreadStatic]
    private static int t_held;

    private readonly int _outer = t_held;

    /// <param name="worth">What <see cref="Worth"/> says.</param>
    public TorchThreads(int worth)
    {
        lock (s_lock)
        {
            if (s_open++ == 0)
            {
                s_most = torch.get_num_threads();
            }

            t_held = Math.Min(worth, s_most);
            torch.set_num_threads(t_held);
        }
    }

    /// <summary>How many threads a network keeps busy, at least 1.</summary>
    /// <param name="network">The network that runs.</param>
    /// <param name="rows">Rows at a time.</param>
    public static int Worth(Network network, int rows)
    {
        var layers = network.Layers.Select(layer => layer.MultiplyAdds.AtOnes).Where(work => work > 0).DefaultIfEmpty().Average();
        return (int)Math.Clamp(layers * rows / Grain, 1, Environment.ProcessorCount);
    }

    public void Dispose()
    {
        lock (s_lock)
        {
            s_open--;
            t_held = _outer;
            torch.set_num_threads(_outer > 0 ? _outer : s_most);
        }
    }
}
