using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace MLNet.Pruning.Cli.Runtime;

/// <summary>Rows of a CSV file with a header: one column is the label, all others are the features in order.</summary>
internal sealed class CsvRows
{
    public const string Features = "Features";
    public const string LabelColumn = "Label";

    private readonly MLContext _ml;
    private readonly FileInfo _file;
    private readonly int _label;
    private readonly int _columns;

    /// <exception cref="ArgumentException">The header has no such column, or no other.</exception>
    public CsvRows(MLContext ml, FileInfo file, string label)
    {
        (_ml, _file) = (ml, file);
        var names = (File.ReadLines(file.ToString()).FirstOrDefault() ?? "").TrimStart('\uFEFF').Split(',').Select(name => name.Trim().Trim('"')).ToArray();
        (_label, _columns) = (Array.IndexOf(names, label), names.Length);
        if (_label < 0 || _columns < 2)
        {
            throw new ArgumentException($"{file} has no column '{label}' beside features; its header names {_columns}: "
                + $"{string.Join(", ", names.Take(20))}{(_columns > 20 ? ", ..." : "")}.");
        }
    }

    /// <summary>All values of a CSV file with a header, row by row.</summary>
    /// <exception cref="FormatException">A row has another number of columns than the header.</exception>
    public static float[][] Values(FileInfo file)
    {
        var lines = File.ReadLines(file.ToString()).Where(line => line.Length > 0).ToArray();
        var columns = lines.FirstOrDefault("").Split(',').Length;
        return [.. lines.Skip(1).Select((line, row) =>
        {
            var cells = line.Split(',');
            return cells.Length != columns ? throw new FormatException($"Row {row} of {file} has {cells.Length} columns; its header names {columns}.")
                : Array.ConvertAll(cells, cell => float.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value
                    : throw new FormatException($"Row {row} of {file} has '{cell}'; expected a number."));
        })];
    }

    /// <summary>Rows beside the images that outputs should be, row by row.</summary>
    /// <exception cref="ArgumentException">There are no rows, or the files do not have as many.</exception>
    public static IDataView Pairs(MLContext ml, FileInfo rows, FileInfo targets)
    {
        var (features, images) = (Values(rows), Values(targets));
        if (features.Length == 0 || features.Length != images.Length)
        {
            throw new ArgumentException($"{rows} has {features.Length} rows and {targets} {images.Length}; expected as many, and at least one.");
        }

        var schema = SchemaDefinition.Create(typeof(Pair));
        schema[Features].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features[0].Length);
        schema[LabelColumn].ColumnType = new VectorDataViewType(NumberDataViewType.Single, images[0].Length);
        return ml.Data.LoadFromEnumerable(features.Zip(images, (row, image) => new Pair { Features = row, Label = image }), schema);
    }

    /// <summary>Rows without a label.</summary>
    /// <exception cref="ArgumentException">There are no rows.</exception>
    public static IDataView Images(MLContext ml, FileInfo rows)
    {
        var features = Values(rows);
        var schema = SchemaDefinition.Create(typeof(Image));
        schema[Features].ColumnType = new VectorDataViewType(NumberDataViewType.Single,
            features.Length > 0 ? features[0].Length : throw new ArgumentException($"{rows} has no rows."));
        return ml.Data.LoadFromEnumerable(features.Select(row => new Image { Features = row }), schema);
    }

    /// <summary>The rows with their label as the task wants it: a key of all classes, a truth value, or a number.</summary>
    public IDataView Load(LearningTask task, int classes) => task == LearningTask.Regression ? Read(DataKind.Single)
        : task == LearningTask.Binary ? Read(DataKind.Boolean)
        : AreNumbers(classes) ? Read(DataKind.UInt32, new KeyCount((ulong)classes))
        : Keys(Read(DataKind.String));

    private IDataView Keys(IDataView rows)
        => _ml.Transforms.Conversion.MapValueToKey(LabelColumn, keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue).Fit(rows).Transform(rows);

    /// <summary>Whether labels are the numbers of the classes, which then need not all occur.</summary>
    private bool AreNumbers(int classes)
    {
        var rows = Read(DataKind.String);
        var column = rows.Schema[LabelColumn];
        using var cursor = rows.GetRowCursor([column]);
        var read = cursor.GetGetter<ReadOnlyMemory<char>>(column);
        ReadOnlyMemory<char> text = default;
        while (cursor.MoveNext())
        {
            read(ref text);
            if (!int.TryParse(text.Span, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number >= classes)
            {
                return false;
            }
        }

        return true;
    }

    private IDataView Read(DataKind label, KeyCount? keys = null)
    {
        TextLoader.Range[] features = [.. _label > 0 ? [new TextLoader.Range(0, _label - 1)] : Array.Empty<TextLoader.Range>(),
            .. _label < _columns - 1 ? [new TextLoader.Range(_label + 1, _columns - 1)] : Array.Empty<TextLoader.Range>()];
        return _ml.Data.CreateTextLoader(new TextLoader.Options
        {
            HasHeader = true,
            Separators = [','],
            AllowQuoting = true,
            Columns = [new(Features, DataKind.Single, features), new(LabelColumn, label, [new(_label)], keys)],
        }).Load(new MultiFileSource(_file.ToString()));
    }

    private sealed class Image
    {
        public float[] Features { get; set; } = [];
    }

    private sealed class Pair
    {
        public float[] Features { get; set; } = [];

        public float[] Label { get; set; } = [];
    }
}
