using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Spectre.Console;

namespace MLNet.Pruning.Samples.Digits;

/// <summary>One run told step by step on the console, and its report as JSON.</summary>
internal static class Journey
{
    private const int EpochsBetweenLines = 10;

    public static void Tell(int seed, DirectoryInfo output)
    {
        Console.WriteLine("training a network of 64-300-100-10 units on handwritten digits");
        var run = Fit(seed);
        var dense = run.Measure(run.Dense).Total;
        var pruned = run.Measure(run.FineTuned);
        var (denseAccuracy, accuracy) = (run.TestAccuracy(run.Dense), run.TestAccuracy(run.FineTuned));
        Line($"dense: test accuracy {denseAccuracy:P2}, {dense.NonZeroWeights:N0} weights");
        Line($"pruned, before the last fine-tuning: test accuracy {run.TestAccuracy(run.Pruned):P2}");
        Line($"pruned and fine-tuned: test accuracy {accuracy:P2}, {pruned.Total.NonZeroWeights:N0} weights ({pruned.Total.Sparsity:P2} zeros)");
        Console.WriteLine();
        Console.WriteLine(pruned);
        Console.WriteLine();

        var report = new
        {
            dense = new { accuracy = denseAccuracy, nonzeros = dense.NonZeroWeights },
            pruned = new { accuracy, nonzeros = pruned.Total.NonZeroWeights, sparsity = pruned.Total.Sparsity },
            seed,
        };
        output.Create();
        var path = Path.Combine(output.FullName, "report.json");
        File.WriteAllText(path + ".new", JsonSerializer.Serialize(report));
        File.Move(path + ".new", path, overwrite: true);
        Line($"report: {Path.GetRelativePath(Environment.CurrentDirectory, path)}");
        var page = Path.ChangeExtension(path, ".html");
        run.Report().SaveHtml(page);
        Line($"report: {Path.GetRelativePath(Environment.CurrentDirectory, page)}");
    }

    /// <summary>A progress bar on a terminal, plain lines elsewhere.</summary>
    private static DigitsRun Fit(int seed)
    {
        if (!AnsiConsole.Profile.Capabilities.Interactive || Console.IsOutputRedirected)
        {
            return DigitsRun.Fit(seed, new Report<EpochResult>(epoch => Trained(epoch, Console.WriteLine)),
                new Report<PruningStep>(step => Console.WriteLine(Describe(step))));
        }

        return AnsiConsole.Progress().Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new ElapsedTimeColumn())
            .Start(context =>
        {
            var training = context.AddTask("training");
            var pruning = context.AddTask("pruning", maxValue: DigitsRun.PruningSteps);
            return DigitsRun.Fit(seed,
                new Report<EpochResult>(epoch =>
                {
                    training.Value = 100.0 * epoch.Epoch / epoch.Epochs;
                    Trained(epoch, AnsiConsole.WriteLine);
                }),
                new Report<PruningStep>(step =>
                {
                    pruning.Value = step.Step;
                    AnsiConsole.WriteLine(Describe(step));
                }));
        });
    }

    private static void Trained(EpochResult epoch, Action<string> write)
    {
        if (epoch.Epoch % EpochsBetweenLines == 0)
        {
            write(string.Create(CultureInfo.InvariantCulture, $"epoch {epoch.Epoch}/{epoch.Epochs}: validation accuracy {epoch.Validation!.Metric:P2}"));
        }
    }

    private static string Describe(PruningStep step) => string.Create(CultureInfo.InvariantCulture,
        $"step {step.Step,2}/{step.Steps}: sparsity {step.Sparsity:P1}, validation accuracy {step.Pruned!.Metric:P2}, fine-tuned {step.FineTuned!.Metric:P2}");

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    /// <summary>Unlike <see cref="Progress{T}"/>, reports in place, so that lines come in order.</summary>
    private sealed class Report<T>(Action<T> action) : IProgress<T>
    {
        void IProgress<T>.Report(T value) => action(value);
    }
}
