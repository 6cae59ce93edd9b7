using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>What holds for one run, or for many at once.</summary>
public unsafe class RunOptions : SafeHandle
{
    public RunOptions()
        : base(0, ownsHandle: true)
    {
        nint options;
        NativeApi.Check(NativeApi.CreateRunOptions(&options));
        SetHandle(options);
    }

    public override bool IsInvalid => handle == 0;

    public OrtLoggingLevel LogSeverityLevel
    {
        get;
        set
        {
            using var options = new Lease(this);
            NativeApi.Check(NativeApi.RunOptionsSetRunLogSeverityLevel(options.Pointer, (int)value));
            field = value;
        }
    } = OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING;

    public int LogVerbosityLevel
    {
        get;
        set
        {
            using var options = new Lease(this);
            NativeApi.Check(NativeApi.RunOptionsSetRunLogVerbosityLevel(options.Pointer, value));
            field = value;
        }
    }

    public string LogId
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            using var options = new Lease(this);
            fixed (byte* tag = Utf8.Bytes(value))
            {
                NativeApi.Check(NativeApi.RunOptionsSetRunTag(options.Pointer, tag));
            }

            field = value;
        }
    } = "";

    /// <summary>Ends, with an error, all runs that use these options, now and until it is false again.</summary>
    public bool Terminate
    {
        get;
        set
        {
            using var options = new Lease(this);
            NativeApi.Check((value ? NativeApi.RunOptionsSetTerminate : NativeApi.RunOptionsUnsetTerminate)(options.Pointer));
            field = value;
        }
    }

    public void AddRunConfigEntry(string configKey, string configValue)
    {
        ArgumentNullException.ThrowIfNull(configKey);
        ArgumentNullException.ThrowIfNull(configValue);
        using var options = new Lease(this);
        fixed (byte* key = Utf8.Bytes(configKey), entry = Utf8.Bytes(configValue))
        {
            NativeApi.Check(NativeApi.AddRunConfigEntry(options.Pointer, key, entry));
        }
    }

    protected override bool ReleaseHandle()
    {
        NativeApi.ReleaseRunOptions(handle);
        return true;
    }
}
