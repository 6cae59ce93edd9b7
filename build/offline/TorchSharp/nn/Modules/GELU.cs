namespace TorchSharp.Modules
{
    public sealed class GELU : nn.Module<Tensor, Tensor>
    {
        internal GELU()
            : base(nameof(GELU))
        {
        }

        public override Tensor forward(Tensor tensor) => tensor.gelu();
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.GELU GELU() => new();
        }
    }
}
