using TorchSharp.Interop;

namespace TorchSharp.Modules
{
    public sealed class AvgPool2d : nn.Module<Tensor, Tensor>
    {
        private readonly long[] _kernel;
        private readonly long[]? _strides;
        private readonly long[]? _padding;
        private readonly bool _ceilMode;
        private readonly bool _countIncludePad;
        private readonly long? _divisor;

        internal AvgPool2d(long[] kernel, long[]? strides, long[]? padding, bool ceilMode, bool countIncludePad, long? divisor)
            : base(nameof(AvgPool2d))
        {
            _kernel = kernel;
            _strides = strides;
            _padding = padding;
            _ceilMode = ceilMode;
            _countIncludePad = countIncludePad;
            _divisor = divisor;
        }

        public override Tensor forward(Tensor tensor)
            => Operator.Call("avg_pool2d", tensor, _kernel, _strides ?? [], _padding ?? [0], _ceilMode, _countIncludePad, _divisor);
    }
}

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.AvgPool2d AvgPool2d(long kernel_size, long? stride = null, long? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null)
                => new([kernel_size, kernel_size], functional.Each(stride, 2), functional.Each(padding, 2), ceil_mode, count_include_pad, divisor_override);

            public static Modules.AvgPool2d AvgPool2d((long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null)
                => new(functional.Both(kernel_size)!, functional.Both(stride), functional.Both(padding), ceil_mode, count_include_pad, divisor_override);
        }
    }
}
