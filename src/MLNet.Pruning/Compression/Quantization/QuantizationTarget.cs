using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace MLNet.Pruning;

/// <summary>
/// The machines that a quantised network is to run on. ONNX Runtime's products of unsigned by signed bytes add pairs in 16 bits on x64 processors without
/// VNNI: with weights that use all 8 bits the sums saturate, and outputs are wrong without a word. Weights of 7 bits, at most 63 in magnitude, cannot.
/// </summary>
public sealed class QuantizationTarget
{
    private const int Avx512Vnni = 1 << 11;
    private readonly string _name;

    private QuantizationTarget(string name, int weightBits) => (_name, WeightBits) = (name, weightBits);

    /// <summary>Any processor: weights of 7 bits.</summary>
    public static QuantizationTarget Any { get; } = new(nameof(Any), 7);

    /// <summary>x64 processors with AVX-VNNI or AVX512-VNNI, and ARM processors with dot products: weights of 8 bits.</summary>
    public static QuantizationTarget DotProducts { get; } = new(nameof(DotProducts), 8);

    /// <summary>Bits of weights whose products with unsigned bytes are exact: 7 or 8.</summary>
    public int WeightBits { get; }

    /// <summary>The processor that this runs on.</summary>
    /// <returns><see cref="DotProducts"/> where it has such instructions, else <see cref="Any"/>.</returns>
    public static QuantizationTarget Detect()
        => Dp.IsSupported || AvxVnni.IsSupported
        || (Avx512F.IsSupported && X86Base.IsSupported && (X86Base.CpuId(7, 0).Ecx & Avx512Vnni) != 0) ? DotProducts : Any;

    /// <inheritdoc/>
    public override string ToString() => _name;
}
