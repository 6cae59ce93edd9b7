using MLNet.Pruning.Messages.Reports;
using MLNet.Pruning.Files;
using MLNet.Pruning.Pipeline.Reports;

namespace MLNet.Pruning;

/// <summary>
/// What became of a model, from the first network to the last: sizes, accuracy, times, layer by layer what went and why, and the settings that repeat it.
/// Prints as text, and is saved as a page (<see cref="SaveHtml(string)"/>) or as a model card (<see cref="SaveMarkdown(string)"/>).
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed class CompressionReport : IHtmlDisplay
{
    private readonly Lazy<IReadOnlyList<ReportSection>> _sections;

    internal CompressionReport(IReadOnlyList<ReportedStep> steps, CompressionReportOptions options)
    {
        (Steps, Options) = (steps, options);
        _sections = new(() => ReportSections.Of(this));
    }

    /// <summary>The model as it was, then after each step; the last is what is scored.</summary>
    public IReadOnlyList<ReportedStep> Steps { get; }

    /// <summary>What else it says.</summary>
    public CompressionReportOptions Options { get; }

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => [.. _sections.Value.Where(section => section.IsInNotebook).SelectMany(section => section.Parts)];

    private string Subtitle => $"{Steps[0].Name} to {Steps[^1].Name}, by MLNet.Pruning {ReportSections.Version}";

    /// <summary>
    /// Writes one HTML file that needs no other and no network: figures, accuracy against size, layers before and after, sensitivities, histograms, what went
    /// and why, bytes by encoding, times, settings and seeds. Light or dark as the reader's system is, and fit for print. Under 500 kB, for which the
    /// tables of networks with very many layers are cut, and say so.
    /// </summary>
    /// <param name="path">The file; written beside and renamed.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <example>
    /// <code>
    /// ml.Compression().Report(model).SaveHtml("report.html");
    /// </code>
    /// </example>
    public void SaveHtml(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.Write(path, SaveHtml);
    }

    /// <summary>Writes the same where a stream is, which stays open. It need not be one that can seek.</summary>
    /// <param name="stream">The stream.</param>
    /// <exception cref="ArgumentException">The stream cannot be written.</exception>
    public void SaveHtml(Stream stream) => HtmlPage.Save(Options.Title, Subtitle, _sections.Value, OpenStream.Writable(stream));

    /// <summary>Writes a model card as Markdown, for a README or a model hub: the same figures, tables and settings, without pictures.</summary>
    /// <param name="path">The file; written beside and renamed.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SaveMarkdown(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.Write(path, SaveMarkdown);
    }

    /// <summary>Writes the same where a stream is, which stays open. It need not be one that can seek.</summary>
    /// <param name="stream">The stream.</param>
    /// <exception cref="ArgumentException">The stream cannot be written.</exception>
    public void SaveMarkdown(Stream stream)
        => MarkdownPage.Save(Options.Title, Subtitle, [.. _sections.Value.Where(section => section.IsInCard)], OpenStream.Writable(stream));

    /// <inheritdoc/>
    public override string ToString() => ReportSections.StepTable(Steps).ToString();
}
