using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>
/// Rows drawn at random from a pool that is refilled from the input, itself shuffled where it can be. Without a Random
/// of the caller's every pass has the same order.
/// </summary>
internal sealed class ShuffledDataView(IDataView input, int poolSize, bool shuffleSource, int seed) : IDataView
{
    public bool CanShuffle => true;

    public DataViewSchema Schema => input.Schema;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = ActiveColumns.Of(Schema, columnsNeeded);
        Random random = rand ?? new Random(seed);
        DataViewRowCursor source = input.GetRowCursor(
            Schema.Where(column => active[column.Index]), shuffleSource && input.CanShuffle ? random : null);
        return new Cursor(source, Schema, active, poolSize, random);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor : PassingCursor
    {
        private readonly Pool[] _columns;
        private readonly Pool<DataViewRowId> _ids;
        private readonly int[] _slots;
        private readonly Random _random;
        private readonly CurrentSlot _current = new();
        private int _count = -1;
        private int _drawn;

        public Cursor(DataViewRowCursor source, DataViewSchema schema, bool[] active, int poolSize, Random random)
            : base(source, schema, active)
        {
            _random = random;
            _slots = new int[poolSize];
            _columns = [.. schema.Where(column => active[column.Index]).Select(column => Pool.Create(source, column, poolSize, _current))];
            _ids = new Pool<DataViewRowId>(source.GetIdGetter(), -1, poolSize, _current);
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ValueGetter<DataViewRowId>)_ids.Getter();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
            {
                throw Contracts.Inactive(column);
            }

            return _columns.Single(pool => pool.Column == column.Index).Getter() as ValueGetter<TValue>
                ?? throw Contracts.WrongGetter(column, typeof(TValue));
        }

        protected override bool MoveNextCore()
        {
            if (_count < 0)
            {
                _count = 0;
                while (_count < _slots.Length && Input.MoveNext())
                {
                    _slots[_count] = _count;
                    Store(_count++);
                }
            }
            else if (Input.MoveNext())
            {
                Store(_slots[_drawn]);
            }
            else
            {
                _slots[_drawn] = _slots[--_count];
            }

            if (_count == 0)
            {
                _current.Index = -1;
                return false;
            }

            _drawn = _random.Next(_count);
            _current.Index = _slots[_drawn];
            return true;
        }

        private void Store(int slot)
        {
            foreach (Pool column in _columns)
            {
                column.Store(slot);
            }

            _ids.Store(slot);
        }
    }

    private sealed class CurrentSlot
    {
        public int Index { get; set; } = -1;
    }

    private abstract class Pool(int column)
    {
        public int Column => column;

        public static Pool Create(DataViewRow source, DataViewSchema.Column column, int size, CurrentSlot current) =>
            Transforms.GenericCall.Static<Pool>(typeof(Pool), nameof(Typed), [column.Type.RawType], source, column, size, current);

        public abstract void Store(int slot);

        public abstract Delegate Getter();

        private static Pool<T> Typed<T>(DataViewRow source, DataViewSchema.Column column, int size, CurrentSlot current) =>
            new(source.GetGetter<T>(column), column.Index, size, current);
    }

    private sealed class Pool<T>(ValueGetter<T> source, int column, int size, CurrentSlot current) : Pool(column)
    {
        private readonly T[] _values = new T[size];

        public override void Store(int slot) => source(ref _values[slot]);

        public override Delegate Getter()
        {
            CopyValue<T> copy = ValueCopy<T>.Copy;
            return (ValueGetter<T>)((ref T value) =>
            {
                if (current.Index < 0)
                {
                    throw new InvalidOperationException("The cursor is not at a row: call MoveNext first, and stop where it returns false");
                }

                copy(_values[current.Index], ref value);
            });
        }
    }
}
