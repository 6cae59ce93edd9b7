using static TorchSharp.torch;

namespace MLNet.Pruning.Scoring;

/// <summary>Values of tensors in managed memory.</summary>
internal static class TensorValues
{
    /// <summary>The values of a tensor in row-major order.</summary>
    public static float[] Of(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return MemoryMarshal.Cast<byte, float>(tensor.detach().to(ScalarType.Float32).cpu().contiguous().bytes).ToArray();
    }
}
