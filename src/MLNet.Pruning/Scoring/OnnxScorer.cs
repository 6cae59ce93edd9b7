using MLNet.Pruning.Scoring.Native;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Scoring;

/// <summary>Runs a network over batches of rows in ONNX Runtime. Serves one thread at a time; what it runs is shared.</summary>
internal sealed class OnnxScorer : IBatchScorer
{
    private readonly OnnxSession _session;
    private readonly (float[] Values, int Start, int Width, long[] Shape)[] _inputs;
    private readonly bool _softmax;
    private readonly int _outputs;
    private readonly float[] _scores;
    private BoundRun? _bound;

    private OnnxScorer(OnnxSession session, Network network, bool softmax, int batch)
    {
        (_session, _softmax, _outputs, Width) = (session, softmax, network.Output.RowSize, network.RowSize);
        Rows = GC.AllocateUninitializedArray<float>(checked(batch * Width), pinned: true);
        _scores = GC.AllocateUninitializedArray<float>(checked(batch * _outputs), pinned: true);
        var start = 0;
        _inputs = new (float[], int, int, long[])[network.Inputs.Length];
        for (var i = 0; i < _inputs.Length; i++)
        {
            var size = network.Inputs[i].RowSize;
            // A single input is read where the rows are.
            _inputs[i] = (_inputs.Length == 1 ? Rows : GC.AllocateUninitializedArray<float>(checked(batch * size), pinned: true), start, size,
                [.. network.Inputs[i].Shape.Select(length => (long)length)]);
            start += size;
        }
    }

    public int Width { get; }

    public float[] Rows { get; }

    /// <summary>A scorer in ONNX Runtime; null where it cannot run the network.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="softmax">Whether scores are probabilities over the outputs; else the logits as they are.</param>
    /// <param name="batch">Rows at a time.</param>
    /// <param name="refusal">Why it cannot; null where it can.</param>
    /// <param name="threads">Threads of each run; null for as many as such a batch keeps busy.</param>
    public static OnnxScorer? Create(Network network, bool softmax, int batch, out string? refusal, int? threads = null)
    {
        if (network.Inputs.FirstOrDefault(input => !(input is { IsKnown: true, Shape: [TensorInfo.Batch, ..] }
            && input.Shape.Skip(1).All(size => size > 0))) is { } open)
        {
            refusal = $"its input '{open}' is not a batch of rows of a fixed size";
            return null;
        }

        return OnnxSession.Rent(network, threads ?? TorchThreads.Worth(network, batch), out refusal) is { } session ? new(session, network, softmax, batch)
            : null;
    }

    public ReadOnlySpan<float> Scores(int row) => _scores.AsSpan(row * _outputs, _outputs);

    /// <exception cref="InvalidOperationException">The network cannot work on the values of these rows.</exception>
    public void Run(int count)
    {
        if (_inputs.Length > 1)
        {
            foreach (var (values, start, width, _) in _inputs)
            {
                for (var row = 0; row < count; row++)
                {
                    Rows.AsSpan(row * Width + start, width).CopyTo(values.AsSpan(row * width));
                }
            }
        }

        // Batches are of one size but for the last, so that as good as always what is bound already fits.
        if (_bound?.Count != count)
        {
            _bound?.Dispose();
            _bound = Bind(count);
        }

        try
        {
            _bound.Run();
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidOperationException($"The network cannot be run on these rows: {e.Message}", e);
        }

        for (var row = 0; _softmax && row < count; row++)
        {
            Probabilities.Softmax(_scores.AsSpan(row * _outputs, _outputs));
        }
    }

    public void Dispose()
    {
        _bound?.Dispose();
        _session.Return();
    }

    private BoundRun Bind(int count) => new(_session, count,
        [.. _inputs.Select(input => (input.Values.AsMemory(0, count * input.Width), (long[])[count, .. input.Shape.Skip(1)]))],
        [(_scores.AsMemory(0, count * _outputs), (long[])[count, .. _session.OutputShape.Skip(1)])]);
}
