using System.Diagnostics;
using System.Text.Json;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>The tool in a process of its own: the built one, or where MLNET_PRUNE names the executable of an installed one, that.</summary>
internal static class CliProcess
{
    private static readonly string? s_installed = Environment.GetEnvironmentVariable("MLNET_PRUNE");

    /// <summary>Path of the built tool.</summary>
    public static string Built { get; } = Path.Combine(ChildProcess.OutputOf("src/MLNet.Pruning.Cli"), "MLNet.Pruning.Cli.dll");

    public static (int ExitCode, string Output, string Errors) Run(params string[] arguments) => ChildProcess.Run(Start(arguments));

    /// <summary>What starts the tool.</summary>
    public static ProcessStartInfo Start(params string[] arguments) => s_installed is null ? new("dotnet", [Built, .. arguments]) : new(s_installed, arguments);

    /// <summary>Runs with --json and gives the one object on standard output.</summary>
    public static JsonElement Json(int exitCode, params string[] arguments)
    {
        var (code, output, errors) = Run([.. arguments, "--json"]);
        Assert.AreEqual(exitCode, code, output + errors);
        Assert.AreEqual("", errors, "nothing beside the JSON");
        return JsonDocument.Parse(output).RootElement;
    }
}
