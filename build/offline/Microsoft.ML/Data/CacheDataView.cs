using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>
/// Keeps in memory the columns that have been asked for. A column is read from the input once, when a cursor over it is
/// first moved; columns asked for together are read in one pass. A row count that the input names is trusted.
/// </summary>
internal sealed class CacheDataView : IDataView
{
    private const int BatchShift = 6;

    private readonly IDataView _input;
    private readonly DataViewSchema.Column[] _sources;
    private readonly ColumnStore?[] _stores;
    private readonly object _filling = new();
    private long? _rowCount;

    public CacheDataView(IDataView input, IReadOnlyCollection<int> prefetch)
    {
        _input = input;

        // As in the real cache, columns of types it does not know are left out.
        _sources = [.. input.Schema.Where(column => column.Type is PrimitiveDataViewType or VectorDataViewType)];
        Schema = SchemaOf(_sources, input.Schema);
        _stores = new ColumnStore?[_sources.Length];
        _rowCount = input.GetRowCount();
        if (prefetch.Count > 0)
        {
            Fill([.. prefetch.Select(index => Array.FindIndex(_sources, column => column.Index == index)).Where(index => index >= 0)]);
        }
    }

    public bool CanShuffle => true;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => _rowCount;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = ActiveColumns.Of(Schema, columnsNeeded);
        return new Cursor(this, active, Permutation(active, rand), part: 0, parts: 1);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        bool[] active = ActiveColumns.Of(Schema, columnsNeeded);
        int parts = Math.Max(n, 1);
        int[]? permutation = Permutation(active, rand);
        var cursors = new DataViewRowCursor[parts];
        for (int part = 0; part < parts; part++)
        {
            cursors[part] = new Cursor(this, active, permutation, part, parts);
        }

        return cursors;
    }

    private static DataViewSchema SchemaOf(DataViewSchema.Column[] columns, DataViewSchema input)
    {
        if (columns.Length == input.Count)
        {
            return input;
        }

        var builder = new DataViewSchema.Builder();
        builder.AddColumns(columns);
        return builder.ToSchema();
    }

    // The permutation is drawn when the cursor is opened, so that the order of calls to rand is the caller's.
    private int[]? Permutation(bool[] active, Random? rand)
    {
        if (rand is null)
        {
            return null;
        }

        Fill([.. Enumerable.Range(0, active.Length).Where(index => active[index])]);
        var permutation = new int[_rowCount ?? 0];
        for (int i = 0; i < permutation.Length; i++)
        {
            permutation[i] = i;
        }

        rand.Shuffle(permutation);
        return permutation;
    }

    private void Fill(int[] columns)
    {
        lock (_filling)
        {
            int[] missing = [.. columns.Where(index => _stores[index] is null).Distinct()];
            if (missing.Length == 0 && _rowCount is not null)
            {
                return;
            }

            try
            {
                Read(missing);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException("Event we were waiting on was subject to an exception", e);
            }
        }
    }

    private void Read(int[] columns)
    {
        ColumnStore[] stores = Array.ConvertAll(columns, index => ColumnStore.Create(_sources[index].Type));
        using DataViewRowCursor cursor = _input.GetRowCursor(columns.Select(index => _sources[index]));
        Action[] appenders = [.. stores.Zip(columns, (store, index) => store.Appender(cursor, _sources[index]))];
        long count = 0;
        while (count != _rowCount && cursor.MoveNext())
        {
            foreach (Action append in appenders)
            {
                append();
            }

            if (++count > Array.MaxLength)
            {
                throw new InvalidOperationException($"The cache holds {Array.MaxLength} rows at most, the input has more");
            }
        }

        if (_rowCount is long expected && count < expected)
        {
            throw new InvalidOperationException($"The input says that it has {expected} rows, but ended after {count}");
        }

        _rowCount = count;
        for (int i = 0; i < columns.Length; i++)
        {
            _stores[columns[i]] = stores[i];
        }
    }

    /// <summary>Every n-th batch of rows, of a permutation where one is given.</summary>
    private sealed class Cursor(CacheDataView view, bool[] active, int[]? permutation, int part, int parts) : DataViewRowCursor
    {
        private readonly ColumnStore.RowPosition _row = new();
        private long _index = -1;
        private bool _filled;

        public override long Position => _row.Value < 0 ? -1 : _index;

        public override long Batch => parts == 1 ? 0 : _index >> BatchShift;

        public override DataViewSchema Schema => view.Schema;

        public override bool MoveNext()
        {
            EnsureFilled();
            long next = Following();
            if (next >= view._rowCount)
            {
                _row.Value = -1;
                return false;
            }

            _index = next;
            _row.Value = permutation is null ? next : permutation[next];
            return true;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => ActiveColumns.Contains(active, column);

        public override ValueGetter<DataViewRowId> GetIdGetter() =>
            (ref DataViewRowId value) => value = new DataViewRowId((ulong)_row.Checked(), 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!ActiveColumns.Contains(active, column))
            {
                throw Contracts.Inactive(column);
            }

            if (view.Schema[column.Index].Type.RawType != typeof(TValue))
            {
                throw Contracts.WrongGetter(column, typeof(TValue));
            }

            ValueGetter<TValue>? getter = null;
            return (ref TValue value) =>
            {
                _row.Checked();
                getter ??= (ValueGetter<TValue>)view._stores[column.Index]!.Getter(_row);
                getter(ref value);
            };
        }

        private long Following()
        {
            if (_index < 0)
            {
                return (long)part << BatchShift;
            }

            long next = _index + 1;
            bool startsBatch = (next & ((1 << BatchShift) - 1)) == 0;
            return startsBatch ? next + ((long)(parts - 1) << BatchShift) : next;
        }

        private void EnsureFilled()
        {
            if (!_filled)
            {
                view.Fill([.. Enumerable.Range(0, active.Length).Where(index => active[index])]);
                _filled = true;
            }
        }
    }
}
