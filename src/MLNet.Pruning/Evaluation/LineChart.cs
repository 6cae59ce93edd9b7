using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace MLNet.Pruning.Evaluation;

/// <summary>Lines over one axis, as an SVG of its own or within a page.</summary>
/// <param name="title">What it shows.</param>
/// <param name="across">What the axis across counts.</param>
/// <param name="up">What the axis up counts.</param>
/// <param name="marks">Numbers below the axis across, rising, from its first to its last; at least two.</param>
/// <param name="lines">The lines; points with numbers up that are not finite are left out.</param>
internal sealed class LineChart(string title, string across, string up, IReadOnlyList<double> marks, IReadOnlyList<ChartLine> lines)
{
    private const int Left = 64;
    private const int Top = 24;
    private const int Width = 560;
    private const int Height = 320;
    private const int Legend = 18;
    private const int Ticks = 5;
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    /// <summary>Colours that remain apart for the colour-blind (Okabe &amp; Ito 2008); dashes tell further lines apart.</summary>
    private static readonly string[] s_colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];

    private static readonly string[] s_dashes = ["none", "6 3", "2 3"];

    private readonly (double Low, double High) _range = Range([.. lines.SelectMany(line => line.Points).Select(point => point.Up).Where(double.IsFinite)]);

    /// <summary>Whether equal steps across are equal factors; all numbers across are then above zero.</summary>
    public bool IsLogarithmic { get; init; }

    public void Save(Stream stream)
    {
        // The same bytes wherever in a stream: by default a byte order mark comes at its start alone.
        using var xml = XmlWriter.Create(stream, new() { Indent = true, CloseOutput = false, NewLineChars = "\n", Encoding = new UTF8Encoding(false) });
        Draw().Save(xml);
    }

    /// <summary>The picture; a page may give its classes other colours.</summary>
    public XElement Draw()
    {
        var (width, height) = (Left + Width + 24, Top + Height + 56 + Legend * lines.Count);
        return new(s_svg + "svg", new XAttribute("viewBox", $"0 0 {width} {height}"), new XAttribute("width", width), new XAttribute("height", height),
            new XAttribute("font-family", "sans-serif"), new XAttribute("font-size", 12),
            new XElement(s_svg + "title", Plain(title)),
            new XElement(s_svg + "rect", new XAttribute("class", "paper"), new XAttribute("width", width), new XAttribute("height", height),
                new XAttribute("fill", "white")),
            Axes(), lines.SelectMany(Curve));
    }

    private static (double, double) Range(double[] numbers)
    {
        var (low, high) = numbers.Length == 0 ? (0, 1) : (numbers.Min(), numbers.Max());
        return high > low ? (low, high) : (low - 0.5, high + 0.5);
    }

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private string X(double number) => Number(Left + (Across(number) - Across(marks[0])) / (Across(marks[^1]) - Across(marks[0])) * Width);

    private double Across(double number) => IsLogarithmic ? Math.Log(number) : number;

    private string Y(double number) => Number(Top + (_range.High - number) / (_range.High - _range.Low) * Height);

    private IEnumerable<XElement> Axes()
    {
        var (first, last) = (X(marks[0]), X(marks[^1]));
        for (var tick = 0; tick <= Ticks; tick++)
        {
            var value = _range.Low + (_range.High - _range.Low) * tick / Ticks;
            yield return Line(first, Y(value), last, Y(value), "#DDDDDD", "grid");
            yield return Text(Number(Left - 8), Y(value), "end", Number(value));
        }

        foreach (var mark in marks)
        {
            yield return Text(X(mark), Number(Top + Height + 16), "middle", mark.ToString("#,0.###", CultureInfo.InvariantCulture));
        }

        yield return Line(first, Number(Top), first, Number(Top + Height), "#444444", "axis");
        yield return Line(first, Number(Top + Height), last, Number(Top + Height), "#444444", "axis");
        yield return Text(Number(Left), Number(Top - 8), "start", up);
        yield return Text(Number(Left + Width / 2), Number(Top + Height + 34), "middle", across);
    }

    private IEnumerable<XElement> Curve(ChartLine line, int index)
    {
        var (colour, dash) = (s_colours[index % s_colours.Length], s_dashes[index / s_colours.Length % s_dashes.Length]);
        var points = line.Points.Where(point => double.IsFinite(point.Up)).Select(point => (X: X(point.Across), Y: Y(point.Up))).ToArray();
        var y = Top + Height + 56 + Legend * index;
        if (line.IsJoined)
        {
            yield return new XElement(s_svg + "polyline", new XAttribute("points", string.Join(' ', points.Select(point => $"{point.X},{point.Y}"))),
                new XAttribute("fill", "none"), new XAttribute("stroke", colour), new XAttribute("stroke-width", 2), new XAttribute("stroke-dasharray", dash),
                new XElement(s_svg + "title", Plain(line.Name)));
        }

        foreach (var point in points)
        {
            yield return new XElement(s_svg + "circle", new XAttribute("cx", point.X), new XAttribute("cy", point.Y),
                new XAttribute("r", line.IsJoined ? 2.5 : 4.5),
                new XAttribute("fill", colour));
        }

        var sample = Line(Number(Left), Number(y - 4), Number(Left + 24), Number(y - 4), colour, "sample");
        sample.Add(new XAttribute("stroke-width", 2), new XAttribute("stroke-dasharray", dash));
        yield return sample;
        yield return Text(Number(Left + 32), Number(y), "start", line.Legend);
    }

    private static XElement Line(string x1, string y1, string x2, string y2, string colour, string kind) => new(s_svg + "line", new XAttribute("class", kind),
        new XAttribute("x1", x1), new XAttribute("y1", y1), new XAttribute("x2", x2), new XAttribute("y2", y2), new XAttribute("stroke", colour));

    private static XElement Text(string x, string y, string anchor, string text)
        => new(s_svg + "text", new XAttribute("x", x), new XAttribute("y", y), new XAttribute("text-anchor", anchor),
        Plain(text));

    /// <summary>XML 1.0 has no control characters, which names in files may have.</summary>
    private static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
}

/// <summary>A line of a <see cref="LineChart"/>.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Legend">What stands beside its colour.</param>
/// <param name="Points">Its points, from the left on.</param>
/// <param name="IsJoined">Whether they are joined; else they are larger points.</param>
internal sealed record ChartLine(string Name, string Legend, IReadOnlyList<(double Across, double Up)> Points, bool IsJoined = true);
