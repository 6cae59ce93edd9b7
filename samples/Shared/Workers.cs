using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace MLNet.Pruning.Samples;

/// <summary>
/// Runs seeds side by side, each in a process of its own with one thread: two such trainings on two processors get further than two threads
/// on one.
/// </summary>
internal static class Workers
{
    /// <returns>Whether all seeds came to their end.</returns>
    public static bool Run(string[] arguments, Recipe recipe, int seeds, int atOnce)
    {
        if (!AnsiConsole.Profile.Capabilities.Interactive || Console.IsOutputRedirected)
        {
            return RunAll(arguments, seeds, atOnce, (seed, _, text) =>
            {
                if (!text.Contains("epoch", StringComparison.Ordinal) || text.Contains("0/", StringComparison.Ordinal))
                {
                    Console.WriteLine($"seed {seed}: {text}");
                }
            });
        }

        var epochs = recipe.Stages.Sum(stage => stage.Epochs);
        return AnsiConsole.Progress().Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(),
            new RemainingTimeColumn()).Start(context =>
        {
            var bars = Enumerable.Range(1, seeds).Select(seed => context.AddTask($"seed {seed}", maxValue: epochs)).ToArray();
            return RunAll(arguments, seeds, atOnce, (seed, done, text) =>
            {
                bars[seed - 1].Value = done;
                bars[seed - 1].Description = Markup.Escape($"seed {seed}: {text}");
            });
        });
    }

    private static bool RunAll(string[] arguments, int seeds, int atOnce, Action<int, int, string> progress)
    {
        var ended = new bool[seeds];
        Parallel.For(1, seeds + 1, new ParallelOptions { MaxDegreeOfParallelism = atOnce }, seed => ended[seed - 1] = RunOne(arguments, seed, progress));
        return ended.All(one => one);
    }

    private static bool RunOne(string[] arguments, int seed, Action<int, int, string> progress)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        // Started by "dotnet Mnist.dll", the process is dotnet.
        string[] program = Path.GetFileNameWithoutExtension(start.FileName) == "dotnet" ? [typeof(Workers).Assembly.Location] : [];
        foreach (var argument in program.Concat(arguments).Concat(["--seed", seed.ToString(CultureInfo.InvariantCulture)]))
        {
            start.ArgumentList.Add(argument);
        }

        // One thread for OpenMP and with it for libtorch and its BLAS.
        start.Environment["OMP_NUM_THREADS"] = "1";
        using var process = Process.Start(start)!;
        while (process.StandardOutput.ReadLine() is { } line)
        {
            var parts = line.Split(' ', 2);
            if (parts.Length == 2 && int.TryParse(parts[0], CultureInfo.InvariantCulture, out var done))
            {
                lock (progress)
                {
                    progress(seed, done, parts[1]);
                }
            }
        }

        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
