using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]
[module: SkipLocalsInit]

namespace TorchSharp.Interop;

/// <summary>The C ABI of native/torch_shim.h.</summary>
internal static unsafe partial class NativeMethods
{
    internal const string Library = "torch_shim";

    static NativeMethods() => NativeLibraryLoader.Register();

    [LibraryImport(Library)]
    internal static partial void ts_initialize();

    [LibraryImport(Library)]
    internal static partial nint ts_last_error();

    [LibraryImport(Library)]
    internal static partial nint ts_version();

    [LibraryImport(Library)]
    internal static partial int ts_set_num_threads(int count);

    [LibraryImport(Library)]
    internal static partial int ts_get_num_threads();

    [LibraryImport(Library)]
    internal static partial nint ts_openblas_config();

    [LibraryImport(Library)]
    internal static partial int ts_cuda_is_available();

    [LibraryImport(Library)]
    internal static partial int ts_cudnn_is_available();

    [LibraryImport(Library)]
    internal static partial int ts_cuda_device_count();

    [LibraryImport(Library)]
    internal static partial int ts_cuda_synchronize(long deviceIndex);

    [LibraryImport(Library)]
    internal static partial int ts_cuda_manual_seed(ulong seed, int all);

    [LibraryImport(Library)]
    internal static partial int ts_copy_from(void* data, long* sizes, int dims, int dtype, nint* result);

    [LibraryImport(Library)]
    internal static partial int ts_borrow(void* data, long* sizes, int dims, int dtype, delegate* unmanaged[Cdecl]<nint, void> release,
        nint context, nint* result);

    [LibraryImport(Library)]
    internal static partial void ts_release(nint tensor);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial void ts_describe(nint tensor, TensorDescription* description);

    [LibraryImport(Library)]
    internal static partial int ts_sizes_and_strides(nint tensor, long* sizes, long* strides);

    [LibraryImport(Library)]
    internal static partial int ts_data(nint tensor, void** data);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ts_find_operator(string name, string overload, nint* op);

    [LibraryImport(Library)]
    internal static partial int ts_call(nint op, NativeValue* arguments, int count, int keepResults, NativeValue** results, int* resultCount);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int ts_grad_enabled();

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial void ts_set_grad_enabled(int enabled);

    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int ts_inference_mode_enabled();

    [LibraryImport(Library)]
    internal static partial nint ts_inference_mode_enter(int enabled);

    [LibraryImport(Library)]
    internal static partial void ts_inference_mode_leave(nint guard);

    [LibraryImport(Library)]
    internal static partial int ts_set_requires_grad(nint tensor, int requiresGrad);

    [LibraryImport(Library)]
    internal static partial int ts_retain_grad(nint tensor);

    [LibraryImport(Library)]
    internal static partial int ts_grad(nint tensor, nint* result);

    [LibraryImport(Library)]
    internal static partial int ts_set_grad(nint tensor, nint gradient);

    [LibraryImport(Library)]
    internal static partial int ts_backward(nint* roots, int rootCount, nint* gradients, int gradientCount, int retainGraph,
        int createGraph, nint* inputs, int inputCount);

    [LibraryImport(Library)]
    internal static partial int ts_autograd_grad(nint* outputs, int outputCount, nint* inputs, int inputCount, nint* gradients,
        int gradientCount, int retainGraph, int createGraph, int allowUnused, nint* results);

    [LibraryImport(Library)]
    internal static partial int ts_manual_seed(ulong seed);

    [LibraryImport(Library)]
    internal static partial int ts_generator_new(ulong seed, int deviceType, int deviceIndex, nint* result);

    [LibraryImport(Library)]
    internal static partial int ts_generator_default(nint* result);

    [LibraryImport(Library)]
    internal static partial void ts_generator_release(nint generator);

    [LibraryImport(Library)]
    internal static partial int ts_generator_seed(nint generator, ulong seed);

    [LibraryImport(Library)]
    internal static partial int ts_generator_initial_seed(nint generator, ulong* seed);

    [LibraryImport(Library)]
    internal static partial int ts_generator_state(nint generator, nint* result);

    [LibraryImport(Library)]
    internal static partial int ts_generator_set_state(nint generator, nint state);

    [LibraryImport(Library)]
    internal static partial int ts_zero_grads(nint* parameters, int count, int setToNone);

    [LibraryImport(Library)]
    internal static partial int ts_clip_grad_norm(nint* parameters, int count, double maxNorm, double normType, double* totalNorm);

    [LibraryImport(Library)]
    internal static partial int ts_clip_grad_value(nint* parameters, int count, double limit);

    [LibraryImport(Library)]
    internal static partial int ts_sgd_step(nint* parameters, nint* buffers, int count, double learningRate, double momentum,
        double dampening, double weightDecay, int nesterov, int maximize);

    [LibraryImport(Library)]
    internal static partial int ts_adam_step(nint* parameters, nint* means, nint* squares, nint* maxima, long* steps, int count,
        double learningRate, double beta1, double beta2, double eps, double weightDecay, int decoupled, int maximize);

    /// <summary>Turns a failed call into the exception the real package throws.</summary>
    internal static void Check(int status)
    {
        if (status != 0)
        {
            throw new ExternalException(Marshal.PtrToStringUTF8(ts_last_error()));
        }
    }
}

/// <summary>The layout of <c>ts_description</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TensorDescription
{
    internal long NumberOfElements;
    internal long ElementSize;
    internal long StorageOffset;
    internal int ScalarType;
    internal int Dimensions;
    internal int DeviceType;
    internal int DeviceIndex;
    internal int RequiresGrad;
    internal int IsLeaf;
    internal int IsContiguous;
    internal int HasStorage;
}
