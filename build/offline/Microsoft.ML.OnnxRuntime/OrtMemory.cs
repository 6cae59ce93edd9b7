using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Where memory lies: here always the CPU's. The one instance outlives its disposal, everything needs it.</summary>
public unsafe class OrtMemoryInfo : SafeHandle
{
    private static readonly Lazy<OrtMemoryInfo> s_default = new(() => new OrtMemoryInfo());

    private OrtMemoryInfo()
        : base(0, ownsHandle: false)
    {
        const int ArenaAllocator = 1;
        const int DefaultMemory = 0;
        nint info;
        NativeApi.Check(NativeApi.CreateCpuMemoryInfo(ArenaAllocator, DefaultMemory, &info));
        SetHandle(info);
    }

    public static OrtMemoryInfo DefaultInstance => s_default.Value;

    public override bool IsInvalid => handle == 0;

    internal static nint DefaultPointer => DefaultInstance.handle;

    protected override bool ReleaseHandle() => true;
}

/// <summary>The runtime's own allocator of CPU memory.</summary>
public unsafe class OrtAllocator : SafeHandle
{
    private static readonly Lazy<OrtAllocator> s_default = new(() => new OrtAllocator());

    // The library owns it.
    private OrtAllocator()
        : base(0, ownsHandle: false)
    {
        nint allocator;
        NativeApi.Check(NativeApi.GetAllocatorWithDefaultOptions(&allocator));
        SetHandle(allocator);
    }

    public static OrtAllocator DefaultInstance => s_default.Value;

    public override bool IsInvalid => handle == 0;

    internal static nint DefaultPointer => DefaultInstance.handle;

    protected override bool ReleaseHandle() => true;
}
