using MLNet.Pruning.Scoring;
using static TorchSharp.torch;

namespace MLNet.Pruning.Benchmarks;

/// <summary>The forward pass alone, over rows that lie ready in one tensor.</summary>
internal sealed class BareForward : IDisposable
{
    private readonly TorchGraph _graph;
    private readonly Tensor _rows;

    public BareForward(Network network, DigitRow[] rows)
    {
        _graph = TorchGraph.ForScoring(network);
        using var flat = tensor(rows.SelectMany(row => row.Features).ToArray());
        _rows = flat.view(rows.Length, DigitRow.Width);
    }

    /// <summary>Runs the first <paramref name="rows"/> rows in batches.</summary>
    public int Run(int rows, int batchSize)
    {
        using var noGrad = no_grad();
        for (var start = 0; start < rows; start += batchSize)
        {
            using var scope = NewDisposeScope();
            _graph.Forward(_rows.narrow(0, start, batchSize));
        }

        return rows;
    }

    public void Dispose()
    {
        _rows.Dispose();
        _graph.Dispose();
    }
}
