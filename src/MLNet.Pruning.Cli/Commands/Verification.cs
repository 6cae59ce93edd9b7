using System.Text.Json.Serialization;
using MLNet.Pruning.Cli.Runtime;
using Spectre.Console;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>What verify found.</summary>
/// <param name="A">Path of the first model.</param>
/// <param name="B">Path of the second.</param>
/// <param name="Within">Whether every output is within the tolerance.</param>
/// <param name="Tolerance">Largest relative difference allowed.</param>
/// <param name="MaxAbsolute">Largest absolute difference.</param>
/// <param name="MaxRelative">Largest difference relative to the largest value of its output.</param>
/// <param name="Outputs">The same by output.</param>
/// <param name="Changed">With --masked, parameters whose values that stayed are not the original's.</param>
internal sealed record Verification(string A, string B, bool Within, double Tolerance, double MaxAbsolute, double MaxRelative, OutputDifference[] Outputs, string[]? Changed) : Answer
{
    [JsonIgnore]
    public override int ExitCode => Within ? 0 : 1;

    public static Verification Of(FileInfo a, FileInfo b, OutputDifference[] outputs, double tolerance, string[]? changed)
    {
        var relative = outputs.Max(output => output.MaxRelative);
        return new(a.ToString(), b.ToString(), relative <= tolerance, tolerance, outputs.Max(output => output.MaxAbsolute), relative, outputs, changed);
    }

    public override void Print(IAnsiConsole console)
    {
        var table = Cells.Columns("output", "values", "largest value", "largest difference", "relative");
        foreach (var output in Outputs)
        {
            table.Row(output.Output, Cells.Number(output.Values), Cells.Number(output.Largest, "G4"), Cells.Number(output.MaxAbsolute, "G3"), Cells.Number(output.MaxRelative, "G3"));
        }

        console.Write(table);
        console.Line($"{(Within ? "within" : "outside")} the tolerance of {Cells.Number(Tolerance, "G3")}");
        if (!Within && Changed is { Length: > 0 })
        {
            console.Line($"values that stayed differ from the original's in {string.Join(", ", Changed)}: the model was trained, pruned or damaged after the removal");
        }
    }
}
