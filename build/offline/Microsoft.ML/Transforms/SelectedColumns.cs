using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

/// <summary>Rows with some of the columns of their input, in an order of their own.</summary>
internal sealed class SelectedColumns : IRowToRowMapper
{
    private readonly DataViewSchema.Column[] _sources;

    public SelectedColumns(DataViewSchema inputSchema, DataViewSchema.Column[] sources)
    {
        InputSchema = inputSchema;
        _sources = sources;
        var builder = new DataViewSchema.Builder();
        foreach (var source in sources)
        {
            builder.AddColumn(source.Name, source.Type, source.Annotations);
        }

        OutputSchema = builder.ToSchema();
    }

    public DataViewSchema InputSchema { get; }

    public DataViewSchema OutputSchema { get; }

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        bool[] active = ActiveColumns.Of(OutputSchema, dependingColumns);
        return _sources.Where((_, i) => active[i]).Distinct();
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new Row(this, input, ActiveColumns.Of(OutputSchema, activeColumns));
    }

    public DataViewRowCursor GetCursor(DataViewRowCursor input, IEnumerable<DataViewSchema.Column> activeColumns) =>
        new Cursor(this, input, ActiveColumns.Of(OutputSchema, activeColumns));

    private ValueGetter<TValue> Getter<TValue>(DataViewRow input, bool[] active, DataViewSchema.Column column) =>
        ActiveColumns.Contains(active, column)
            ? input.GetGetter<TValue>(_sources[column.Index])
            : throw Runtime.Contracts.Inactive(column);

    private sealed class Row(SelectedColumns columns, DataViewRow input, bool[] active) : DataViewRow
    {
        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override DataViewSchema Schema => columns.OutputSchema;

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => ActiveColumns.Contains(active, column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => columns.Getter<TValue>(input, active, column);

        protected override void Dispose(bool disposing) => input.Dispose();
    }

    private sealed class Cursor(SelectedColumns columns, DataViewRowCursor input, bool[] active) : DataViewRowCursor
    {
        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override DataViewSchema Schema => columns.OutputSchema;

        public override bool MoveNext() => input.MoveNext();

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => ActiveColumns.Contains(active, column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => columns.Getter<TValue>(input, active, column);

        protected override void Dispose(bool disposing) => input.Dispose();
    }
}

internal sealed class SelectedDataView(IDataView input, SelectedColumns columns) : IDataView
{
    public bool CanShuffle => input.CanShuffle;

    public DataViewSchema Schema => columns.OutputSchema;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        columns.GetCursor(input.GetRowCursor(columns.GetDependencies(columnsNeeded), rand), columnsNeeded);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        Array.ConvertAll(
            input.GetRowCursorSet(columns.GetDependencies(columnsNeeded), n, rand),
            cursor => columns.GetCursor(cursor, columnsNeeded));
}
