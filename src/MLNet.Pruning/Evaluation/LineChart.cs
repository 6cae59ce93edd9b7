using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace MLNet.Pruning.Compression.Sensitivity;

/// <summary>A sensitivity report as a line chart in SVG.</summary>
internal sealed class SensitivityChart(SensitivityReport report)
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

    private readonly (double Low, double High) _range = Range([.. report.Layers.SelectMany(layer => layer.Points).Select(point => point.Validation.Metric)
        .Where(double.IsFinite)]);

    public void Save(Stream stream)
    {
        var metric = report.Before.Name;
        var (width, height) = (Left + Width + 24, Top + Height + 56 + Legend * report.Layers.Count);
        // The same bytes wherever in a stream: by default a byte order mark comes at its start alone.
        using var xml = XmlWriter.Create(stream, new() { Indent = true, CloseOutput = false, NewLineChars = "\n", Encoding = new UTF8Encoding(false) });
        new XElement(s_svg + "svg", new XAttribute("viewBox", $"0 0 {width} {height}"), new XAttribute("width", width), new XAttribute("height", height),
            new XAttribute("font-family", "sans-serif"), new XAttribute("font-size", 12),
            new XElement(s_svg + "title", $"Validation {metric} with one layer pruned at a time ({report.Granularity})"),
            new XElement(s_svg + "rect", new XAttribute("width", width), new XAttribute("height", height), new XAttribute("fill", "white")),
            Axes(metric), report.Layers.SelectMany(Line)).Save(xml);
    }

    private static (double, double) Range(double[] metrics)
    {
        var (low, high) = metrics.Length == 0 ? (0, 1) : (metrics.Min(), metrics.Max());
        return high > low ? (low, high) : (low - 0.5, high + 0.5);
    }

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static string X(double sparsity) => Number(Left + sparsity * Width);

    private string Y(double metric) => Number(Top + (_range.High - metric) / (_range.High - _range.Low) * Height);

    private IEnumerable<XElement> Axes(string metric)
    {
        for (var tick = 0; tick <= Ticks; tick++)
        {
            var (share, value) = ((double)tick / Ticks, _range.Low + (_range.High - _range.Low) * tick / Ticks);
            yield return Line(X(0), Y(value), X(1), Y(value), "#DDDDDD");
            yield return Text(Number(Left - 8), Y(value), "end", Number(value));
            yield return Text(X(share), Number(Top + Height + 16), "middle", Number(share));
        }

        yield return Line(X(0), Number(Top), X(0), Number(Top + Height), "#444444");
        yield return Line(X(0), Number(Top + Height), X(1), Number(Top + Height), "#444444");
        yield return Text(Number(Left), Number(Top - 8), "middle", metric);
        yield return Text(X(0.5), Number(Top + Height + 34), "middle", $"sparsity of the layer ({report.Granularity})");
    }

    private IEnumerable<XElement> Line(LayerSensitivity layer, int index)
    {
        var (colour, dash) = (s_colours[index % s_colours.Length], s_dashes[index / s_colours.Length % s_dashes.Length]);
        var y = Top + Height + 56 + Legend * index;
        yield return new XElement(s_svg + "polyline", new XAttribute("points",
            string.Join(' ', layer.Points.Where(point => double.IsFinite(point.Validation.Metric))
                .Select(point => $"{X(point.Sparsity)},{Y(point.Validation.Metric)}"))),
            new XAttribute("fill", "none"), new XAttribute("stroke", colour), new XAttribute("stroke-width", 2), new XAttribute("stroke-dasharray", dash),
            new XElement(s_svg + "title", Plain(layer.Layer)));
        var sample = Line(Number(Left), Number(y - 4), Number(Left + 24), Number(y - 4), colour);
        sample.Add(new XAttribute("stroke-width", 2), new XAttribute("stroke-dasharray", dash));
        yield return sample;
        yield return Text(Number(Left + 32), Number(y), "start",
            $"{layer.Layer} ({layer.Total.ToString("N0", CultureInfo.InvariantCulture)} weights or structures)");
    }

    private static XElement Line(string x1, string y1, string x2, string y2, string colour) => new(s_svg + "line",
        new XAttribute("x1", x1), new XAttribute("y1", y1), new XAttribute("x2", x2), new XAttribute("y2", y2), new XAttribute("stroke", colour));

    private static XElement Text(string x, string y, string anchor, string text)
        => new(s_svg + "text", new XAttribute("x", x), new XAttribute("y", y), new XAttribute("text-anchor", anchor),
        Plain(text));

    /// <summary>XML 1.0 has no control characters, which names in files may have.</summary>
    private static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
}
