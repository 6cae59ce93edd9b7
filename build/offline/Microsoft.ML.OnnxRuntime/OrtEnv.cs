using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime;

public struct EnvironmentCreationOptions
{
    public string? logId;

    public OrtLoggingLevel? logLevel;

    public OrtThreadingOptions? threadOptions;
}

/// <summary>The one environment of a process. It lives as long as the process does, even if disposed of: sessions need it.</summary>
public sealed unsafe class OrtEnv : SafeHandle
{
    private static readonly Lock s_lock = new();
    private static volatile OrtEnv? s_instance;

    private OrtEnv(nint environment)
        : base(0, ownsHandle: false) => SetHandle(environment);

    public static bool IsCreated => s_instance is not null;

    public override bool IsInvalid => handle == 0;

    public static OrtEnv Instance()
    {
        if (s_instance is null)
        {
            lock (s_lock)
            {
                s_instance ??= Create(default);
            }
        }

        return s_instance;
    }

    public static OrtEnv CreateInstanceWithOptions(ref EnvironmentCreationOptions options)
    {
        lock (s_lock)
        {
            return s_instance is null
                ? s_instance = Create(options)
                : throw new OnnxRuntimeException(ErrorCode.Fail, "OrtEnv singleton instance already exists, supplied options would not have effect");
        }
    }

    public string GetVersionString() => NativeApi.VersionString;

    internal static nint Pointer => Instance().handle;

    protected override bool ReleaseHandle() => true;

    private static OrtEnv Create(EnvironmentCreationOptions options)
    {
        int level = (int)(options.logLevel ?? OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING);
        nint environment;
        fixed (byte* id = Utf8.Bytes(options.logId ?? "CSharpOnnxRuntime"))
        {
            if (options.threadOptions is null)
            {
                NativeApi.Check(NativeApi.CreateEnv(level, id, &environment));
            }
            else
            {
                using var threads = new Lease(options.threadOptions);
                NativeApi.Check(NativeApi.CreateEnvWithGlobalThreadPools(level, id, threads.Pointer, &environment));
            }
        }

        return new OrtEnv(environment);
    }
}
