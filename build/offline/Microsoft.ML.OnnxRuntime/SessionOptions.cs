using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>How a session is made. One object may serve many sessions; changing it does not change those that exist.</summary>
public unsafe class SessionOptions : SafeHandle
{
    public SessionOptions()
        : base(0, ownsHandle: true)
    {
        nint options;
        NativeApi.Check(NativeApi.CreateSessionOptions(&options));
        SetHandle(options);
    }

    public override bool IsInvalid => handle == 0;

    public bool EnableMemoryPattern
    {
        get;
        set
        {
            Set(value ? NativeApi.EnableMemPattern : NativeApi.DisableMemPattern);
            field = value;
        }
    } = true;

    public string ProfileOutputPathPrefix { get; set; } = "onnxruntime_profile_";

    public bool EnableProfiling
    {
        get;
        set
        {
            if (value)
            {
                Set(NativeApi.EnableProfiling, ProfileOutputPathPrefix);
            }
            else
            {
                Set(NativeApi.DisableProfiling);
            }

            field = value;
        }
    }

    public string OptimizedModelFilePath
    {
        get;
        set
        {
            if (value != field)
            {
                Set(NativeApi.SetOptimizedModelFilePath, value);
                field = value;
            }
        }
    } = "";

    public bool EnableCpuMemArena
    {
        get;
        set
        {
            Set(value ? NativeApi.EnableCpuMemArena : NativeApi.DisableCpuMemArena);
            field = value;
        }
    } = true;

    public string LogId
    {
        get;
        set
        {
            Set(NativeApi.SetSessionLogId, value);
            field = value;
        }
    } = "";

    public OrtLoggingLevel LogSeverityLevel
    {
        get;
        set
        {
            Set(NativeApi.SetSessionLogSeverityLevel, (int)value);
            field = value;
        }
    } = OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING;

    public int LogVerbosityLevel
    {
        get;
        set
        {
            Set(NativeApi.SetSessionLogVerbosityLevel, value);
            field = value;
        }
    }

    /// <summary>Threads within an operator; 0 leaves the choice to the runtime.</summary>
    public int IntraOpNumThreads
    {
        get;
        set
        {
            Set(NativeApi.SetIntraOpNumThreads, value);
            field = value;
        }
    }

    /// <summary>Threads across operators, used where <see cref="ExecutionMode"/> is parallel; 0 leaves the choice to the runtime.</summary>
    public int InterOpNumThreads
    {
        get;
        set
        {
            Set(NativeApi.SetInterOpNumThreads, value);
            field = value;
        }
    }

    public GraphOptimizationLevel GraphOptimizationLevel
    {
        get;
        set
        {
            Set(NativeApi.SetSessionGraphOptimizationLevel, (int)value);
            field = value;
        }
    } = GraphOptimizationLevel.ORT_ENABLE_ALL;

    public ExecutionMode ExecutionMode
    {
        get;
        set
        {
            Set(NativeApi.SetSessionExecutionMode, (int)value);
            field = value;
        }
    } = ExecutionMode.ORT_SEQUENTIAL;

    public static SessionOptions MakeSessionOptionWithCudaProvider(int deviceId = 0)
    {
        var options = new SessionOptions();
        try
        {
            options.AppendExecutionProvider_CUDA(deviceId);
            return options;
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }

    public void AppendExecutionProvider_CUDA(int deviceId = 0) => Set(NativeApi.AppendExecutionProviderCuda, deviceId);

    public void AddSessionConfigEntry(string configKey, string configValue)
    {
        ArgumentNullException.ThrowIfNull(configKey);
        ArgumentNullException.ThrowIfNull(configValue);
        using var options = new Lease(this);
        fixed (byte* key = Utf8.Bytes(configKey), entry = Utf8.Bytes(configValue))
        {
            NativeApi.Check(NativeApi.AddSessionConfigEntry(options.Pointer, key, entry));
        }
    }

    public void AddFreeDimensionOverrideByName(string dimName, long dimValue)
    {
        ArgumentNullException.ThrowIfNull(dimName);
        using var options = new Lease(this);
        fixed (byte* name = Utf8.Bytes(dimName))
        {
            NativeApi.Check(NativeApi.AddFreeDimensionOverrideByName(options.Pointer, name, dimValue));
        }
    }

    public void DisablePerSessionThreads() => Set(NativeApi.DisablePerSessionThreads);

    protected override bool ReleaseHandle()
    {
        NativeApi.ReleaseSessionOptions(handle);
        return true;
    }

    private void Set(delegate* unmanaged<nint, nint> change)
    {
        using var options = new Lease(this);
        NativeApi.Check(change(options.Pointer));
    }

    private void Set(delegate* unmanaged<nint, int, nint> change, int value)
    {
        using var options = new Lease(this);
        NativeApi.Check(change(options.Pointer, value));
    }

    private void Set(delegate* unmanaged<nint, byte*, nint> change, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        using var options = new Lease(this);
        fixed (byte* text = Utf8.Bytes(value))
        {
            NativeApi.Check(change(options.Pointer, text));
        }
    }
}
