namespace MLNet.Pruning.Scoring.Native;

/// <summary>Environment variables as native libraries read them: on Unix <see cref="Environment"/> keeps a copy of its own.</summary>
internal static partial class NativeVariables
{
    /// <summary>Sets a variable for this process, unless its user has.</summary>
    public static void SetDefault(string name, string value)
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SetOnUnix(name, value, overwrite: 0);
        }
        else if (Environment.GetEnvironmentVariable(name) is null)
        {
            _ = SetOnWindows(name, value);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOnUnix(string name, string value, int overwrite);

    [LibraryImport("ucrtbase", EntryPoint = "_putenv_s", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int SetOnWindows(string name, string value);
}
