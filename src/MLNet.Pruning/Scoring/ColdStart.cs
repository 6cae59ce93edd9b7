using System.Diagnostics;
using Google.Protobuf;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Scoring;

/// <summary>What it takes to score the first row from a network's ONNX file.</summary>
internal sealed class ColdStart(Network network)
{
    private const int Starts = 5;
    private readonly byte[] _file = OnnxWriter.Write(network).ToByteArray();

    /// <summary>
    /// Milliseconds from the bytes of the file to the scores of the first row: reading, making what runs it, and running it. The median of five starts in this
    /// process, after one that loads the native libraries.
    /// </summary>
    public double Milliseconds(CancellationToken cancellation)
    {
        Run(1);
        return new RunTimes(Enumerable.Range(0, Starts).Select(_ =>
        {
            cancellation.ThrowIfCancellationRequested();
            var start = Stopwatch.GetTimestamp();
            Run(1);
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        })).Median;
    }

    /// <summary>Reads the file and scores rows of zeros.</summary>
    public void Run(int batch)
    {
        using var stream = new MemoryStream(_file, writable: false);
        using var scorer = Scorer.Create(Network.FromOnnx(stream), softmax: false, batch);
        scorer.Rows.AsSpan().Clear();
        scorer.Run(batch);
    }
}
