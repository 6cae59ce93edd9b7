namespace TorchSharp.Modules
{
    public sealed class Softmax : nn.Module<Tensor, Tensor>
    {
        private readonly long _dim;

        internal Softmax(long dim)
            : base(nameof(Softmax))
        {
            _dim = dim;
        }

        public override Tensor forward(Tensor tensor) => tensor.softmax(_dim);
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.Softmax Softmax(long dim) => new(dim);
        }
    }
}
