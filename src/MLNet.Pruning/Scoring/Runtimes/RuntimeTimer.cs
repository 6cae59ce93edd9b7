using System.Runtime.Intrinsics;
using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Scoring.Sparse;
using MLNet.Pruning.Scoring.Sparse.Kernels;
using MLNet.Pruning.Scoring.Sparse.Steps;

namespace MLNet.Pruning.Scoring.Runtimes;

/// <summary>Times a network in each runtime that may be the fastest, and its layers, on rows of zeros; kernels take the same time for all values.</summary>
internal static class RuntimeTimer
{
    /// <summary>What a candidate has to be faster by than ONNX Runtime: less is within the noise of timing.</summary>
    private const double Margin = 1.05;

    /// <summary>Share of zeros from which sparse kernels may be faster: with fewer, what is left out is less than what looking up inputs takes more.</summary>
    private const double ManyZeros = 0.3;

    /// <summary>What the timings depend on.</summary>
    public static string Machine => $"{RuntimeInformation.ProcessArchitecture}, vectors of "
        + $"{(Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128)} bits";

    /// <summary>
    /// Whether sparse kernels may be faster than ONNX Runtime: of networks of many zeros, and of bytes, whose small layers take ONNX Runtime longer than
    /// those of floats.
    /// </summary>
    public static bool IsWorthTiming(Network network)
        => Zeros(network) >= ManyZeros || network.Nodes.Any(node => node.Operator == "QuantizeLinear" && ByteGrid.Of(network, node) is not null);

    /// <summary>Share of the weights of dense layers and convolutions that are zero.</summary>
    private static double Zeros(Network network)
    {
        Parameter[] weights = [.. network.Layers.SelectMany(layer => layer.Weights).Distinct().Select(name => network[name])];
        return weights.Length == 0 ? 0 : 1 - weights.Sum(weight => (double)Liveness.NonZeros(weight.Values)) / weights.Sum(weight => (double)weight.Count);
    }

    /// <summary>Chooses for single rows and for batches.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="threads">Threads of ONNX Runtime; null for as many as such a batch keeps busy.</param>
    /// <param name="batch">Rows that are all there is to choose for: 1, or any number of several; null for both.</param>
    public static RuntimeReport Decide(Network network, int? threads = null, int? batch = null)
    {
        if (SparseCompiler.Compile(network, ImmutableHashSet<string>.Empty, out var refusal) is not { } program)
        {
            return RuntimeReport.Untimed(network, ScoringRuntime.Auto, $"sparse kernels do not run it, as {refusal}");
        }

        var other = RuntimeReport.Untimed(network, ScoringRuntime.Auto, "not timed, as nothing asks for it");
        return new(ScoringRuntime.Auto, batch is null or 1 ? Choose(network, program, 1, threads) : other.Single,
            batch is 1 ? other.Batch : Choose(network, program, Math.Max(2, BatchSizes.Of(network.RowSize)), threads), Machine);
    }

    private static RuntimeChoice Choose(Network network, SparseProgram program, int batch, int? threads)
    {
        using var onnx = OnnxScorer.Create(network, softmax: false, batch, out var refusal, threads);
        using var sparse = new SparseScorer(program, softmax: false, batch);
        var layers = TimeLayers(program, sparse, batch, threads);
        if (onnx is null)
        {
            return new(ScoringRuntime.Sparse, batch) { Layers = layers, Reason = $"ONNX Runtime does not run it: {refusal}" };
        }

        var slower = layers.Where(layer => layer.OnnxRuntimeMicroseconds < layer.Microseconds).Select(layer => layer.Layer).ToImmutableSortedSet();
        using var mixed = slower.IsEmpty || SparseCompiler.Compile(network, slower, out _) is not { } other ? null
            : new SparseScorer(other, softmax: false, batch);
        IBatchScorer?[] scorers = [onnx, sparse, mixed];
        var times = Interleave(scorers, [.. scorers.OfType<IBatchScorer>().Select(scorer => (Action)(() => scorer.Run(batch)))]);
        var best = Array.IndexOf(times, times.Min());
        if (times[best] * Margin > times[0])
        {
            best = 0;
        }

        string[] names = ["OnnxRuntime", "Sparse", "Sparse and OnnxRuntime"];
        return new(best == 0 ? ScoringRuntime.OnnxRuntime : ScoringRuntime.Sparse, batch)
        {
            Microseconds = times.Zip(names).ToImmutableSortedDictionary(pair => pair.Second, pair => pair.First),
            Layers = best == 2 ? [.. layers.Select(layer => slower.Contains(layer.Layer) ? layer with { Kernel = LayerRuntime.OnnxRuntime } : layer)] : layers,
        };
    }

    /// <summary>Every step in turn, round after round; layers in ONNX Runtime by themselves.</summary>
    private static LayerRuntime[] TimeLayers(SparseProgram program, SparseScorer scorer, int batch, int? threads)
    {
        SparseStep[] steps = [.. program.Steps];
        OnnxScorer?[] parts = [.. steps.Select(step => step.Part is { } part ? OnnxScorer.Create(part(), softmax: false, batch, out _, threads) : null)];
        try
        {
            Action[] runs = [.. steps.Select(step => (Action)(() => scorer.RunStep(step, batch))), .. parts.Select(part => (Action)(() => part?.Run(batch)))];
            var times = Interleave([scorer, .. parts], runs);
            return [.. steps.Select((step, i) => new LayerRuntime(step.Name, step.Kernel, times[i], parts[i] is null ? null : times[steps.Length + i]))];
        }
        finally
        {
            Array.ForEach(parts, part => part?.Dispose());
        }
    }

    /// <summary>The median time of a batch of zeros on each, in microseconds. Short turns: a user waits for it.</summary>
    private static double[] Interleave(IEnumerable<IBatchScorer?> scorers, Action[] runs)
    {
        foreach (var scorer in scorers)
        {
            scorer?.Rows.AsSpan().Clear();
        }

        var times = TurnTimes.Of(runs, CancellationToken.None, rounds: 9, milliseconds: 1);
        return [.. Enumerable.Range(0, runs.Length).Select(run => 1000 * times.Median(run))];
    }
}
