using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace MLNet.Pruning.Tests;

/// <summary>A program in a process of its own.</summary>
internal static class ChildProcess
{
    /// <summary>Programs that tests start, and what those start, run for seconds, in which the runtime's counting of calls costs more than it gains.</summary>
    [ModuleInitializer]
    public static void CountNoCalls() => Environment.SetEnvironmentVariable("DOTNET_TieredPGO", "0");

    /// <summary>What starts a program of this solution, built in the configuration of these tests.</summary>
    /// <param name="project">Folder of its project from the solution's; its name is the program's.</param>
    /// <param name="arguments">Its arguments.</param>
    public static ProcessStartInfo Built(string project, params string[] arguments)
        => new("dotnet", [Path.Combine(OutputOf(project), Path.GetFileName(project) + ".dll"), .. arguments]);

    /// <summary>Folder that a project is built into.</summary>
    public static string OutputOf(string project) => Path.Combine(Path.GetDirectoryName(Repository.Find())!,
        project.Replace('/', Path.DirectorySeparatorChar), "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0");

    /// <summary>Runs it to its end.</summary>
    public static (int ExitCode, string Output, string Errors) Run(ProcessStartInfo start)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }

    /// <summary>Runs it to its end.</summary>
    /// <returns>Bytes of memory that it held at most, as the system counts them; on macOS, which does not tell, 0.</returns>
    public static long PeakMemory(ProcessStartInfo start)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = Process.Start(start)!;
        var texts = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var peak = 0L;
        while (!process.WaitForExit(TimeSpan.FromMilliseconds(5)))
        {
            process.Refresh();
            try
            {
                peak = Math.Max(peak, process.PeakWorkingSet64);
            }
            catch (InvalidOperationException)
            {
                // It has ended since it was asked.
            }
        }

        _ = texts.Result;
        return peak;
    }
}
