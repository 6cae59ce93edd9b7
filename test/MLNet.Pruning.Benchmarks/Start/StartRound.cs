using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Benchmarks;

/// <summary>One start, in a process of its own: does one thing, and prints the peak of its memory and the seconds of a pruning alone.</summary>
internal static class StartRound
{
    public const string Name = "start-round";

    /// <param name="what">What to do.</param>
    /// <param name="path">File to do it with.</param>
    /// <param name="width">Numbers in a row.</param>
    public static void Run(StartedBy what, string path, int width)
    {
        var seconds = 0.0;
        // Each apart, so that none loads what another needs.
        switch (what)
        {
            case StartedBy.Session:
                Session(path, width);
                break;
            case StartedBy.Compression:
                Compression(path, width);
                break;
            case StartedBy.Model:
                Model(path, width);
                break;
            default:
                seconds = Prune(path);
                break;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{PeakMemory.Resident} {seconds}"));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Session(string path, int width)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using var session = new InferenceSession(path, options);
        long[] shape = [.. session.InputMetadata.Values.Single().Dimensions.Select(size => (long)Math.Max(1, size))];
        using var row = OrtValue.CreateTensorValueFromMemory(new float[width], shape);
        using var run = new RunOptions();
        using var scores = session.Run(run, session.InputNames, [row], session.OutputNames);
        Check(scores[0].GetTensorDataAsSpan<float>().Length);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Compression(string path, int width)
    {
        var ml = new MLContext(seed: 1);
        Score(ml, ml.Compression().Load(path, out _), width);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Model(string path, int width)
    {
        var ml = new MLContext(seed: 1);
        Score(ml, ml.Model.Load(path, out _), width);
    }

    private static void Score(MLContext ml, ITransformer model, int width)
    {
        var definition = SchemaDefinition.Create(typeof(Row));
        definition[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, width);
        var engine = ml.Model.CreatePredictionEngine<Row, Scored>(model, inputSchemaDefinition: definition);
        Check(engine.Predict(new Row { Features = new float[width] }).Score.Length);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Prune(string path)
    {
        var network = Network.FromOnnx(path);
        var start = Stopwatch.GetTimestamp();
        Check(network.Prune(Amount.Fraction(0.5), granularity: Granularity.Filter).Network.Parameters.Length);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Check(int found)
    {
        if (found == 0)
        {
            throw new InvalidOperationException("Nothing came out.");
        }
    }

    private sealed class Row
    {
        public float[] Features { get; set; } = [];
    }

    private sealed class Scored
    {
        public float[] Score { get; set; } = [];
    }
}

/// <summary>What a process starts with.</summary>
internal enum StartedBy
{
    /// <summary>A session of ONNX Runtime without anything else.</summary>
    Session,

    /// <summary>A model that <c>ml.Compression().Load</c> loads.</summary>
    Compression,

    /// <summary>A model that <c>ml.Model.Load</c> loads.</summary>
    Model,

    /// <summary>A pruning of half of the filters.</summary>
    Pruning,
}
