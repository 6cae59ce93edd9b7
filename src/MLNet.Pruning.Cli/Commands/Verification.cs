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
/// <param name="Notes">What the comparison does not tell, and why.</param>
/// <param name="Changed">With --masked, parameters whose values that stayed are not the original's.</param>
internal sealed record Verification(string A, string B, bool Within, double Tolerance, double MaxAbsolute, double MaxRelative, OutputDifference[] Outputs,
    string[] Notes, string[]? Changed) : Answer
{
    [JsonIgnore]
    public override int ExitCode => Within && Outputs.Any(Tells) ? 0 : 1;

    public static Verification Of(Model a, FileInfo b, Differences found, double tolerance, string[]? changed)
    {
        var outputs = found.Outputs;
        var relative = outputs.Max(output => output.MaxRelative);
        var notes = new List<string>();
        if (!outputs.Any(Tells))
        {
            notes.Add($"all outputs of both models are {(outputs.All(output => output.Values == 0) ? "empty" : "zero")}, so nothing was verified");
        }
        else
        {
            notes.AddRange(outputs.Where(output => !Tells(output))
                .Select(output => $"output '{output.Output}' is {(output.Values == 0 ? "empty" : "zero")} in both models, so nothing was verified of it"));
        }

        if (found.IsRandom)
        {
            notes.Add($"{a.File} gives other outputs when it runs again on the same inputs: it computes at random, so that a difference says nothing");
        }

        if (a.Network.Nodes.Where(node => node.IsTraining).Select(node => $"'{node.Name}' ({node.Operator})").ToArray() is { Length: > 0 } training)
        {
            notes.Add($"{a.File} was exported for training: {string.Join(", ", training.Take(3))}{(training.Length > 3 ? $" and {training.Length - 3} more"
                : "")} compute with the batch's statistics or at random; export it for inference");
        }

        return new(a.File.ToString(), b.ToString(), relative <= tolerance, tolerance, outputs.Max(output => output.MaxAbsolute), relative, outputs, [.. notes],
            changed);
    }

    private static bool Tells(OutputDifference output) => output.Values > 0 && (output.Largest > 0 || output.MaxAbsolute > 0);

    public override void Print(IAnsiConsole console)
    {
        var table = Cells.Columns("output", "values", "largest value", "largest difference", "relative");
        foreach (var output in Outputs)
        {
            table.Row(output.Output, Cells.Number(output.Values), Cells.Number(output.Largest, "G4"), Cells.Number(output.MaxAbsolute, "G3"),
                Cells.Number(output.MaxRelative, "G3"));
        }

        console.Write(table);
        console.Line($"{(Within ? "within" : "outside")} the tolerance of {Cells.Number(Tolerance, "G3")}");
        foreach (var note in Notes)
        {
            console.Line(note);
        }

        if (!Within && Changed is { Length: > 0 })
        {
            console.Line($"values that stayed differ from the original's in {string.Join(", ", Changed)}: the model was trained, pruned or damaged after the "
                + "removal");
        }
    }
}
