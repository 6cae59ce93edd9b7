using MLNet.Pruning.Scoring;
using TorchSharp;

namespace MLNet.Pruning.Tests;

/// <summary>Runs a test where there is a CUDA device, and reports it as ignored elsewhere.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class RequiresCudaAttribute : ConditionBaseAttribute
{
    public RequiresCudaAttribute()
        : base(ConditionMode.Include) => IgnoreMessage = "no CUDA device";

    public override bool IsConditionMet
    {
        get
        {
            // Before anything of TorchSharp's: the library finds a libtorch that TorchSharp by itself does not.
            TorchRuntime.Require();
            return torch.cuda.is_available();
        }
    }

    public override string GroupName => nameof(RequiresCudaAttribute);
}
