using Spectre.Console;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>What diagnose found.</summary>
/// <param name="File">Path as it was given.</param>
/// <param name="Milliseconds">Of a run, without a profile.</param>
/// <param name="Batch">Rows in a run.</param>
/// <param name="Threads">Threads of a run.</param>
/// <param name="Bytes">Of the network as an ONNX file.</param>
/// <param name="Findings">What stands in the way, the largest share first.</param>
/// <param name="Layers">Where the time of a run goes, the largest share first.</param>
/// <param name="BetweenNodes">Share of it that goes by between the nodes.</param>
/// <param name="LargestTensors">Tensors with their shares of all values, the largest first; ten at most.</param>
internal sealed record Diagnosed(string File, double Milliseconds, int Batch, int Threads, long Bytes, FindingSummary[] Findings, LayerTime[] Layers,
    double BetweenNodes, FindingPlace[] LargestTensors) : Answer
{
    private const int MostTensors = 10;
    private readonly string _text = "";

    public Diagnosed(FileInfo file, DiagnosisReport report)
        : this(file.ToString(), report.Milliseconds, report.BatchSize, report.Threads, report.Bytes,
            [.. report.Findings.Select(finding => FindingSummary.For(finding, Quoted(file)))], [.. report.Layers], report.BetweenNodes,
            [.. report.LargestTensors.Take(MostTensors)]) => _text = report.Text(Quoted(file));

    public override void Print(IAnsiConsole console)
    {
        foreach (var line in _text.Split(Environment.NewLine))
        {
            console.Line(line);
        }
    }

    /// <summary>As a shell reads it as one word.</summary>
    private static string Quoted(FileInfo file) => file.ToString() is var path && path.Contains(' ', StringComparison.Ordinal) ? $"\"{path}\"" : path;
}

/// <summary>One thing that stands in the way.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Share">Share that it costs, in [0, 1].</param>
/// <param name="Of">What the share is of.</param>
/// <param name="Places">Where it is, with their parts of the share.</param>
/// <param name="Why">Why it costs that.</param>
/// <param name="Advice">What to do, as calls in code.</param>
/// <param name="Command">What to do, as a line of this tool; null where no command does it.</param>
internal sealed record FindingSummary(string Kind, double Share, string Of, FindingPlace[] Places, string Why, string Advice, string? Command)
{
    /// <summary>What the library found, with commands for a file.</summary>
    public static FindingSummary For(DiagnosisFinding finding, string file) => new(DiagnoseCommand.Name(finding.Kind), finding.Share, finding.Of,
        [.. finding.Places], finding.Why, finding.Advice,
        finding.Command is { } command ? $"mlnet-prune {command.Replace(DiagnosisReport.FileName, file, StringComparison.Ordinal)}" : null);
}
