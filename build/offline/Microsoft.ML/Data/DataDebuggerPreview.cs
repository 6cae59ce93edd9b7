using System.Collections.Immutable;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Data;

/// <summary>The first rows of a view, by row and by column.</summary>
public sealed class DataDebuggerPreview
{
    internal DataDebuggerPreview(IDataView data, int maxRows)
    {
        ArgumentNullException.ThrowIfNull(data);
        Contracts.CheckParam(maxRows >= 0, nameof(maxRows), "Must not be negative");
        Schema = data.Schema;
        var columns = new List<object>[Schema.Count];
        var rows = ImmutableArray.CreateBuilder<RowInfo>();
        using DataViewRowCursor cursor = data.GetRowCursor(Schema);
        var readers = new Func<object>[Schema.Count];
        for (int i = 0; i < readers.Length; i++)
        {
            columns[i] = [];
            readers[i] = GenericCall.Static<Func<object>>(typeof(DataDebuggerPreview), nameof(Reader), [Schema[i].Type.RawType], cursor, Schema[i]);
        }

        while (rows.Count < maxRows && cursor.MoveNext())
        {
            var values = new KeyValuePair<string, object>[readers.Length];
            for (int i = 0; i < readers.Length; i++)
            {
                object value = readers[i]();
                columns[i].Add(value);
                values[i] = new KeyValuePair<string, object>(Schema[i].Name, value);
            }

            rows.Add(new RowInfo(values));
        }

        RowView = rows.ToImmutable();
        ColumnView = [.. columns.Select((values, i) => new ColumnInfo(Schema[i], [.. values]))];
    }

    public DataViewSchema Schema { get; }

    public ImmutableArray<ColumnInfo> ColumnView { get; }

    public ImmutableArray<RowInfo> RowView { get; }

    public override string ToString() => $"{Schema.Count} columns, {RowView.Length} rows";

    // A new buffer for each row: what has been read is kept.
    private static Func<object> Reader<T>(DataViewRow row, DataViewSchema.Column column)
    {
        ValueGetter<T> getter = row.GetGetter<T>(column);
        return () =>
        {
            T value = default!;
            getter(ref value);
            return value!;
        };
    }

    public sealed class ColumnInfo
    {
        internal ColumnInfo(DataViewSchema.Column column, object[] values)
        {
            Column = column;
            Values = values;
        }

        public DataViewSchema.Column Column { get; }

        public object[] Values { get; }

        public override string ToString() => $"{Column.Name}: {Column.Type}";
    }

    public sealed class RowInfo
    {
        internal RowInfo(KeyValuePair<string, object>[] values) => Values = values;

        public KeyValuePair<string, object>[] Values { get; }

        public override string ToString() => $"{Values.Length} columns";
    }
}
