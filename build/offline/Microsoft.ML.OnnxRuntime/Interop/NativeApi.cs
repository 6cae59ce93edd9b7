using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime.Interop;

/// <summary>
/// ONNX Runtime's C API: a table of functions that only ever grows at its end, so that a function keeps the place that it
/// has in onnxruntime_c_api.h. All but the releasing ones return a status, null where they succeed.
/// </summary>
internal static unsafe class NativeApi
{
    // The version that the real package asks for: every function below is older.
    private const uint Version = 14;

    private static readonly nint s_library = Load();
    private static readonly nint* s_base = ((delegate* unmanaged<nint*>)NativeLibrary.GetExport(s_library, "OrtGetApiBase"))();
    private static readonly nint* s_functions = Functions();

    public static readonly delegate* unmanaged<nint, int> GetErrorCode = (delegate* unmanaged<nint, int>)s_functions[1];
    public static readonly delegate* unmanaged<nint, byte*> GetErrorMessage = (delegate* unmanaged<nint, byte*>)s_functions[2];
    public static readonly delegate* unmanaged<nint, void> ReleaseStatus = (delegate* unmanaged<nint, void>)s_functions[93];

    public static readonly delegate* unmanaged<int, byte*, nint*, nint> CreateEnv = (delegate* unmanaged<int, byte*, nint*, nint>)s_functions[3];
    public static readonly delegate* unmanaged<int, byte*, nint, nint*, nint> CreateEnvWithGlobalThreadPools =
        (delegate* unmanaged<int, byte*, nint, nint*, nint>)s_functions[119];
    public static readonly delegate* unmanaged<nint*, nint> CreateThreadingOptions = (delegate* unmanaged<nint*, nint>)s_functions[121];
    public static readonly delegate* unmanaged<nint, void> ReleaseThreadingOptions = (delegate* unmanaged<nint, void>)s_functions[122];
    public static readonly delegate* unmanaged<nint, int, nint> SetGlobalIntraOpNumThreads = (delegate* unmanaged<nint, int, nint>)s_functions[147];
    public static readonly delegate* unmanaged<nint, int, nint> SetGlobalInterOpNumThreads = (delegate* unmanaged<nint, int, nint>)s_functions[148];
    public static readonly delegate* unmanaged<nint, int, nint> SetGlobalSpinControl = (delegate* unmanaged<nint, int, nint>)s_functions[149];

    public static readonly delegate* unmanaged<nint*, nint> CreateSessionOptions = (delegate* unmanaged<nint*, nint>)s_functions[10];
    public static readonly delegate* unmanaged<nint, byte*, nint> SetOptimizedModelFilePath = (delegate* unmanaged<nint, byte*, nint>)s_functions[11];
    public static readonly delegate* unmanaged<nint, int, nint> SetSessionExecutionMode = (delegate* unmanaged<nint, int, nint>)s_functions[13];
    public static readonly delegate* unmanaged<nint, byte*, nint> EnableProfiling = (delegate* unmanaged<nint, byte*, nint>)s_functions[14];
    public static readonly delegate* unmanaged<nint, nint> DisableProfiling = (delegate* unmanaged<nint, nint>)s_functions[15];
    public static readonly delegate* unmanaged<nint, nint> EnableMemPattern = (delegate* unmanaged<nint, nint>)s_functions[16];
    public static readonly delegate* unmanaged<nint, nint> DisableMemPattern = (delegate* unmanaged<nint, nint>)s_functions[17];
    public static readonly delegate* unmanaged<nint, nint> EnableCpuMemArena = (delegate* unmanaged<nint, nint>)s_functions[18];
    public static readonly delegate* unmanaged<nint, nint> DisableCpuMemArena = (delegate* unmanaged<nint, nint>)s_functions[19];
    public static readonly delegate* unmanaged<nint, byte*, nint> SetSessionLogId = (delegate* unmanaged<nint, byte*, nint>)s_functions[20];
    public static readonly delegate* unmanaged<nint, int, nint> SetSessionLogVerbosityLevel = (delegate* unmanaged<nint, int, nint>)s_functions[21];
    public static readonly delegate* unmanaged<nint, int, nint> SetSessionLogSeverityLevel = (delegate* unmanaged<nint, int, nint>)s_functions[22];
    public static readonly delegate* unmanaged<nint, int, nint> SetSessionGraphOptimizationLevel = (delegate* unmanaged<nint, int, nint>)s_functions[23];
    public static readonly delegate* unmanaged<nint, int, nint> SetIntraOpNumThreads = (delegate* unmanaged<nint, int, nint>)s_functions[24];
    public static readonly delegate* unmanaged<nint, int, nint> SetInterOpNumThreads = (delegate* unmanaged<nint, int, nint>)s_functions[25];
    public static readonly delegate* unmanaged<nint, byte*, long, nint> AddFreeDimensionOverrideByName =
        (delegate* unmanaged<nint, byte*, long, nint>)s_functions[124];
    public static readonly delegate* unmanaged<nint, nint> DisablePerSessionThreads = (delegate* unmanaged<nint, nint>)s_functions[120];
    public static readonly delegate* unmanaged<nint, byte*, byte*, nint> AddSessionConfigEntry =
        (delegate* unmanaged<nint, byte*, byte*, nint>)s_functions[130];
    public static readonly delegate* unmanaged<nint, void> ReleaseSessionOptions = (delegate* unmanaged<nint, void>)s_functions[100];

