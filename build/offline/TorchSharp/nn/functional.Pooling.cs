using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor max_pool1d(Tensor input, long kernelSize, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false)
                => Operator.Call("max_pool1d", input, (long[])[kernelSize], Each(stride, 1) ?? [], Each(padding, 1) ?? [0], Each(dilation, 1) ?? [1], ceil_mode);

            public static Tensor max_pool2d(Tensor input, long kernelSize, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false)
                => max_pool2d(input, [kernelSize, kernelSize], Each(stride, 2), Each(padding, 2), Each(dilation, 2), ceil_mode);

            public static Tensor max_pool2d(Tensor input, (long, long) kernelSize, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null, bool ceil_mode = false)
                => max_pool2d(input, Both(kernelSize)!, Both(stride), Both(padding), Both(dilation), ceil_mode);

            public static Tensor max_pool2d(Tensor input, long[] kernelSize, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false)
                => Operator.Call("max_pool2d", input, kernelSize, strides ?? [], padding ?? [0], dilation ?? [1], ceil_mode);

            public static (Tensor output, Tensor indices) max_pool2d_with_indices(Tensor input, long[] kernelSize, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false)
                => Operator.CallPair("max_pool2d_with_indices", input, kernelSize, strides ?? [], padding ?? [0], dilation ?? [1], ceil_mode);

            public static Tensor max_pool3d(Tensor input, long[] kernelSize, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false)
                => Operator.Call("max_pool3d", input, kernelSize, strides ?? [], padding ?? [0], dilation ?? [1], ceil_mode);

            public static Tensor avg_pool1d(Tensor input, long kernel_size, long? stride = null, long? padding = null, bool ceil_mode = false, bool count_include_pad = true)
                => Operator.Call("avg_pool1d", input, (long[])[kernel_size], Each(stride, 1) ?? [], Each(padding, 1) ?? [0], ceil_mode, count_include_pad);

            public static Tensor avg_pool2d(Tensor input, long kernelSize, long? stride = null, long padding = 0, bool ceil_mode = false, bool count_include_pad = true)
                => avg_pool2d(input, [kernelSize, kernelSize], Each(stride, 2), [padding, padding], ceil_mode, count_include_pad);

            public static Tensor avg_pool2d(Tensor input, (long, long) kernelSize, (long, long)? stride = null, (long, long)? padding = null, bool ceil_mode = false, bool count_include_pad = true)
                => avg_pool2d(input, Both(kernelSize)!, Both(stride), Both(padding), ceil_mode, count_include_pad);

            public static Tensor avg_pool2d(Tensor input, long[] kernelSizes, long[]? strides = null, long[]? paddings = null, bool ceil_mode = false, bool count_include_pad = true)
                => Operator.Call("avg_pool2d", input, kernelSizes, strides ?? [], paddings ?? [0], ceil_mode, count_include_pad);

            public static Tensor avg_pool3d(Tensor input, long[] kernelSizes, long[]? strides = null, long[]? paddings = null, bool ceil_mode = false, bool count_include_pad = true)
                => Operator.Call("avg_pool3d", input, kernelSizes, strides ?? [], paddings ?? [0], ceil_mode, count_include_pad);

            public static Tensor adaptive_avg_pool1d(Tensor input, long output_size)
                => Operator.Call("adaptive_avg_pool1d", input, (long[])[output_size]);

            public static Tensor adaptive_avg_pool2d(Tensor input, long output_size) => adaptive_avg_pool2d(input, [output_size, output_size]);

            public static Tensor adaptive_avg_pool2d(Tensor input, (long, long) output_size) => adaptive_avg_pool2d(input, Both(output_size)!);

            public static Tensor adaptive_avg_pool2d(Tensor input, long[] output_size) => Operator.Call("adaptive_avg_pool2d", input, output_size);

            internal static long[]? Both((long, long)? pair) => pair is var (first, second) ? [first, second] : null;

            internal static long[]? Each(long? value, int count) => value is { } some ? [.. Enumerable.Repeat(some, count)] : null;
        }
    }
}
