using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A view of objects. Those of a list can be shuffled and counted, a mere sequence is read in order each time.</summary>
internal sealed class EnumerableDataView<TRow> : IDataView
    where TRow : class
{
    private readonly IEnumerable<TRow> _rows;
    private readonly IList<TRow>? _list;
    private readonly InternalSchemaDefinition _definition;

    public EnumerableDataView(IEnumerable<TRow> rows, InternalSchemaDefinition definition)
    {
        _rows = rows;
        _list = rows as IList<TRow>;
        _definition = definition;
        Schema = definition.ToSchema();
    }

    public bool CanShuffle => _list is not null;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => (_rows as ICollection<TRow>)?.Count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = ActiveColumns.Of(Schema, columnsNeeded);
        int[]? permutation = null;
        if (_list is not null && rand is not null)
        {
            permutation = [.. Enumerable.Range(0, _list.Count)];
            rand.Shuffle(permutation);
        }

        return new Cursor(this, active, permutation);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(EnumerableDataView<TRow> view, bool[] active, int[]? permutation) : DataViewRowCursor
    {
        private readonly RowHolder<TRow> _holder = new();
        private readonly IEnumerator<TRow>? _enumerator = view._list is null ? view._rows.GetEnumerator() : null;
        private long _position = -1;
        private bool _done;

        public override long Position => _position;

        public override long Batch => 0;

        public override DataViewSchema Schema => view.Schema;

        public override bool MoveNext()
        {
            if (!_done && TryRead(out TRow? row))
            {
                _position++;
                _holder.Row = row ?? throw new InvalidOperationException($"Encountered null when iterating over data, this is not supported (row {_position})");
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
            value = new DataViewRowId((ulong)(permutation?[_position] ?? _position), 0);
        };

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => ActiveColumns.Contains(active, column)
            ? RowMembers<TRow>.Getter(view._definition.Columns[column.Index], _holder) as ValueGetter<TValue>
                ?? throw Contracts.WrongGetter(column, typeof(TValue))
            : throw Contracts.Inactive(column);

        protected override void Dispose(bool disposing) => _enumerator?.Dispose();

        private bool TryRead(out TRow? row)
        {
            row = null;
            if (_enumerator is not null)
            {
                bool moved = _enumerator.MoveNext();
                row = moved ? _enumerator.Current : null;
                return moved;
            }

            long next = _position + 1;
            if (next >= (permutation?.Length ?? view._list!.Count))
            {
                return false;
            }

            row = view._list![permutation?[next] ?? (int)next];
            return true;
        }
    }
}
