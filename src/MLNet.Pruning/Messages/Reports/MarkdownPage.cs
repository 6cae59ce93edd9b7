using System.Text;

namespace MLNet.Pruning.Messages.Reports;

/// <summary>Sections as Markdown with tables of GitHub's kind; pictures are left out.</summary>
internal static class MarkdownPage
{
    public static void Save(string title, string subtitle, IReadOnlyList<ReportSection> sections, Stream stream)
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        writer.WriteLine($"# {Text(title)}\n\n{Text(subtitle)}");
        foreach (var section in sections.Where(section => section.Parts.Any(part => part is not ReportPicture)))
        {
            writer.WriteLine($"\n## {Text(section.Title)}");
            foreach (var part in section.Parts)
            {
                Write(part, writer);
            }
        }
    }

    private static void Write(ReportPart part, StreamWriter writer)
    {
        switch (part)
        {
            case ReportText text:
                writer.WriteLine($"\n{Text(text.Text)}");
                break;
            case ReportFigures figures:
                Write(new ReportTable(["", "before", "after", "change"],
                    [.. figures.Figures.Select(figure => (string[])[figure.Name, figure.Before, figure.After, figure.Change])]), writer);
                break;
            case ReportTable table:
                writer.WriteLine($"\n| {string.Join(" | ", table.Header.Select(Cell))} |\n|{string.Concat(table.Header.Select(_ => "---|"))}");
                foreach (var row in table.Rows.Concat(table.Totals is { } totals ? [totals] : []))
                {
                    writer.WriteLine($"| {string.Join(" | ", row.Select(Cell))} |");
                }

                break;
        }
    }

    private static string Cell(string text) => Text(text).Replace("|", "\\|", StringComparison.Ordinal);

    /// <summary>On one line, with what Markdown would take for marks as it is; names of layers may hold any of it.</summary>
    private static string Text(string text) => string.Concat(text.Select(c =>
        char.IsControl(c) ? " " : c is '*' or '_' or '`' or '<' or '[' or '\\' ? $"\\{c}" : $"{c}"));
}