    public static readonly delegate* unmanaged<nint*, nint> CreateRunOptions = (delegate* unmanaged<nint*, nint>)s_functions[39];
    public static readonly delegate* unmanaged<nint, int, nint> RunOptionsSetRunLogVerbosityLevel = (delegate* unmanaged<nint, int, nint>)s_functions[40];
    public static readonly delegate* unmanaged<nint, int, nint> RunOptionsSetRunLogSeverityLevel = (delegate* unmanaged<nint, int, nint>)s_functions[41];
    public static readonly delegate* unmanaged<nint, byte*, nint> RunOptionsSetRunTag = (delegate* unmanaged<nint, byte*, nint>)s_functions[42];
    public static readonly delegate* unmanaged<nint, nint> RunOptionsSetTerminate = (delegate* unmanaged<nint, nint>)s_functions[46];
    public static readonly delegate* unmanaged<nint, nint> RunOptionsUnsetTerminate = (delegate* unmanaged<nint, nint>)s_functions[47];
    public static readonly delegate* unmanaged<nint, byte*, byte*, nint> AddRunConfigEntry =
        (delegate* unmanaged<nint, byte*, byte*, nint>)s_functions[165];
    public static readonly delegate* unmanaged<nint, void> ReleaseRunOptions = (delegate* unmanaged<nint, void>)s_functions[97];

    public static readonly delegate* unmanaged<nint, byte*, nint, nint*, nint> CreateSession =
        (delegate* unmanaged<nint, byte*, nint, nint*, nint>)s_functions[7];
    public static readonly delegate* unmanaged<nint, byte*, nuint, nint, nint*, nint> CreateSessionFromArray =
        (delegate* unmanaged<nint, byte*, nuint, nint, nint*, nint>)s_functions[8];
    public static readonly delegate* unmanaged<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint> Run =
        (delegate* unmanaged<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint>)s_functions[9];
    public static readonly delegate* unmanaged<nint, nuint*, nint> SessionGetInputCount = (delegate* unmanaged<nint, nuint*, nint>)s_functions[30];
    public static readonly delegate* unmanaged<nint, nuint*, nint> SessionGetOutputCount = (delegate* unmanaged<nint, nuint*, nint>)s_functions[31];
    public static readonly delegate* unmanaged<nint, nuint*, nint> SessionGetOverridableInitializerCount =
        (delegate* unmanaged<nint, nuint*, nint>)s_functions[32];
    public static readonly delegate* unmanaged<nint, nuint, nint*, nint> SessionGetInputTypeInfo =
        (delegate* unmanaged<nint, nuint, nint*, nint>)s_functions[33];
    public static readonly delegate* unmanaged<nint, nuint, nint*, nint> SessionGetOutputTypeInfo =
        (delegate* unmanaged<nint, nuint, nint*, nint>)s_functions[34];
    public static readonly delegate* unmanaged<nint, nuint, nint*, nint> SessionGetOverridableInitializerTypeInfo =
        (delegate* unmanaged<nint, nuint, nint*, nint>)s_functions[35];
    public static readonly delegate* unmanaged<nint, nuint, nint, byte**, nint> SessionGetInputName =
        (delegate* unmanaged<nint, nuint, nint, byte**, nint>)s_functions[36];
    public static readonly delegate* unmanaged<nint, nuint, nint, byte**, nint> SessionGetOutputName =
        (delegate* unmanaged<nint, nuint, nint, byte**, nint>)s_functions[37];
    public static readonly delegate* unmanaged<nint, nuint, nint, byte**, nint> SessionGetOverridableInitializerName =
        (delegate* unmanaged<nint, nuint, nint, byte**, nint>)s_functions[38];
    public static readonly delegate* unmanaged<nint, nint, byte**, nint> SessionEndProfiling = (delegate* unmanaged<nint, nint, byte**, nint>)s_functions[110];
    public static readonly delegate* unmanaged<nint, nint*, nint> SessionGetModelMetadata = (delegate* unmanaged<nint, nint*, nint>)s_functions[111];
    public static readonly delegate* unmanaged<nint, void> ReleaseSession = (delegate* unmanaged<nint, void>)s_functions[95];

