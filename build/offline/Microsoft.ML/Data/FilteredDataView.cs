namespace Microsoft.ML.Data;

/// <summary>
/// The rows of a view that a predicate keeps. It is bound to each cursor anew, so that it may hold state; where it
/// depends on the order of the rows the view can neither be shuffled nor split among cursors.
/// </summary>
internal sealed class FilteredDataView(
    IDataView input, DataViewSchema.Column[] needed, Func<DataViewRow, Func<bool>> bind, bool dependsOnOrder = false) : IDataView
{
    public bool CanShuffle => !dependsOnOrder && input.CanShuffle;

    public DataViewSchema Schema => input.Schema;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = ActiveColumns.Of(Schema, columnsNeeded);
        return Filtered(input.GetRowCursor(WithNeeded(active), CanShuffle ? rand : null), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        if (dependsOnOrder)
        {
            return [GetRowCursor(columnsNeeded, rand)];
        }

        bool[] active = ActiveColumns.Of(Schema, columnsNeeded);
        return Array.ConvertAll(input.GetRowCursorSet(WithNeeded(active), n, rand), cursor => (DataViewRowCursor)Filtered(cursor, active));
    }

    private Cursor Filtered(DataViewRowCursor cursor, bool[] active) => new(cursor, Schema, active, bind(cursor));

    private IEnumerable<DataViewSchema.Column> WithNeeded(bool[] active) =>
        Schema.Where(column => active[column.Index] || needed.Any(other => other.Index == column.Index));

    private sealed class Cursor(DataViewRowCursor input, DataViewSchema schema, bool[] active, Func<bool> accept)
        : PassingCursor(input, schema, active)
    {
        protected override bool MoveNextCore()
        {
            while (Input.MoveNext())
            {
                if (accept())
                {
                    return true;
                }
            }

            return false;
        }
    }
}
