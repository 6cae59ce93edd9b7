namespace MLNet.Pruning.Scoring;

/// <summary>Where networks are scored: in ONNX Runtime, and in libtorch what that does not run.</summary>
internal static class Scorer
{
    /// <param name="network">The network, with values.</param>
    /// <param name="softmax">Whether scores are probabilities over the outputs; else the logits as they are.</param>
    /// <param name="batch">Rows at a time.</param>
    /// <param name="gpu">The GPU that libtorch scores on; null for the CPU.</param>
    /// <param name="threads">Threads of each run; null for as many as such a batch keeps busy.</param>
    /// <exception cref="NotSupportedException">Neither runs the network; the message says why of both.</exception>
    public static IBatchScorer Create(Network network, bool softmax, int batch, int? gpu = null, int? threads = null)
    {
        if (gpu is not null)
        {
            return Torch(network, softmax, batch, gpu, threads);
        }

        if (OnnxScorer.Create(network, softmax, batch, out var refusal, threads) is { } scorer)
        {
            return scorer;
        }

        try
        {
            return Torch(network, softmax, batch, null, threads);
        }
        catch (Exception e) when (e is NotSupportedException or DllNotFoundException)
        {
            throw new NotSupportedException($"The network cannot be scored. ONNX Runtime does not run it: {refusal?.TrimEnd('.')}. Nor does libtorch: "
                + $"{e.Message}", e);
        }
    }

    // In a method of its own: the runtime loads TorchSharp for a method that names its types.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static TorchScorer Torch(Network network, bool softmax, int batch, int? gpu, int? threads = null) => new(network, softmax, batch, gpu, threads);
}
