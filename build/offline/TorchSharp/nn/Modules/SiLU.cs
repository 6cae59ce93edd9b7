namespace TorchSharp.Modules
{
    public sealed class SiLU : nn.Module<Tensor, Tensor>
    {
        internal SiLU()
            : base(nameof(SiLU))
        {
        }

        public override Tensor forward(Tensor tensor) => tensor.silu();
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.SiLU SiLU() => new();
        }
    }
}
