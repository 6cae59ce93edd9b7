using Spectre.Console;

namespace MLNet.Pruning.Cli;

/// <summary>Says on the error stream how far long work is, where that is a terminal.</summary>
internal static class Progress
{
    public static T Run<T>(string what, Func<Action<string>, T> work)
    {
        if (Console.IsErrorRedirected)
        {
            return work(_ => { });
        }

        var console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Status().Start(Markup.Escape(what), status => work(text => status.Status = Markup.Escape(Cells.Plain(text))));
    }

    /// <summary>Says what is reported, on the thread that reports it.</summary>
    public static IProgress<T> Of<T>(Action<string> say) => new Spoken<T>(say);

    private sealed class Spoken<T>(Action<string> say) : IProgress<T>
    {
        public void Report(T value) => say(value?.ToString() ?? "");
    }
}