    public static readonly delegate* unmanaged<nint, nint, byte**, nint> ModelMetadataGetProducerName =
        (delegate* unmanaged<nint, nint, byte**, nint>)s_functions[112];
    public static readonly delegate* unmanaged<nint, nint, byte**, nint> ModelMetadataGetGraphName =
        (delegate* unmanaged<nint, nint, byte**, nint>)s_functions[113];
    public static readonly delegate* unmanaged<nint, nint, byte**, nint> ModelMetadataGetDomain =
        (delegate* unmanaged<nint, nint, byte**, nint>)s_functions[114];
    public static readonly delegate* unmanaged<nint, nint, byte**, nint> ModelMetadataGetDescription =
        (delegate* unmanaged<nint, nint, byte**, nint>)s_functions[115];
    public static readonly delegate* unmanaged<nint, nint, byte*, byte**, nint> ModelMetadataLookupCustomMetadataMap =
        (delegate* unmanaged<nint, nint, byte*, byte**, nint>)s_functions[116];
    public static readonly delegate* unmanaged<nint, long*, nint> ModelMetadataGetVersion = (delegate* unmanaged<nint, long*, nint>)s_functions[117];
    public static readonly delegate* unmanaged<nint, void> ReleaseModelMetadata = (delegate* unmanaged<nint, void>)s_functions[118];
    public static readonly delegate* unmanaged<nint, nint, byte***, long*, nint> ModelMetadataGetCustomMetadataMapKeys =
        (delegate* unmanaged<nint, nint, byte***, long*, nint>)s_functions[123];
    public static readonly delegate* unmanaged<nint, nint, byte**, nint> ModelMetadataGetGraphDescription =
        (delegate* unmanaged<nint, nint, byte**, nint>)s_functions[158];

    public static readonly delegate* unmanaged<nint, long*, nuint, int, nint*, nint> CreateTensorAsOrtValue =
        (delegate* unmanaged<nint, long*, nuint, int, nint*, nint>)s_functions[48];
    public static readonly delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint> CreateTensorWithDataAsOrtValue =
        (delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)s_functions[49];
    public static readonly delegate* unmanaged<nint, void**, nint> GetTensorMutableData = (delegate* unmanaged<nint, void**, nint>)s_functions[51];
    public static readonly delegate* unmanaged<nint, nint*, nint> GetTensorTypeAndShape = (delegate* unmanaged<nint, nint*, nint>)s_functions[65];
    public static readonly delegate* unmanaged<nint, int*, nint> GetValueType = (delegate* unmanaged<nint, int*, nint>)s_functions[67];
    public static readonly delegate* unmanaged<nint, nuint, nuint*, nint> GetStringTensorElementLength =
        (delegate* unmanaged<nint, nuint, nuint*, nint>)s_functions[127];
    public static readonly delegate* unmanaged<nint, nuint, nuint, byte*, nint> GetStringTensorElement =
        (delegate* unmanaged<nint, nuint, nuint, byte*, nint>)s_functions[128];
    public static readonly delegate* unmanaged<nint, byte*, nuint, nint> FillStringTensorElement =
        (delegate* unmanaged<nint, byte*, nuint, nint>)s_functions[129];
    public static readonly delegate* unmanaged<nint, void> ReleaseValue = (delegate* unmanaged<nint, void>)s_functions[96];

