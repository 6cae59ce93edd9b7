using System.Text;
using System.Xml;
using MLNet.Pruning.Compression.Pruning.Record;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Draws what a pruning left of each layer.</summary>
internal static class PruningMap
{
    private const int Cells = 64;
    private const int Cell = 6;
    private const int Margin = 16;
    private const int Line = 20;
    private const int Width = 2 * Margin + Cells * Cell;
    private const int Bars = 48;
    private const string Kept = "#1f4e79";
    private const string Gone = "#d9d9d9";

    public static void Save(PruningReport report, Stream stream)
    {
        // The same bytes wherever in a stream: by default a byte order mark comes at its start alone.
        using var xml = XmlWriter.Create(stream, new() { Indent = true, CloseOutput = false, NewLineChars = "\n", Encoding = new UTF8Encoding(false) });
        Write(xml, report.Record?.All() ?? []);
    }

    private static void Write(XmlWriter xml, IReadOnlyList<CandidateTable> tables)
    {
        int[] heights = [.. tables.Select(table => 3 * Line + Grid(table).Rows * Cell + Bars + Line)];
        xml.WriteStartElement("svg", "http://www.w3.org/2000/svg");
        Attributes(xml, ("width", Width), ("height", heights.Sum() + Line), ("viewBox", $"0 0 {Width} {heights.Sum() + Line}"), ("font-family", "sans-serif"),
            ("font-size", 11));
        Rectangle(xml, "page", 0, 0, Width, heights.Sum() + Line, "#ffffff");
        var top = 0;
        for (var t = 0; t < tables.Count; t++)
        {
            Layer(xml, tables[t], top);
            top += heights[t];
        }

        xml.WriteEndElement();
    }

    private static void Layer(XmlWriter xml, CandidateTable table, int top)
    {
        var (total, left) = (table.Went.Length, table.Left);
        xml.WriteStartElement("g");
        Attributes(xml, ("id", table.Name));
        Text(xml, top + Line - 4, string.Create(CultureInfo.InvariantCulture,
            $"{table.Name} ({TensorInfo.Dimensions(table.Shape)}): {left} of {total} weights or structures left "
                + $"({(total == 0 ? 1 : (double)left / total):P1})"));
        top += Line;
        var full = Cells * Cell;
        Rectangle(xml, "whole", Margin, top, full, Line / 2, Gone);
        Rectangle(xml, "left", Margin, top, total == 0 ? full : (double)left / total * full, Line / 2, Kept);
        top += Line;
        var (rows, columns) = Grid(table);
        var shares = Shares(table, rows, columns);
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                Rectangle(xml, "cell", Margin + column * Cell, top + row * Cell, Cell, Cell, Kept, shares[row, column]);
            }
        }

        Histogram(xml, table.Histogram(), top + rows * Cell + Line / 2);
        xml.WriteEndElement();
    }

    private static void Histogram(XmlWriter xml, ImportanceHistogram histogram, int top)
    {
        var most = Math.Max(1, histogram.Before.Concat(histogram.After).Max());
        var width = (double)Cells * Cell / histogram.Before.Count;
        for (var bin = 0; bin < histogram.Before.Count; bin++)
        {
            foreach (var (name, count, color) in new[] { ("before", histogram.Before[bin], Gone), ("after", histogram.After[bin], Kept) })
            {
                var height = (double)count / most * Bars;
                Rectangle(xml, name, Margin + bin * width, top + Bars - height, width - 1, height, color);
            }
        }

        Text(xml, top + Bars + Line - 6, string.Create(CultureInfo.InvariantCulture,
            $"importance {histogram.Edges[0]:G3} to {histogram.Edges[^1]:G3}: all before (light), those that stayed (dark)"));
    }

    /// <summary>
    /// Cells of the grid: indices of the first dimension down, those of the others across; of groups and blocks a line of structures, broken.
    /// </summary>
    private static (int Rows, int Columns) Grid(CandidateTable table)
    {
        var (down, across) = Sizes(table);
        return IsLine(table) ? ((across + Cells - 1) / Cells is var lines && lines <= Cells ? lines : Cells, Math.Min(across, Cells))
            : (Math.Min(down, Cells), Math.Min(across, Cells));
    }

    private static bool IsLine(CandidateTable table) => table.Slices.Count > 0 || table.Names is not null || table.Shape.Count < 2;

    private static (int Down, int Across) Sizes(CandidateTable table)
        => IsLine(table) ? (1, table.Layout.Weights) : (table.Shape[0], table.Layout.Weights / Math.Max(1, table.Shape[0]));

    /// <summary>The share of its weights or structures that is left in each cell; less than nothing where a cell has none.</summary>
    private static double[,] Shares(CandidateTable table, int rows, int columns)
    {
        var (down, across) = Sizes(table);
        var (left, all) = (new long[rows, columns], new long[rows, columns]);
        for (var weight = 0; weight < table.Layout.Weights && table.Went.Length > 0; weight++)
        {
            var (row, column) = IsLine(table) ? Math.DivRem((int)(rows * columns >= across ? weight : (long)weight * rows * columns / across), columns)
                : ((int)((long)(weight / across) * rows / down), (int)((long)(weight % across) * columns / across));
            all[row, column]++;
            left[row, column] += table.Went[table.Layout.Of(weight)] == 0 ? 1 : 0;
        }

        var shares = new double[rows, columns];
        for (var i = 0; i < shares.Length; i++)
        {
            shares[i / columns, i % columns] = all[i / columns, i % columns] is > 0 and var count ? (double)left[i / columns, i % columns] / count : -1;
        }

        return shares;
    }

    private static void Rectangle(XmlWriter xml, string kind, double x, double y, double width, double height, string color, double share = 1)
    {
        if (share < 0)
        {
            return;
        }

        xml.WriteStartElement("rect");
        Attributes(xml, ("class", kind), ("x", x), ("y", y), ("width", width), ("height", height), ("fill", color));
        if (share < 1)
        {
            Attributes(xml, ("fill-opacity", Math.Round(share, 4)));
        }

        xml.WriteEndElement();
    }

    private static void Text(XmlWriter xml, int y, string text)
    {
        xml.WriteStartElement("text");
        Attributes(xml, ("x", Margin), ("y", y));
        xml.WriteString(text);
        xml.WriteEndElement();
    }

    private static void Attributes(XmlWriter xml, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        foreach (var (name, value) in attributes)
        {
            xml.WriteAttributeString(name, Convert.ToString(value is double number ? Math.Round(number, 4) : value, CultureInfo.InvariantCulture)!);
        }
    }
}
