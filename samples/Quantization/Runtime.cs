using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Samples.Quantization;

/// <summary>How fast ONNX Runtime is on two files, on one thread.</summary>
internal static class Runtime
{
    private const int Rounds = 15;
    private const int WarmUps = 20;
    private const double SecondsARound = 0.02;

    /// <summary>How many times as fast the second is, in turns so that whatever else the machine does slows both; the median.</summary>
    /// <param name="first">An ONNX file.</param>
    /// <param name="second">Another.</param>
    /// <param name="rows">Rows at a time.</param>
    public static double Ratio(string first, string second, int rows)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using var one = new InferenceSession(first, options);
        using var other = new InferenceSession(second, options);
        var (ofOne, ofOther) = (Repeats(one, rows), Repeats(other, rows));
        return Statistics.Median(Enumerable.Range(0, Rounds).Select(_ => Seconds(one, rows, ofOne) / ofOne / (Seconds(other, rows, ofOther) / ofOther)));
    }

    /// <summary>Runs that take about as long as a round, of each as long: the slower is not run as often.</summary>
    private static int Repeats(InferenceSession session, int rows)
    {
        Seconds(session, rows, WarmUps);
        return (int)Math.Ceiling(SecondsARound / Math.Max(1e-6, Seconds(session, rows, WarmUps) / WarmUps));
    }

    private static double Seconds(InferenceSession session, int rows, int repeats)
    {
        var shape = session.InputMetadata.Single().Value.Dimensions.Skip(1).Select(size => (long)size).Prepend(rows).ToArray();
        var random = new Random(1);
        float[] values = [.. Enumerable.Range(0, (int)shape.Aggregate((product, size) => product * size)).Select(_ => random.NextSingle())];
        using var input = OrtValue.CreateTensorValueFromMemory(values, shape);
        using var run = new RunOptions();
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < repeats; i++)
        {
            using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
        }

        return watch.Elapsed.TotalSeconds;
    }
}
