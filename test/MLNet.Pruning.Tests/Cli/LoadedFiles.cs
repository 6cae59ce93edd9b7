using System.Diagnostics;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>The native libraries and assemblies that a command of the tool has loaded when it ends.</summary>
internal static class LoadedFiles
{
    private static readonly string s_hook = Path.Combine(ChildProcess.OutputOf("test/MLNet.Pruning.LoadedFiles"), "MLNet.Pruning.LoadedFiles.dll");

    /// <summary>Their names without folders.</summary>
    /// <param name="list">A file to note them in.</param>
    /// <param name="start">The tool and the command.</param>
    public static string[] Of(string list, ProcessStartInfo start)
    {
        (start.Environment["DOTNET_STARTUP_HOOKS"], start.Environment["LOADED_FILES"]) = (s_hook, list);
        var (code, output, errors) = ChildProcess.Run(start);
        Assert.AreEqual(0, code, output + errors);
        return [.. File.ReadLines(list).Select(path => Path.GetFileName(path))];
    }

    /// <summary>The native library, not the assembly that calls it.</summary>
    public static bool IsOnnxRuntime(string name) => Path.GetFileNameWithoutExtension(name) is "libonnxruntime" or "onnxruntime";
}
