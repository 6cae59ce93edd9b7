using System.Diagnostics;

/// <summary>
/// When the process ends, writes the paths of the native libraries and assemblies that it has loaded, a line each, to a file that
/// LOADED_FILES names.
/// </summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        var list = Environment.GetEnvironmentVariable("LOADED_FILES")!;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => File.WriteAllLines(list, Loaded());
    }

    private static IEnumerable<string> Loaded()
    {
        using var process = Process.GetCurrentProcess();
        string[] modules = [.. process.Modules.Cast<ProcessModule>().Select(module => module.FileName)];
        return modules.Concat(AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.Location)).Where(path => path.Length > 0).Distinct().Order();
    }
}
