using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace MLNet.Pruning.Messages.Reports;

/// <summary>Sections as one HTML file: styles and pictures are in it, and nothing is fetched. Light or dark as the reader has it, light in print.</summary>
internal static partial class HtmlPage
{
    private const string Styles = """
        :root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --faint: #57606a; --line: #d8dee4; --card: #f6f8fa; --bar: #0072b2; --rest: #c9d1d9; }
        @media (prefers-color-scheme: dark) {
          :root { --paper: #0d1117; --ink: #e6edf3; --faint: #9aa4ae; --line: #30363d; --card: #161b22; --bar: #58a6d8; --rest: #484f58; }
        }
        @media print {
          :root { color-scheme: light; --paper: #fff; --ink: #000; --faint: #444; --line: #bbb; --card: #fff; --bar: #0072b2; --rest: #c9d1d9; }
          nav { display: none } section, figure, tr { break-inside: avoid } body { max-width: none }
        }
        body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
        h1 { margin: 0; font-size: 1.7rem } h2 { margin: 2.2rem 0 .6rem; font-size: 1.2rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem }
        p, .faint { color: var(--faint); margin: .4rem 0; overflow-wrap: anywhere } nav { margin: 1rem 0 } nav a { margin-right: 1rem; color: var(--bar) }
        .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem; margin: 1rem 0 }
        .figures div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .7rem .9rem }
        .figures b { display: block; font-size: 1.5rem } .figures span { display: block; color: var(--faint); font-size: .85rem }
        .wide { overflow-x: auto } table { border-collapse: collapse; font-size: .88rem; width: 100% }
        th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
        th { color: var(--faint); font-weight: 600 } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
        figure { display: inline-block; margin: .6rem 1rem .6rem 0; vertical-align: top; max-width: 100% } figcaption { color: var(--faint); font-size: .85rem }
        svg { max-width: 100%; height: auto } svg text { fill: var(--ink) } svg .paper { fill: var(--paper) } svg .grid { stroke: var(--line) }
        svg .axis { stroke: var(--faint) } svg [stroke="#000000"] { stroke: var(--ink) } svg [fill="#000000"] { fill: var(--ink) }
        svg .before { fill: var(--rest) } svg .after { fill: var(--bar) }
        """;

    /// <param name="title">The page's title.</param>
    /// <param name="subtitle">The line below.</param>
    /// <param name="sections">The sections.</param>
    /// <param name="stream">Where it goes.</param>
    public static void Save(string title, string subtitle, IReadOnlyList<ReportSection> sections, Stream stream)
    {
        using var xml = XmlWriter.Create(stream, new()
        {
            Indent = false, CloseOutput = false, NewLineChars = "\n", Encoding = new UTF8Encoding(false), OmitXmlDeclaration = true, CheckCharacters = true,
        });
        xml.WriteDocType("html", null, null, null);
        new XElement("html", new XAttribute("lang", "en"),
            new XElement("head",
                new XElement("meta", new XAttribute("charset", "utf-8")),
                new XElement("meta", new XAttribute("name", "viewport"), new XAttribute("content", "width=device-width, initial-scale=1")),
                new XElement("title", Plain(title)),
                new XElement("style", Styles)),
            new XElement("body",
                new XElement("header", new XElement("h1", Plain(title)), new XElement("p", Plain(subtitle))),
                new XElement("nav", sections.Select((section, i) => new XElement("a", new XAttribute("href", $"#s{i}"), Plain(section.Title)))),
                new XElement("main", sections.Select((section, i) => new XElement("section", new XAttribute("id", $"s{i}"),
                    new XElement("h2", Plain(section.Title)), section.Parts.Select(Element)))))).WriteTo(xml);
    }

    /// <summary>A part as an element.</summary>
    public static XElement Element(ReportPart part) => part switch
    {
        ReportText text => new("p", Plain(text.Text)),
        ReportFigures figures => new("div", new XAttribute("class", "figures"), figures.Figures.Select(figure => new XElement("div",
            new XElement("span", Plain(figure.Name)), new XElement("b", Plain(figure.After)),
            new XElement("span", Plain(figure.Before.Length == 0 ? figure.Change : $"was {figure.Before}; {figure.Change}"))))),
        ReportTable table => new("div", new XAttribute("class", "wide"), Table(table)),
        ReportPicture picture => new("figure", picture.Svg, new XElement("figcaption", Plain(picture.Caption))),
        _ => throw new InvalidOperationException($"A report has no {part.GetType().Name}."),
    };

    private static XElement Table(ReportTable table)
    {
        bool[] isNumber = [.. table.Header.Select((_, column) =>
            column > 0 && table.Rows.All(row => row[column].Length == 0 || Number().IsMatch(row[column])))];
        XElement Cell(string name, string text, int column, double shade = 0) => new(name, isNumber[column] ? new XAttribute("class", "number") : null,
            shade == 0 ? null : new XAttribute("style", Shade(shade)), Plain(text));
        return new("table",
            new XElement("thead", new XElement("tr", table.Header.Select((text, column) => Cell("th", text, column)))),
            new XElement("tbody", table.Rows.Concat(table.Totals is { } totals ? [totals] : []).Select((row, i) => new XElement("tr",
                row.Select((text, column) => Cell("td", text, column, table.Shades is { } shades && i < shades.Count ? shades[i][column] : 0))))));
    }

    /// <summary>Blue or vermilion, thin enough for black or white letters; by the root, so that a few rows of many are seen.</summary>
    private static string Shade(double shade)
        => FormattableString.Invariant($"background:rgba({(shade > 0 ? "0,114,178" : "213,94,0")},{0.6 * Math.Sqrt(Math.Abs(shade)):0.###})");

    /// <summary>A number, perhaps with a unit: "1,641", "92.1%", "4.6x", "0.0033 ms".</summary>
    [GeneratedRegex(@"^[+-]?[\d,]+(\.\d+)?( ?(%|x|ms))?$", RegexOptions.CultureInvariant)]
    private static partial Regex Number();

    /// <summary>What XML can hold of a text: names in files may have control characters. Never nothing, as HTML knows no empty elements of ours.</summary>
    private static string Plain(string text) => string.Concat(text.Select(c => XmlConvert.IsXmlChar(c) && !char.IsSurrogate(c) ? c : '?'));
}
