namespace Microsoft.ML.Data;

/// <summary>The values of one column, held in memory and read at random.</summary>
internal abstract class ColumnStore
{
    public static ColumnStore Create(DataViewType type) => type is VectorDataViewType vector
        ? (ColumnStore)Activator.CreateInstance(typeof(VectorStore<>).MakeGenericType(vector.ItemType.RawType))!
        : (ColumnStore)Activator.CreateInstance(typeof(ScalarStore<>).MakeGenericType(type.RawType))!;

    /// <summary>An action that appends the value of the row's current position.</summary>
    public abstract Action Appender(DataViewRow row, DataViewSchema.Column column);

    /// <summary>A getter of the value at the position that <paramref name="position"/> holds.</summary>
    public abstract Delegate Getter(RowPosition position);

    /// <summary>Where a cursor is, shared with its getters.</summary>
    public sealed class RowPosition
    {
        public long Value = -1;

        public long Checked() => Value >= 0
            ? Value
            : throw new InvalidOperationException("The cursor is not at a row: call MoveNext first, and stop where it returns false");
    }

    private sealed class ScalarStore<T> : ColumnStore
    {
        private T[] _values = new T[16];
        private int _count;

        public override Action Appender(DataViewRow row, DataViewSchema.Column column)
        {
            ValueGetter<T> getter = row.GetGetter<T>(column);
            return () =>
            {
                if (_count == _values.Length)
                {
                    Array.Resize(ref _values, (int)Math.Min(Array.MaxLength, 2L * _count));
                }

                getter(ref _values[_count++]);
            };
        }

        public override Delegate Getter(RowPosition position) =>
            (ValueGetter<T>)((ref T value) => value = _values[position.Checked()]);
    }

    private sealed class VectorStore<T> : ColumnStore
    {
        private readonly ChunkedItems<T> _items = new();
        private readonly ChunkedItems<int> _indices = new();
        private Entry[] _entries = new Entry[16];
        private int _count;

        public override Action Appender(DataViewRow row, DataViewSchema.Column column)
        {
            ValueGetter<VBuffer<T>> getter = row.GetGetter<VBuffer<T>>(column);
            VBuffer<T> buffer = default;
            return () =>
            {
                getter(ref buffer);
                if (_count == _entries.Length)
                {
                    Array.Resize(ref _entries, (int)Math.Min(Array.MaxLength, 2L * _count));
                }

                _entries[_count++] = new Entry(
                    buffer.Length,
                    buffer.GetValues().Length,
                    _items.Append(buffer.GetValues()),
                    buffer.IsDense ? default : _indices.Append(buffer.GetIndices()));
            };
        }

        public override Delegate Getter(RowPosition position) => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) =>
        {
            ref readonly Entry entry = ref _entries[position.Checked()];
            VBufferEditor<T> editor = VBufferEditor.Create(ref value, entry.Length, entry.Count);
            _items.At(entry.Items, entry.Count).CopyTo(editor.Values);
            if (entry.Count < entry.Length)
            {
                _indices.At(entry.Indices, entry.Count).CopyTo(editor.Indices);
            }

            value = editor.Commit();
        });

        private readonly record struct Entry(int Length, int Count, ItemAddress Items, ItemAddress Indices);
    }
}
