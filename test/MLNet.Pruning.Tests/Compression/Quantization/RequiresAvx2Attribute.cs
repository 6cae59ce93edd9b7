namespace MLNet.Pruning.Tests.Compression.Quantization;

/// <summary>Runs a test where ONNX Runtime has kernels for AVX2, and reports it as ignored elsewhere: other processors have no sums of 16 bits.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresAvx2Attribute : ConditionBaseAttribute
{
    public RequiresAvx2Attribute()
        : base(ConditionMode.Include) => IgnoreMessage = "no library of ONNX Runtime for x64 on Linux or Windows";

    public override bool IsConditionMet => Avx2Runtime.IsAvailable;

    public override string GroupName => nameof(RequiresAvx2Attribute);
}
