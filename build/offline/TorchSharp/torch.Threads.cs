using System.Runtime.InteropServices;
using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static string __version__ => Marshal.PtrToStringUTF8(NativeMethods.ts_version())!;

    public static int get_num_threads() => NativeMethods.ts_get_num_threads();

    public static void set_num_threads(int num) => NativeMethods.Check(NativeMethods.ts_set_num_threads(num));
}