    public static readonly delegate* unmanaged<nint, nint*, nint> CastTypeInfoToTensorInfo = (delegate* unmanaged<nint, nint*, nint>)s_functions[55];
    public static readonly delegate* unmanaged<nint, int*, nint> GetOnnxTypeFromTypeInfo = (delegate* unmanaged<nint, int*, nint>)s_functions[56];
    public static readonly delegate* unmanaged<nint, int*, nint> GetTensorElementType = (delegate* unmanaged<nint, int*, nint>)s_functions[60];
    public static readonly delegate* unmanaged<nint, nuint*, nint> GetDimensionsCount = (delegate* unmanaged<nint, nuint*, nint>)s_functions[61];
    public static readonly delegate* unmanaged<nint, long*, nuint, nint> GetDimensions = (delegate* unmanaged<nint, long*, nuint, nint>)s_functions[62];
    public static readonly delegate* unmanaged<nint, byte**, nuint, nint> GetSymbolicDimensions =
        (delegate* unmanaged<nint, byte**, nuint, nint>)s_functions[63];
    public static readonly delegate* unmanaged<nint, nuint*, nint> GetTensorShapeElementCount = (delegate* unmanaged<nint, nuint*, nint>)s_functions[64];
    public static readonly delegate* unmanaged<nint, void> ReleaseTypeInfo = (delegate* unmanaged<nint, void>)s_functions[98];
    public static readonly delegate* unmanaged<nint, void> ReleaseTensorTypeAndShapeInfo = (delegate* unmanaged<nint, void>)s_functions[99];

    public static readonly delegate* unmanaged<int, int, nint*, nint> CreateCpuMemoryInfo = (delegate* unmanaged<int, int, nint*, nint>)s_functions[69];
    public static readonly delegate* unmanaged<nint, void*, nint> AllocatorFree = (delegate* unmanaged<nint, void*, nint>)s_functions[76];
    public static readonly delegate* unmanaged<nint*, nint> GetAllocatorWithDefaultOptions = (delegate* unmanaged<nint*, nint>)s_functions[78];

    /// <summary>Not in the table, but exported by every build; one without CUDA answers with an error.</summary>
    public static readonly delegate* unmanaged<nint, int, nint> AppendExecutionProviderCuda =
        (delegate* unmanaged<nint, int, nint>)NativeLibrary.GetExport(s_library, "OrtSessionOptionsAppendExecutionProvider_CUDA");

    public static string VersionString => Utf8.ToString(((delegate* unmanaged<byte*>)s_base[1])());

    /// <summary>Throws what a status says, and frees it.</summary>
    public static void Check(nint status)
    {
        if (status == 0)
        {
            return;
        }

        var code = (ErrorCode)GetErrorCode(status);
        string message = Utf8.ToString(GetErrorMessage(status));
        ReleaseStatus(status);
        throw new OnnxRuntimeException(code, message);
    }

    private static nint* Functions()
    {
        var functions = (nint*)((delegate* unmanaged<uint, nint>)s_base[0])(Version);
        return functions is not null ? functions : throw new DllNotFoundException(
            $"ONNX Runtime {Utf8.ToString(((delegate* unmanaged<byte*>)s_base[1])())} does not offer version {Version} of its C API.");
    }

    private static nint Load()
    {
        string file = Path.Combine(AppContext.BaseDirectory, "libonnxruntime.so.1");
        try
        {
            return NativeLibrary.Load(file);
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            string problem = File.Exists(file)
                ? $"a library that {file} needs ({exception.Message.ReplaceLineEndings(" ").Trim()})"
                : $"ONNX Runtime's library ({file})";
            throw new DllNotFoundException($"Missing: {problem}; run build/test.sh, which fetches it, and build again.");
        }
    }
}
