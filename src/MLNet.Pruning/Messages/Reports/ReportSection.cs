using System.Xml.Linq;

namespace MLNet.Pruning.Messages.Reports;

/// <summary>A part of a report under a heading, however the report is written.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Parts">Texts, tables and pictures in turn.</param>
/// <param name="IsInCard">Whether a model card has it too.</param>
/// <param name="IsInNotebook">Whether a notebook shows it.</param>
internal sealed record ReportSection(string Title, IReadOnlyList<ReportPart> Parts, bool IsInCard = true, bool IsInNotebook = true);

/// <summary>Something in a report.</summary>
internal abstract record ReportPart;

/// <summary>A paragraph.</summary>
/// <param name="Text">Its text.</param>
internal sealed record ReportText(string Text) : ReportPart
{
    /// <summary>As text.</summary>
    public override string ToString() => Text;
}

/// <summary>Figures that are seen first.</summary>
/// <param name="Figures">What each is, what it was, what it is, and what that means.</param>
internal sealed record ReportFigures(IReadOnlyList<(string Name, string Before, string After, string Change)> Figures) : ReportPart;

/// <summary>A table; columns but the first hold numbers where all their cells do.</summary>
/// <param name="Header">Names of the columns.</param>
/// <param name="Rows">The cells, row by row.</param>
/// <param name="Totals">What stands below a rule; null for nothing.</param>
internal sealed record ReportTable(IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows, IReadOnlyList<string>? Totals = null) : ReportPart
{
    /// <summary>How strongly cells are coloured, row by row: above 0 to 1 as right, below 0 to -1 as wrong. Null for none; texts have no colours.</summary>
    public IReadOnlyList<IReadOnlyList<double>>? Shades { get; init; }

    /// <summary>As text.</summary>
    public override string ToString() => TextTable.Format([.. Header], [.. Rows.Select(row => row.ToArray())], Totals?.ToArray());
}

/// <summary>A picture; texts leave it out.</summary>
/// <param name="Svg">As SVG.</param>
/// <param name="Caption">What it shows.</param>
internal sealed record ReportPicture(XElement Svg, string Caption) : ReportPart;
