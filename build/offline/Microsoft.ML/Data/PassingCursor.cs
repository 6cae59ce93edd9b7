namespace Microsoft.ML.Data;

/// <summary>A cursor over the same columns as its input that decides which rows it stops at, and counts those.</summary>
internal abstract class PassingCursor(DataViewRowCursor input, DataViewSchema schema, bool[] active) : DataViewRowCursor
{
    private long _position = -1;
    private bool _done;

    public override long Position => _position;

    public override long Batch => input.Batch;

    public override DataViewSchema Schema => schema;

    protected DataViewRowCursor Input => input;

    public override bool MoveNext()
    {
        if (_done)
        {
            return false;
        }

        if (MoveNextCore())
        {
            _position++;
            return true;
        }

        _done = true;
        _position = -1;
        return false;
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => ActiveColumns.Contains(active, column);

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => ActiveColumns.Contains(active, column)
        ? input.GetGetter<TValue>(input.Schema[column.Index])
        : throw Runtime.Contracts.Inactive(column);

    protected abstract bool MoveNextCore();

    protected override void Dispose(bool disposing) => input.Dispose();
}
