using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Sizes of the thread pools that sessions without their own share.</summary>
public unsafe class OrtThreadingOptions : SafeHandle
{
    public OrtThreadingOptions()
        : base(0, ownsHandle: true)
    {
        nint options;
        NativeApi.Check(NativeApi.CreateThreadingOptions(&options));
        SetHandle(options);
    }

    public override bool IsInvalid => handle == 0;

    public int GlobalIntraOpNumThreads
    {
        set
        {
            using var options = new Lease(this);
            NativeApi.Check(NativeApi.SetGlobalIntraOpNumThreads(options.Pointer, value));
        }
    }

    public int GlobalInterOpNumThreads
    {
        set
        {
            using var options = new Lease(this);
            NativeApi.Check(NativeApi.SetGlobalInterOpNumThreads(options.Pointer, value));
        }
    }

    public bool GlobalSpinControl
    {
        set
        {
            using var options = new Lease(this);
            NativeApi.Check(NativeApi.SetGlobalSpinControl(options.Pointer, value ? 1 : 0));
        }
    }

    protected override bool ReleaseHandle()
    {
        NativeApi.ReleaseThreadingOptions(handle);
        return true;
    }
}
