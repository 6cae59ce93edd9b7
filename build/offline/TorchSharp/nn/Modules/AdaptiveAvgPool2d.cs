namespace TorchSharp.Modules
{
    public sealed class AdaptiveAvgPool2d : nn.Module<Tensor, Tensor>
    {
        private readonly long[] _outputSize;

        internal AdaptiveAvgPool2d(long[] outputSize)
            : base(nameof(AdaptiveAvgPool2d)) => _outputSize = outputSize;

        public override Tensor forward(Tensor tensor) => nn.functional.adaptive_avg_pool2d(tensor, _outputSize);
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.AdaptiveAvgPool2d AdaptiveAvgPool2d(long outputSize) => new([outputSize, outputSize]);

            public static Modules.AdaptiveAvgPool2d AdaptiveAvgPool2d((long, long) outputSize) => new(functional.Both(outputSize)!);
        }
    }
}
