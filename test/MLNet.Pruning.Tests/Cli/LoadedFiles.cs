namespace MLNet.Pruning.Tests.Cli;

/// <summary>The native libraries and assemblies that a command of the tool has loaded when it ends.</summary>
internal static class LoadedFiles
{
    private static readonly string s_hook = Path.Combine(Path.GetDirectoryName(Repository.Find())!, "test", "MLNet.Pruning.LoadedFiles", "bin",
        new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0", "MLNet.Pruning.LoadedFiles.dll");

    /// <summary>Their names without folders.</summary>
    /// <param name="list">A file to note them in.</param>
    /// <param name="arguments">The command.</param>
    public static string[] Of(string list, params string[] arguments)
    {
        var start = CliProcess.Start(arguments);
        (start.Environment["DOTNET_STARTUP_HOOKS"], start.Environment["LOADED_FILES"]) = (s_hook, list);
        var (code, output, errors) = CliProcess.Run(start);
        Assert.AreEqual(0, code, output + errors);
        return [.. File.ReadLines(list).Select(path => Path.GetFileName(path))];
    }
}
