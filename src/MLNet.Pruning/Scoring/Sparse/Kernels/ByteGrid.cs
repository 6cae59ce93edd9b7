namespace MLNet.Pruning.Scoring.Sparse.Kernels;

/// <summary>What bytes stand for: (byte - zero) * scale. Signed bytes are held as unsigned ones, which are larger by 128, as is their zero.</summary>
/// <param name="Scale">Step from one byte to the next.</param>
/// <param name="Zero">The byte that is zero.</param>
internal readonly record struct ByteGrid(float Scale, byte Zero)
{
    /// <summary>The grid of a QuantizeLinear or a DequantizeLinear that rounds to, or reads, bytes with one scale; null for others.</summary>
    public static ByteGrid? Of(Network network, Node node)
    {
        if (node is not { Domain: "", Operator: "QuantizeLinear" or "DequantizeLinear" } || !network.TryGetParameter(node.Inputs[1], out var scale)
            || scale.Count != 1 || node.Int("output_dtype", 0) != 0 || node.Input(2) is not { } name
            || network.Constant(name) is not { Values: [var zero] } point)
        {
            return null;
        }

        return point.Type switch
        {
            TensorType.UInt8 => new(scale.Values[0], (byte)zero),
            TensorType.Int8 => new(scale.Values[0], (byte)(zero - sbyte.MinValue)),
            _ => null,
        };
    }

    /// <summary>The byte nearest to a value.</summary>
    public byte Round(float value)
    {
        // Of what is no number the least byte, as ONNX Runtime has it on x64.
        var steps = MathF.Round(value / Scale);
        return steps >= byte.MaxValue - Zero ? byte.MaxValue : steps > -Zero ? (byte)(steps + Zero) : (byte)0;
    }
}
