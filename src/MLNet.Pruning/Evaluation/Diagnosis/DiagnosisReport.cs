using System.Text;
using MLNet.Pruning.Evaluation.Diagnosis;
using MLNet.Pruning.Messages;
using MLNet.Pruning.Messages.Reports;

namespace MLNet.Pruning;

/// <summary>
/// Why a model is not as small or as fast as it could be: what stands in the way, what each costs as measured on this machine, and what to do about it. Prints
/// as text.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed class DiagnosisReport : IHtmlDisplay
{
    private const int MostRows = 8;
    private const int MostPlaces = 3;

    /// <summary>What commands call the file that was diagnosed.</summary>
    internal const string FileName = "model.onnx";

    private readonly double _minimumShare;

    internal DiagnosisReport(DiagnosedNetwork network, IEnumerable<DiagnosisFinding> findings)
    {
        Findings = [.. findings.OrderByDescending(finding => finding.Share)];
        (Milliseconds, BatchSize, Threads, Bytes) = (network.Profile.Milliseconds, network.Options.BatchSize, network.Threads, network.Bytes);
        Layers = [.. network.Layers.OrderByDescending(layer => layer.Share)];
        (RemovableUnits, _minimumShare) = (network.Removable, network.Options.MinimumShare);
        BetweenNodes = Math.Max(0, 1 - network.Layers.Sum(layer => layer.Share));
        LargestTensors = [.. network.Network.Parameters.Select(parameter => new FindingPlace(parameter.Name,
            (double)parameter.Count / Math.Max(1, network.Network.Parameters.Sum(other => (long)other.Count)))).OrderByDescending(tensor => tensor.Share)];
    }

    /// <summary>What stands in the way, the largest share first; empty where nothing does.</summary>
    public IReadOnlyList<DiagnosisFinding> Findings { get; }

    /// <summary>Of a run of the network in ONNX Runtime, without a profile, on this machine and on rows of zeros.</summary>
    public double Milliseconds { get; }

    /// <summary>Rows in that run.</summary>
    public int BatchSize { get; }

    /// <summary>Threads of that run.</summary>
    public int Threads { get; }

    /// <summary>Where its time goes by ONNX Runtime's profile, the layer of the largest share first.</summary>
    public IReadOnlyList<LayerTime> Layers { get; }

    /// <summary>Share of its time that goes by between the nodes, in [0, 1]: with those of <see cref="Layers"/> they add up to 1.</summary>
    public double BetweenNodes { get; }

    /// <summary>Bytes of the network as an ONNX file.</summary>
    public long Bytes { get; }

    /// <summary>Its tensors with their shares of all values, the largest first.</summary>
    public IReadOnlyList<FindingPlace> LargestTensors { get; }

    /// <summary>
    /// Units whose removal changes no output, since what they make is zero or multiplied by zeros alone: <c>network.Remove(report.RemovableUnits)</c>.
    /// </summary>
    public IReadOnlyList<PruningGroup> RemovableUnits { get; }

    /// <inheritdoc/>
    public override string ToString() => Text(FileName);

    /// <summary>As text, with commands for a file.</summary>
    internal string Text(string file)
    {
        var text = new StringBuilder().AppendLine(Heading).AppendLine().AppendLine(Times().ToString()).AppendLine();
        foreach (var line in Findings.Index().SelectMany(finding => Lines(finding.Index + 1, finding.Item, file)))
        {
            text.AppendLine(line);
        }

        return Findings.Count > 0 ? text.ToString().TrimEnd() : text.AppendJoin(Environment.NewLine, TextLines.Wrap(Nothing, "")).ToString();
    }

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => [new ReportText(Heading), Times(), Findings.Count == 0 ? new ReportText(Nothing)
        : new ReportTable(["found", "share", "where", "why", "what to do"], [.. Findings.Select(finding => (string[])[Title(finding.Kind),
            string.Create(CultureInfo.InvariantCulture, $"{finding.Share:P0} {finding.Of}"), Where(finding), finding.Why, finding.Advice])])];

    private string Heading => string.Create(CultureInfo.InvariantCulture,
        $"{Milliseconds:0.0000} ms a run of {BatchSize:N0} row{(BatchSize == 1 ? "" : "s")} on {RunSettings.Count(Threads)}; {Bytes:N0} bytes as an ONNX file");

    private string Nothing => string.Create(CultureInfo.InvariantCulture,
        $"nothing stands in the way: of all that is looked for, nothing costs {_minimumShare:P0} of the time or the bytes. What is left is work that the "
            + $"network needs: a smaller network (Prune, Factorize, Distill) or smaller numbers (Quantize) make it less.");

    /// <summary>What a kind is called in text.</summary>
    internal static string Title(FindingKind kind) => kind switch
    {
        FindingKind.ZerosMultiplied => "zeros are multiplied",
        FindingKind.RemovableUnits => "units are zero and still there",
        FindingKind.DeadWeights => "weights lead nowhere",
        FindingKind.UnalignedWidths => "widths fall out of the fast layout",
        FindingKind.MemoryBound => "layers wait for their weights",
        FindingKind.UnfusedOperators => "operators are not fused",
        FindingKind.UnfusedIntegers => "integers are computed as floats",
        FindingKind.BatchSize => "larger batches take less a row",
        FindingKind.Threads => "another number of threads is faster",
        FindingKind.BetweenNodes => "time goes by between the nodes",
        FindingKind.OtherTransforms => "other transforms take the time",
        FindingKind.ReadingRows => "reading the rows takes the time",
        FindingKind.ZerosStored => "zeros are stored",
        FindingKind.FewValues => "few values are stored as floats",
        _ => "superseded networks are kept",
    };

    private static string Where(DiagnosisFinding finding) => string.Join(", ", finding.Places.Take(MostPlaces))
        + (finding.Places.Count > MostPlaces ? string.Create(CultureInfo.InvariantCulture, $" and {finding.Places.Count - MostPlaces:N0} more") : "");

    private static IEnumerable<string> Lines(int number, DiagnosisFinding finding, string file)
    {
        const string indent = "   ";
        string[] parts = [string.Create(CultureInfo.InvariantCulture, $"{number}. {finding.Share:P0} {finding.Of}: {Title(finding.Kind)}"),
            .. finding.Places.Count == 0 ? Array.Empty<string>() : [$"where: {Where(finding)}"], $"why: {finding.Why}", $"do: {finding.Advice}",
            .. finding.Command is { } command ? [$"or: mlnet-prune {command.Replace(FileName, file, StringComparison.Ordinal)}"] : Array.Empty<string>()];
        return parts.SelectMany((part, i) => TextLines.Wrap(i == 0 ? part : indent + part, indent + "  "));
    }

    private ReportTable Times()
    {
        static string Share(double share) => share.ToString("P1", CultureInfo.InvariantCulture);
        static string Number(double milliseconds) => milliseconds.ToString("0.0000", CultureInfo.InvariantCulture);
        static string Operators(IReadOnlyList<string> operators) => operators[0]
            + (operators.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $" + {operators.Count - 1:N0}") : "");
        var rows = Layers.Take(MostRows)
            .Select(layer => (string[])[TextLines.Cut(layer.Name), Operators(layer.Operators), Number(layer.Milliseconds), Share(layer.Share)]).ToList();
        var others = Layers.Skip(MostRows).ToArray();
        if (others.Length > 0)
        {
            rows.Add([string.Create(CultureInfo.InvariantCulture, $"{others.Length:N0} others"), "", Number(others.Sum(layer => layer.Milliseconds)),
                Share(others.Sum(layer => layer.Share))]);
        }

        return new(["layer", "runs as", "milliseconds", "share of the time"], [.. rows, ["between the nodes", "", "", Share(BetweenNodes)]]);
    }
}
