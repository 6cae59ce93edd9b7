using Spectre.Console;
using Spectre.Console.Rendering;

namespace MLNet.Pruning.Cli;

/// <summary>
/// A table that breaks no number: where it is wider than the terminal, its columns follow in several tables one below the other, each with the first column.
/// </summary>
internal sealed class FittingTable : Renderable
{
    private const char Left = '<';

    /// <summary>Of a first column of long names so much of the width is left, and they go on in a line below.</summary>
    private const int MostOfWidth = 2;

    private readonly string[] _names;
    private readonly List<string[]> _rows = [];

    /// <param name="names">Names of the columns; the first, and those that begin with '&lt;', are aligned to the left.</param>
    public FittingTable(ReadOnlySpan<string> names) => _names = names.ToArray();

    public void Row(params ReadOnlySpan<string> cells) => _rows.Add(Array.ConvertAll(cells.ToArray(), Cells.Plain));

    protected override Measurement Measure(RenderOptions options, int maxWidth) => new(1, maxWidth);

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        for (var next = 1; next < _names.Length || next == 1;)
        {
            var count = 1;
            while (next + count < _names.Length && Width(Part(next, count + 1, maxWidth), options) <= maxWidth)
            {
                count++;
            }

            count = Math.Min(count, _names.Length - next);
            foreach (var segment in ((IRenderable)Part(next, count, maxWidth)).Render(options, maxWidth))
            {
                yield return segment;
            }

            next += Math.Max(1, count);
        }
    }

    private static int Width(Table table, RenderOptions options) => ((IRenderable)table).Measure(options, int.MaxValue).Max;

    /// <summary>The first column and some others.</summary>
    private Table Part(int start, int count, int maxWidth)
    {
        int[] columns = [0, .. Enumerable.Range(start, count)];
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in columns)
        {
            var left = _names[column].StartsWith(Left);
            var header = new TableColumn(new Text(left ? _names[column][1..] : _names[column]));
            if (column == 0)
            {
                header.Width = Math.Min(_rows.Select(row => row[0].Length).Append(_names[0].Length).Max(), maxWidth / MostOfWidth);
            }

            table.AddColumn(column == 0 || left ? header : header.RightAligned());
        }

        foreach (var row in _rows)
        {
            table.AddRow(columns.Select(column => new Text(row[column])));
        }

        return table;
    }
}
