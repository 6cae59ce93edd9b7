namespace MLNet.Pruning.Data;

/// <summary>Values of one column for the rows of a batch, so that a cursor can read ahead and still pass the column through.</summary>
internal abstract class ColumnBuffer
{
    /// <summary>A buffer of so many rows for a column of the cursor.</summary>
    public static ColumnBuffer Create(DataViewRowCursor cursor, DataViewSchema.Column column, int rows)
    {
        var raw = column.Type.RawType;
        var buffer = raw.IsGenericType && raw.GetGenericTypeDefinition() == typeof(VBuffer<>)
            ? typeof(Vectors<>).MakeGenericType(raw.GetGenericArguments())
            : typeof(Values<>).MakeGenericType(raw);
        return (ColumnBuffer)Activator.CreateInstance(buffer, cursor, column, rows)!;
    }

    /// <summary>Reads the column's value of the row that the cursor is at.</summary>
    public abstract void Read(int row);

    /// <summary>A getter of the value of the row that <paramref name="current"/> tells.</summary>
    public abstract Delegate Getter(Func<int> current);

    private sealed class Values<T>(DataViewRowCursor cursor, DataViewSchema.Column column, int rows) : ColumnBuffer
    {
        private readonly ValueGetter<T> _read = cursor.GetGetter<T>(column);
        private readonly T[] _values = new T[rows];

        public override void Read(int row) => _read(ref _values[row]);

        public override Delegate Getter(Func<int> current) => (ValueGetter<T>)((ref T value) => value = _values[current()]);
    }

    private sealed class Vectors<T>(DataViewRowCursor cursor, DataViewSchema.Column column, int rows) : ColumnBuffer
    {
        private readonly ValueGetter<VBuffer<T>> _read = cursor.GetGetter<VBuffer<T>>(column);
        private readonly VBuffer<T>[] _values = new VBuffer<T>[rows];

        public override void Read(int row) => _read(ref _values[row]);

        public override Delegate Getter(Func<int> current) => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) => _values[current()].CopyTo(ref value));
    }
}
