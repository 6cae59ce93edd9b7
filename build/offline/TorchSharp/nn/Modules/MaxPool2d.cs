namespace TorchSharp.Modules
{
    public sealed class MaxPool2d : nn.Module<Tensor, Tensor>
    {
        private readonly long[] _kernel;
        private readonly long[]? _strides;
        private readonly long[]? _padding;
        private readonly long[]? _dilation;
        private readonly bool _ceilMode;

        internal MaxPool2d(long[] kernel, long[]? strides, long[]? padding, long[]? dilation, bool ceilMode)
            : base(nameof(MaxPool2d))
        {
            _kernel = kernel;
            _strides = strides;
            _padding = padding;
            _dilation = dilation;
            _ceilMode = ceilMode;
        }

        public override Tensor forward(Tensor tensor)
            => nn.functional.max_pool2d(tensor, _kernel, _strides, _padding, _dilation, _ceilMode);
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.MaxPool2d MaxPool2d(long kernelSize, long? stride = null, long? padding = null, long? dilation = null, bool ceilMode = false)
                => new([kernelSize, kernelSize], functional.Each(stride, 2), functional.Each(padding, 2), functional.Each(dilation, 2), ceilMode);

            public static Modules.MaxPool2d MaxPool2d((long, long) kernelSize, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null, bool ceilMode = false)
                => new(functional.Both(kernelSize)!, functional.Both(stride), functional.Both(padding), functional.Both(dilation), ceilMode);
        }
    }
}
