using Spectre.Console;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>Why the members of a group go together.</summary>
/// <param name="Layer">Name of the layer that makes the group.</param>
/// <param name="Number">Its number in that layer.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Members">What goes with it.</param>
/// <param name="Lines">The whole as text.</param>
internal sealed record Explanation(string Layer, int Number, string Kind, GroupMemberSummary[] Members, string[] Lines) : Answer
{
    public override void Print(IAnsiConsole console)
    {
        foreach (var line in Lines)
        {
            console.Line(line);
        }
    }
}
