using System.Xml;
using System.Xml.Linq;

namespace MLNet.Pruning.Messages.Reports;

/// <summary>Something that notebooks show as tables and pictures, not as a tree of properties.</summary>
internal interface IHtmlDisplay
{
    IReadOnlyList<ReportPart> Parts { get; }
}

/// <summary>
/// Names a type's formatters. .NET Interactive finds it by its name, wherever it is declared, so that nothing of it has to be referred to.
/// </summary>
/// <param name="formatterSourceType">The type with a method <c>CreateTypeFormatters</c>.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = true)]
internal sealed class TypeFormatterSourceAttribute(Type formatterSourceType) : Attribute
{
    public Type FormatterSourceType { get; } = formatterSourceType;

    public string[] PreferredMimeTypes { get; set; } = [HtmlFormatter.Html];
}

/// <summary>What a notebook asks for formatters.</summary>
internal sealed class HtmlFormatters
{
#pragma warning disable CA1822 // Called by name, on an instance.
    public IEnumerable<object> CreateTypeFormatters() => [new HtmlFormatter()];
#pragma warning restore CA1822
}

/// <summary>Writes what can be displayed as HTML; called by name.</summary>
internal sealed class HtmlFormatter
{
    public const string Html = "text/html";

    /// <summary>Colours that fit a light and a dark notebook.</summary>
    private const string Styles = ".mlnet-pruning svg text{fill:currentColor}.mlnet-pruning svg .paper{fill:none}.mlnet-pruning svg .before{fill:#9aa4ae}"
        + ".mlnet-pruning svg .grid{stroke:currentColor;stroke-opacity:.2}.mlnet-pruning svg .axis,.mlnet-pruning svg [stroke='#000000']{stroke:currentColor}"
        + ".mlnet-pruning svg [fill='#000000']{fill:currentColor}"
        + ".mlnet-pruning svg .after{fill:#0072b2}.mlnet-pruning .number{text-align:right}.mlnet-pruning figure{display:inline-block;margin:.5em}"
        + ".mlnet-pruning .figures div{display:inline-block;margin:.5em 1.5em .5em 0}.mlnet-pruning .figures span{display:block}";

#pragma warning disable CA1822 // Called by name, on an instance.
    public string MimeType => Html;

    public bool Format(object instance, TextWriter writer)
    {
        if (instance is not IHtmlDisplay display)
        {
            return false;
        }

        using var xml = XmlWriter.Create(writer, new() { OmitXmlDeclaration = true, CloseOutput = false, ConformanceLevel = ConformanceLevel.Fragment });
        new XElement("div", new XAttribute("class", "mlnet-pruning"), new XElement("style", Styles), display.Parts.Select(HtmlPage.Element)).WriteTo(xml);
        return true;
    }
#pragma warning restore CA1822
}
