using System.Diagnostics;
using System.Text.Json;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>The built tool in a process of its own.</summary>
internal static class CliProcess
{
    private static readonly string s_folder = Path.Combine(Path.GetDirectoryName(Repository.Find())!, "src", "MLNet.Pruning.Cli", "bin",
        new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0");

    public static (int ExitCode, string Output, string Errors) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(s_folder, "MLNet.Pruning.Cli.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["NUGET_PACKAGES"] = s_folder;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }

    /// <summary>Runs with --json and gives the one object on standard output.</summary>
    public static JsonElement Json(int exitCode, params string[] arguments)
    {
        var (code, output, errors) = Run([.. arguments, "--json"]);
        Assert.AreEqual(exitCode, code, output + errors);
        Assert.AreEqual("", errors, "nothing beside the JSON");
        return JsonDocument.Parse(output).RootElement;
    }
}
