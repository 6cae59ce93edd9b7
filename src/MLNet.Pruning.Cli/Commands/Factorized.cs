using Spectre.Console;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>What factorize did.</summary>
/// <param name="Input">The model it was given.</param>
/// <param name="Output">The model it wrote.</param>
/// <param name="Factorizer">Into which layers.</param>
/// <param name="Rank">How small.</param>
/// <param name="Layers">What became of each layer.</param>
/// <param name="Validation">Measured on rows held back; only with rows.</param>
internal sealed record Factorized(FileSummary Input, FileSummary Output, string Factorizer, string Rank, FactorizedLayer[] Layers,
    ValidationSummary? Validation) : Answer
{
    public override void Print(IAnsiConsole console)
    {
        foreach (var layer in Layers)
        {
            console.Line(layer.ToString());
        }

        var totals = Cells.Columns("", "before", "after", "ratio");
        totals.Row("parameters", Cells.Number(Input.Parameters), Cells.Number(Output.Parameters),
            Cells.Number((double)Input.Parameters / Output.Parameters, "0.0x"));
        totals.Row("multiply-adds", Input.MultiplyAddsFormula, Output.MultiplyAddsFormula, "");
        totals.Row("bytes", Cells.Number(Input.Bytes), Cells.Number(Output.Bytes), Cells.Number((double)Input.Bytes / Output.Bytes, "0.0x"));
        if (Validation is { } validation)
        {
            totals.Row($"validation {validation.Metric}", Cells.Number(validation.Before, "0.0000"), Cells.Number(validation.After, "0.0000"), "");
        }

        console.Write(totals);
        console.Line($"written: {Output.File}");
    }
}
