using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Data;

/// <summary>The rows of text files. Values are parsed when they are asked for.</summary>
internal sealed class TextDataView : IDataView
{
    private readonly IHost _host;
    private readonly TextFormat _format;
    private readonly TextColumn[] _columns;
    private readonly IMultiStreamSource _source;

    public TextDataView(IHost host, TextFormat format, TextColumn[] columns, DataViewSchema schema, IMultiStreamSource source)
    {
        _host = host;
        _format = format;
        _columns = columns;
        _source = source;
        Schema = schema;
    }

    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(this, ActiveColumns.Of(Schema, columnsNeeded));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor : DataViewRowCursor
    {
        private const int BadValuesShown = 10;

        private readonly TextDataView _view;
        private readonly bool[] _active;
        private readonly TextLines _lines;
        private readonly FieldList _fields = new();
        private readonly IChannel _channel;
        private readonly int _fieldsNeeded;
        private long _position = -1;
        private int _badValues;
        private bool _done;

        public Cursor(TextDataView view, bool[] active)
        {
            _view = view;
            _active = active;
            _channel = view._host.Start("Cursor");
            _lines = new TextLines(view._source, view._format.HasHeader);
            _fieldsNeeded = view._columns.Where((_, i) => active[i]).Select(column => column.FieldsNeeded).DefaultIfEmpty(0).Max();
        }

        public override long Position => _position;

        public override long Batch => 0;

        public override DataViewSchema Schema => _view.Schema;

        public override bool MoveNext()
        {
            if (_done || _position + 1 >= _view._format.MaxRows || !_lines.MoveNext())
            {
                _done = true;
                _position = -1;
                return false;
            }

            _position++;
            _view._format.Split(_lines.Current, _fieldsNeeded, _fields);
            return true;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => ActiveColumns.Contains(_active, column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) =>
        {
            CheckAtRow();
            value = new DataViewRowId((ulong)_position, 0);
        };

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
            {
                throw Contracts.Inactive(column);
            }

            TextColumn source = _view._columns[column.Index];
            Delegate getter = GenericCall.Instance<Delegate>(
                this, source.Type is VectorDataViewType ? nameof(VectorGetter) : nameof(ScalarGetter), [source.Type.ItemType().RawType], source);
            return getter as ValueGetter<TValue> ?? throw Contracts.WrongGetter(column, typeof(TValue));
        }

        protected override void Dispose(bool disposing)
        {
            _lines.Dispose();
            _channel.Dispose();
        }

        private ValueGetter<T> ScalarGetter<T>(TextColumn column)
        {
            FieldParser<T> parse = FieldParsers.Of<T>(column.Type, _view._format.MissingRealsAsNaNs);
            int field = column.Segments[0].Min;
            return (ref T value) =>
            {
                CheckAtRow();
                if (!parse(TextOf(field), out value))
                {
                    HandleBad<T>(column, field);
                }
            };
        }

        // As the real loader does: a vector is sparse where no more than half of its fields hold anything, be it a zero.
        private ValueGetter<VBuffer<T>> VectorGetter<T>(TextColumn column)
        {
            FieldParser<T> parse = FieldParsers.Of<T>(column.Type.ItemType(), _view._format.MissingRealsAsNaNs);
            int size = column.Type.ValueCount();
            var values = new T[size];
            var indices = new int[size];
            return (ref VBuffer<T> value) =>
            {
                CheckAtRow();
                int slot = 0;
                int explicitValues = 0;
                foreach ((int min, int limit) in column.Segments)
                {
                    for (int field = min; field < limit; field++, slot++)
                    {
                        ReadOnlyMemory<char> text = TextOf(field);
                        if (!parse(text, out values[slot]))
                        {
                            HandleBad<T>(column, field);
                        }

                        if (!text.IsEmpty || _view._format.MissingRealsAsNaNs)
                        {
                            indices[explicitValues++] = slot;
                        }
                    }
                }

                if (explicitValues > size / 2)
                {
                    VBuffer<T>.Copy(values, 0, ref value, size);
                    return;
                }

                VBufferEditor<T> editor = VBufferEditor.Create(ref value, size, explicitValues);
                for (int i = 0; i < explicitValues; i++)
                {
                    editor.Values[i] = values[indices[i]];
                    editor.Indices[i] = indices[i];
                }

                value = editor.Commit();
            };
        }

        private ReadOnlyMemory<char> TextOf(int field) => field < _fields.Count ? _fields[field] : default;

        private void CheckAtRow()
        {
            if (_position < 0)
            {
                throw new InvalidOperationException("The cursor is not at a row: call MoveNext first, and stop where it returns false");
            }
        }

        // A real number that cannot be read is missing, which is logged; other types have nothing to stand for that.
        private void HandleBad<T>(TextColumn column, int field)
        {
            if (typeof(T) != typeof(float) && typeof(T) != typeof(double) && column.Type.ItemType() is not KeyDataViewType)
            {
                throw new FormatException($"Could not parse value {TextOf(field)} in line {_lines.Number}, column {column.Name}");
            }

            if (_badValues++ < BadValuesShown)
            {
                _channel.Info(MessageSensitivity.Schema, "  Bad value at line {0} in column {1}, field {2}", _lines.Number, column.Name, field);
            }
        }
    }
}
