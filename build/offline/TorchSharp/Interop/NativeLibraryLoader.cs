using System.Reflection;
using System.Runtime.InteropServices;

namespace TorchSharp.Interop;

/// <summary>Loads the shim from beside this assembly, in an environment in which libtorch runs well.</summary>
internal static unsafe partial class NativeLibraryLoader
{
    private static readonly Lock s_lock = new();
    private static nint s_library;

    internal static void Register() => NativeLibrary.SetDllImportResolver(typeof(NativeLibraryLoader).Assembly, Resolve);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != NativeMethods.Library)
        {
            return 0;
        }

        lock (s_lock)
        {
            if (s_library == 0)
            {
                PrepareEnvironment();
                s_library = Load();
                ((delegate* unmanaged[Cdecl]<void>)NativeLibrary.GetExport(s_library, nameof(NativeMethods.ts_initialize)))();
            }

            return s_library;
        }
    }

    private static nint Load()
    {
        string file = Path.Combine(AppContext.BaseDirectory, "libtorch_shim.so");
        try
        {
            return NativeLibrary.Load(file);
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            string problem = File.Exists(file)
                ? $"a library that {file} needs ({exception.Message.ReplaceLineEndings(" ").Trim()})"
                : $"the shim over libtorch ({file})";
            throw new DllNotFoundException($"Missing: {problem}; run build/test.sh, which installs it, or set LIBTORCH and build again.");
        }
    }

    private static void PrepareEnvironment()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        // libgomp's spinning threads cost tenfold as soon as anything else runs on the cores. .NET's own environment does not
        // reach native libraries, hence setenv.
        SetIfUnset("OMP_WAIT_POLICY", "PASSIVE");
        if (OpenBlas.UnderratesProcessor())
        {
            SetIfUnset("OPENBLAS_CORETYPE", "SkylakeX");
        }
    }

    private static void SetIfUnset(string name, string value) => _ = setenv(name, value, 0);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}
