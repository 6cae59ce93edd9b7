using System.Text.Json.Serialization;
using Spectre.Console;

namespace MLNet.Pruning.Cli;

/// <summary>What a command found out: printed as tables, or with --json its public properties as JSON.</summary>
internal abstract record Answer
{
    /// <summary>Exit code of the process: 0 done, 1 refused.</summary>
    [JsonIgnore]
    public virtual int ExitCode => 0;

    public abstract void Print(IAnsiConsole console);
}
