using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        => arange(0, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        => arange(start, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, Scalar step, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        bool integral = is_integral(start.Type) && is_integral(stop.Type) && is_integral(step.Type);
        ScalarType type = dtype ?? (integral ? ScalarType.Int64 : get_default_dtype());
        return Finish(Operator.Call("arange.start_step", start, stop, step, type, default, InitializeDevice(device)), requires_grad, null);
    }

    public static Tensor linspace(double start, double end, long steps, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        => Finish(Operator.Call("linspace", start, end, steps, dtype, default, InitializeDevice(device)), requires_grad, null);

    public static Tensor eye(long rows, long columns = -1, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => Finish(Operator.Call("eye.m", rows, columns == -1 ? rows : columns, dtype, default, InitializeDevice(device)), requires_grad, names);

    public static Tensor randperm(long n, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null)
        => Finish(Operator.Call("randperm.generator", n, generator, dtype ?? ScalarType.Int64, default, InitializeDevice(device)), requires_grad, null);

    public static Tensor randint(long low, long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null)
        => Finish(Operator.Call("randint.low_generator", low, high, size, generator, dtype ?? ScalarType.Int64, default, InitializeDevice(device)), requires_grad, names);

    public static Tensor randint(long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null, string[]? names = null)
        => randint(0, high, size, dtype, device, requires_grad, generator, names);

    public static Tensor zeros_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => Finish(Operator.Call("zeros_like", input, dtype, default, device), requires_grad, names);

    public static Tensor ones_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => Finish(Operator.Call("ones_like", input, dtype, default, device), requires_grad, names);

    public static Tensor empty_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => Finish(Operator.Call("empty_like", input, dtype, default, device), requires_grad, names);

    public static Tensor full_like(Tensor input, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null)
        => Finish(Operator.Call("full_like", input, value, dtype, default, device), requires_grad, names);

    public static Tensor rand_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        => Finish(Operator.Call("rand_like", input, dtype, default, device), requires_grad, null);

    public static Tensor randn_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        => Finish(Operator.Call("randn_like", input, dtype, default, device), requires_grad, null);

    // Named dimensions are not covered; an empty list of names is no names.
    private static Tensor Finish(Tensor tensor, bool requiresGrad, string[]? names)
    {
        if (names is { Length: > 0 })
        {
            tensor.Dispose();
            throw new NotSupportedException("Named dimensions are not supported.");
        }

        return requiresGrad ? tensor.requires_grad_() : tensor;
    }
}
