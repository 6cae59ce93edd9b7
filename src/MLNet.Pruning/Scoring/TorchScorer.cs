using MLNet.Pruning.Scoring.Native;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLNet.Pruning.Scoring;

/// <summary>
/// Runs a network over batches of rows on the CPU or a GPU. Rows are written into <see cref="Rows"/>, which the native side reads in
/// place. Serves one thread at a time.
/// </summary>
internal sealed class TorchScorer : IBatchScorer
{
    private readonly TorchGraph _graph;
    private readonly bool _softmax;
    private readonly int _threads;
    private readonly Device _device;
    private readonly Tensor _rows;
    private readonly float[] _scores;

    /// <param name="network">The network; on the CPU its parameters are used where they are, without a copy.</param>
    /// <param name="softmax">Whether scores are probabilities over the outputs; else the logits as they are.</param>
    /// <param name="batch">Rows at a time.</param>
    /// <param name="gpu">The GPU; null for the CPU.</param>
    /// <param name="threads">Threads of each run; null for as many as such a batch keeps busy.</param>
    public TorchScorer(Network network, bool softmax, int batch, int? gpu = null, int? threads = null)
    {
        TorchRuntime.Require();
        Width = network.RowSize;
        Outputs = network.Output.RowSize;
        Batch = batch;
        _softmax = softmax;
        _device = gpu is { } number ? device(TorchSharp.DeviceType.CUDA, number) : CPU;
        _threads = threads ?? TorchThreads.Worth(network, batch);
        _scores = new float[batch * Outputs];
        Rows = GC.AllocateUninitializedArray<float>(batch * Width, pinned: true);
        using var scope = NewDisposeScope();
        _graph = TorchGraph.ForScoring(network, device: gpu is null ? null : _device);
        foreach (var parameter in _graph.Parameters.Values)
        {
            parameter.DetachFromDisposeScope();
        }

        _rows = frombuffer(Rows, ScalarType.Float32).view(batch, Width).DetachFromDisposeScope();
    }

    public int Batch { get; }

    public int Width { get; }

    public int Outputs { get; }

    /// <summary>Where the rows of the next batch are written, one after another.</summary>
    public float[] Rows { get; }

    /// <summary>Scores of a row of the last batch.</summary>
    public ReadOnlySpan<float> Scores(int row) => _scores.AsSpan(row * Outputs, Outputs);

    /// <summary>Scores the first <paramref name="count"/> rows of <see cref="Rows"/>.</summary>
    public void Run(int count)
    {
        using var threads = new TorchThreads(_threads);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var result = _graph.Forward((count == Batch ? _rows : _rows.narrow(0, 0, count)).to(_device));
        if (_softmax)
        {
            result = F.softmax(result, 1);
        }

        MemoryMarshal.Cast<byte, float>(result.to(ScalarType.Float32).cpu().contiguous().bytes).CopyTo(_scores);
    }

    public void Dispose()
    {
        _rows.Dispose();
        _graph.Dispose();
    }
}
