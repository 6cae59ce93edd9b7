using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace TorchSharp.Interop;

/// <summary>What is known of the BLAS behind libtorch: on CPUs it decides the speed of training.</summary>
internal static unsafe class OpenBlas
{
    // The kernels of OpenBLAS for processors with AVX-512.
    private static readonly string[] s_wideCores = ["SkylakeX", "Cooperlake", "SapphireRapids"];

    /// <summary>The configuration of the OpenBLAS that libtorch calls, or null where it calls another BLAS.</summary>
    internal static string? Configuration => Marshal.PtrToStringUTF8(NativeMethods.ts_openblas_config());

    /// <summary>
    /// Whether OpenBLAS takes a processor with AVX-512 for one without, as releases older than the processor do. It decides
    /// while it loads: it is loaded alone here, asked, and unloaded before libtorch loads it for good.
    /// </summary>
    internal static bool UnderratesProcessor()
    {
        if (!Avx512F.IsSupported || !Avx512BW.IsSupported || !Avx512CD.IsSupported || !Avx512DQ.IsSupported || !Avx512F.VL.IsSupported
            || !NativeLibrary.TryLoad("libblas.so.3", out nint library))
        {
            return false;
        }

        try
        {
            return NativeLibrary.TryGetExport(library, "openblas_get_corename", out nint export)
                && Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint>)export)()) is { } core
                && !s_wideCores.Contains(core, StringComparer.OrdinalIgnoreCase);
        }
        finally
        {
            NativeLibrary.Free(library);
        }
    }
}
