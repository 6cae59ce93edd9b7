using System.Xml.Linq;

namespace MLNet.Pruning.Messages.Reports;

/// <summary>Counts by bin, those before behind those after.</summary>
internal static class BeforeAfterBars
{
    private const int Width = 280;
    private const int Height = 80;
    private const int Text = 16;
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    /// <param name="edges">Where bins begin and end, rising: one more than there are bins.</param>
    /// <param name="before">Counts.</param>
    /// <param name="after">As many.</param>
    public static XElement Draw(IReadOnlyList<double> edges, IReadOnlyList<long> before, IReadOnlyList<long> after)
    {
        var (most, width) = (Math.Max(1, before.Concat(after).Max()), (double)Width / before.Count);
        IEnumerable<XElement> Bars(string name, IReadOnlyList<long> counts) => counts.Select((count, bin) => (count, bin)).Where(bar => bar.count > 0)
            .Select(bar => new XElement(s_svg + "rect", new XAttribute("class", name), new XAttribute("x", Number(bar.bin * width)),
                new XAttribute("y", Number(Height - (double)bar.count / most * Height)), new XAttribute("width", Number(Math.Max(1, width - 1))),
                new XAttribute("height", Number((double)bar.count / most * Height)),
                new XElement(s_svg + "title", FormattableString.Invariant($"{edges[bar.bin]:g3} to {edges[bar.bin + 1]:g3}: {bar.count:N0} {name}"))));
        XElement Label(int x, string anchor, double value) => new(s_svg + "text", new XAttribute("x", x), new XAttribute("y", Height + Text - 2),
            new XAttribute("text-anchor", anchor), new XAttribute("font-size", 11), value.ToString("g3", CultureInfo.InvariantCulture));
        return new(s_svg + "svg", new XAttribute("viewBox", $"0 0 {Width} {Height + Text}"), new XAttribute("width", Width),
            new XAttribute("height", Height + Text), new XAttribute("font-family", "sans-serif"), Bars("before", before), Bars("after", after),
            Label(0, "start", edges[0]), Label(Width, "end", edges[^1]));
    }

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
