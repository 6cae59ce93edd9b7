using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A column of a text file: its type, and the fields [Min, Limit) that it is made of.</summary>
internal sealed class TextColumn
{
    private const int SampledLines = 100;

    private TextColumn(string name, DataViewType type, (int Min, int Limit)[] segments, DataViewSchema.Annotations annotations)
    {
        Name = name;
        Type = type;
        Segments = segments;
        Annotations = annotations;
    }

    public string Name { get; }

    public DataViewType Type { get; }

    public (int Min, int Limit)[] Segments { get; }

    public DataViewSchema.Annotations Annotations { get; }

    /// <summary>How many fields of a line must be known to read this column.</summary>
    public int FieldsNeeded => Segments.Max(segment => segment.Limit);

    public static TextColumn[] Bind(TextLoader.Column[] columns, TextFormat format, IMultiStreamSource? sample)
    {
        bool needsWidth = columns.Any(column => column.Source is not null && column.Source.Any(range => range.AutoEnd && range.Max is null));
        (int width, ReadOnlyMemory<char>[] header) = Sample(format, sample, needsWidth);
        return Array.ConvertAll(columns, column => Bind(column, width, header));
    }

    private static TextColumn Bind(TextLoader.Column column, int width, ReadOnlyMemory<char>[] header)
    {
        Contracts.CheckNonWhiteSpace(column.Name);
        Contracts.CheckParam(
            column.Source is { Length: > 0 }, nameof(TextLoader.Column.Source), $"Must specify some source column indices for '{column.Name}'");
        (int Min, int Limit)[] segments = Array.ConvertAll(column.Source, range => Segment(range, width));
        PrimitiveDataViewType item = DataViewTypes.PrimitiveOf(column.DataKind);
        if (column.KeyCount is KeyCount keys)
        {
            item = new KeyDataViewType(item.RawType, keys.Count ?? LargestKey(item.RawType));
        }

        bool isScalar = segments.Length == 1 && segments[0].Limit - segments[0].Min == 1 && !column.Source[0].ForceVector;
        if (isScalar)
        {
            return new TextColumn(column.Name.Trim(), item, segments, DataViewSchema.Annotations.Empty);
        }

        var type = new VectorDataViewType(item, segments.Sum(segment => segment.Limit - segment.Min));
        return new TextColumn(column.Name.Trim(), type, segments, SlotNames(segments, type.Size, header));
    }

    private static (int Min, int Limit) Segment(TextLoader.Range range, int width)
    {
        Contracts.CheckParam(range.Min >= 0, nameof(range.Min), "Must be non-negative");
        if (range.Max is int max)
        {
            Contracts.CheckParam(range.Min <= max, nameof(range.Max), "Must be at least Min");
            return (range.Min, max + 1);
        }

        if (!range.AutoEnd)
        {
            return (range.Min, range.Min + 1);
        }

        Contracts.CheckParam(range.Min < width, nameof(range.Min), $"Column #{range.Min} not found in the dataset (it only has {width} columns)");
        return (range.Min, width);
    }

    private static (int Width, ReadOnlyMemory<char>[] Header) Sample(TextFormat format, IMultiStreamSource? sample, bool needsWidth)
    {
        if (sample is null || sample.Count == 0 || !(needsWidth || format.HasHeader))
        {
            Contracts.CheckParam(!needsWidth, nameof(TextLoader.Column.Source), "Can't determine the number of source columns without valid data");
            return (0, []);
        }

        using var lines = new TextLines(sample, format.HasHeader);
        var fields = new FieldList();
        int width = 0;
        for (int i = 0; i < (needsWidth ? SampledLines : 1) && lines.MoveNext(); i++)
        {
            format.Split(lines.Current, int.MaxValue, fields);
            Contracts.CheckParam(
                !needsWidth || width == 0 || width == fields.Count,
                nameof(TextLoader.Column.Source),
                $"The size of input lines is not consistent: {width} and, in line {lines.Number}, {fields.Count}");
            width = fields.Count;
        }

        Contracts.CheckParam(!needsWidth || width > 0, nameof(TextLoader.Column.Source), "Can't determine the number of source columns without valid data");
        if (lines.Header.IsEmpty)
        {
            return (width, []);
        }

        format.Split(lines.Header, int.MaxValue, fields);
        return (width, [.. Enumerable.Range(0, fields.Count).Select(i => fields[i].Trim())]);
    }

    private static DataViewSchema.Annotations SlotNames((int Min, int Limit)[] segments, int size, ReadOnlyMemory<char>[] header)
    {
        ReadOnlyMemory<char>[] names =
        [
            .. segments.SelectMany(segment => Enumerable.Range(segment.Min, segment.Limit - segment.Min))
                .Select(field => field < header.Length ? header[field] : default),
        ];
        if (names.All(name => name.IsEmpty))
        {
            return DataViewSchema.Annotations.Empty;
        }

        var builder = new DataViewSchema.Annotations.Builder();
        builder.Add(
            AnnotationKinds.SlotNames,
            new VectorDataViewType(TextDataViewType.Instance, size),
            (ref VBuffer<ReadOnlyMemory<char>> value) => VBuffer<ReadOnlyMemory<char>>.Copy(names, 0, ref value, size));
        return builder.ToAnnotations();
    }

    private static ulong LargestKey(Type type) =>
        type == typeof(byte) ? byte.MaxValue : type == typeof(ushort) ? ushort.MaxValue : type == typeof(uint) ? uint.MaxValue : ulong.MaxValue;
}
