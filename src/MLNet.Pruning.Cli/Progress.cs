using System.CommandLine;
using System.Diagnostics;
using Spectre.Console;

namespace MLNet.Pruning.Cli;

/// <summary>
/// Says on the error stream how far long work is: on a terminal as a bar with the time that is left, elsewhere as a line a second at most, and beside JSON not
/// at all.
/// </summary>
internal sealed class Progress
{
    private const int BarWidth = 20;

    /// <summary>What the share, the time left and the room between columns take.</summary>
    private const int OtherColumns = 18;

    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(1);

    private readonly Action<string, double?> _show;
    private int _parts = 1;
    private int _done;

    private Progress(Action<string, double?> show) => _show = show;

    /// <summary>Works, and says how far it is.</summary>
    /// <param name="arguments">What was given: with --json nothing is said.</param>
    /// <param name="what">What is done.</param>
    /// <param name="work">The work.</param>
    public static T Run<T>(ParseResult arguments, string what, Func<Progress, T> work)
    {
        if (arguments.GetValue(Tool.AsJson))
        {
            return work(new((_, _) => { }));
        }

        if (Console.IsErrorRedirected)
        {
            var last = Stopwatch.GetTimestamp();
            return work(new((text, share) =>
            {
                if (Stopwatch.GetElapsedTime(last) >= s_between)
                {
                    last = Stopwatch.GetTimestamp();
                    Console.Error.WriteLine($"{what}{(share is { } done ? $", {Cells.Percent(done)}" : "")}: {Cells.Plain(text)}");
                }
            }));
        }

        var console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress().AutoClear(true).HideCompleted(false)
            .Columns(new ProgressBarColumn { Width = BarWidth }, new PercentageColumn(), new RemainingTimeColumn(),
                new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                var task = context.AddTask(Markup.Escape(what), maxValue: 1);
                task.IsIndeterminate = true;
                return work(new((text, share) =>
                {
                    task.Description = Markup.Escape(Cut(Cells.Plain(text), console.Profile.Width - BarWidth - OtherColumns));
                    if (share is { } done)
                    {
                        task.IsIndeterminate = false;
                        task.Value = done;
                    }
                }));
            });
    }

    /// <summary>In how many steps of training the work is done, as far as that is known before.</summary>
    public void Expect(int parts) => _parts = parts;

    /// <summary>Says something.</summary>
    /// <param name="text">What is done now.</param>
    /// <param name="share">How much is done, in [0, 1]; null where that is not known.</param>
    public void Say(string text, double? share = null) => _show(text, share);

    /// <summary>The epochs of a training.</summary>
    public IProgress<EpochResult> Epochs => new Spoken<EpochResult>(epoch => Say($"{epoch}", (_done + (double)epoch.Epoch / epoch.Epochs) / _parts));

    /// <summary>The steps of a pruning.</summary>
    public IProgress<PruningStep> Steps => new Spoken<PruningStep>(step =>
    {
        (_done, _parts) = (step.Step, step.Steps);
        Say($"{step}", (double)_done / _parts);
    });

    /// <summary>A bar is one line: the end of a longer text is left out.</summary>
    private static string Cut(string text, int width) => text.Length <= width ? text : text[..Math.Max(0, width)];

    /// <summary>Says what is reported on the thread that reports it.</summary>
    private sealed class Spoken<T>(Action<T> say) : IProgress<T>
    {
        public void Report(T value) => say(value);
    }
}
