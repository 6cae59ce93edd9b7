namespace Microsoft.ML.Data;

/// <summary>A view whose rows are those of its input and computed columns.</summary>
internal sealed class MappedDataView(IDataView input, MappedRows rows) : IDataView
{
    public bool CanShuffle => input.CanShuffle;

    public DataViewSchema Schema => rows.OutputSchema;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = ActiveColumns.Of(Schema, columnsNeeded);
        return rows.GetCursor(input.GetRowCursor(InputColumns(active), rand), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        bool[] active = ActiveColumns.Of(Schema, columnsNeeded);
        return Array.ConvertAll(input.GetRowCursorSet(InputColumns(active), n, rand), cursor => rows.GetCursor(cursor, active));
    }

    private IEnumerable<DataViewSchema.Column> InputColumns(bool[] active) =>
        rows.GetDependencies(Schema.Where(column => active[column.Index]));
}
