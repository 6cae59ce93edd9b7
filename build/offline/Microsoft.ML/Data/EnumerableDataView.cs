using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>
/// A view of objects, read in their order each time. As in the real package not even a list can be shuffled; a cache can.
/// </summary>
internal sealed class EnumerableDataView<TRow>(IEnumerable<TRow> rows, InternalSchemaDefinition definition) : IDataView
    where TRow : class
{
    public bool CanShuffle => false;

    public DataViewSchema Schema { get; } = definition.ToSchema();

    public long? GetRowCount() => (rows as ICollection<TRow>)?.Count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(Schema, definition, ActiveColumns.Of(Schema, columnsNeeded), rows.GetEnumerator());

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(
        DataViewSchema schema, InternalSchemaDefinition definition, bool[] active, IEnumerator<TRow> enumerator) : DataViewRowCursor
    {
        private readonly RowHolder<TRow> _holder = new();
        private long _position = -1;
        private bool _done;

        public override long Position => _position;

        public override long Batch => 0;

        public override DataViewSchema Schema => schema;

        public override bool MoveNext()
        {
            if (!_done && enumerator.MoveNext())
            {
                _position++;
                _holder.Row = enumerator.Current
                    ?? throw new InvalidOperationException($"Encountered null when iterating over data, this is not supported (row {_position})");
                return true;
            }

            _done = true;
            _position = -1;
            _holder.Row = null;
            return false;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => ActiveColumns.Contains(active, column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) =>
        {
            _holder.Checked();
            value = new DataViewRowId((ulong)_position, 0);
        };

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => ActiveColumns.Contains(active, column)
            ? RowMembers<TRow>.Getter(definition.Columns[column.Index], _holder) as ValueGetter<TValue>
                ?? throw Contracts.WrongGetter(column, typeof(TValue))
            : throw Contracts.Inactive(column);

        protected override void Dispose(bool disposing) => enumerator.Dispose();
    }
}
