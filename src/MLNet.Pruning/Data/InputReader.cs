namespace MLNet.Pruning.Data;

/// <summary>Reads the inputs of a network from the row that a cursor is at.</summary>
internal sealed class InputReader : IRowReader
{
    /// <summary>Integers beyond are not exact as 32-bit floats.</summary>
    private const int LargestExact = 1 << 24;

    private readonly ColumnReader[] _columns;

    /// <param name="row">A cursor, or a row on which columns are active.</param>
    /// <param name="columns">The columns, in the order of the network's inputs.</param>
    /// <param name="network">The network.</param>
    /// <param name="inputs">What is known of the columns.</param>
    public InputReader(DataViewRow row, ImmutableArray<DataViewSchema.Column> columns, Network network, NetworkInputs inputs)
        : this(row, columns, network, network.Inputs, inputs.Layout)
    {
    }

    /// <param name="row">A cursor, or a row on which columns are active.</param>
    /// <param name="columns">The columns, in the order of the tensors.</param>
    /// <param name="network">The network.</param>
    /// <param name="tensors">What the columns hold: tensors of the network, batch first.</param>
    /// <param name="layout">How images lie in the columns.</param>
    public InputReader(DataViewRow row, ImmutableArray<DataViewSchema.Column> columns, Network network, ImmutableArray<TensorInfo> tensors, ImageLayout layout)
    {
        _columns = new ColumnReader[columns.Length];
        for (var i = 0; i < columns.Length; i++)
        {
            var raw = new InputColumn(columns[i].Name, columns[i].Type).ItemType.RawType;
            var reader = columns[i].Type is VectorDataViewType ? typeof(VectorReader<>) : typeof(ScalarReader<>);
            _columns[i] = (ColumnReader)Activator.CreateInstance(reader.MakeGenericType(raw), row, columns[i])!;
            _columns[i].Describe(columns[i], network, tensors[i], layout);
        }
    }

    /// <summary>Reads the row.</summary>
    /// <param name="values">Receives the values of all inputs.</param>
    /// <param name="row">Number of the row, for messages.</param>
    /// <returns>What is wrong with the row; null for nothing.</returns>
    public TrainingDataException? Read(Span<float> values, long row)
    {
        TrainingDataException? problem = null;
        foreach (var column in _columns)
        {
            problem ??= column.Read(values[..column.Width], row);
            values = values[column.Width..];
        }

        return problem;
    }

    private abstract class ColumnReader
    {
        private string _name = "";
        private bool _isInteger;
        private bool _isKey;
        private (long Count, string? Table) _range;
        private int[]? _order;
        private float[] _ordered = [];

        public int Width { get; private set; }

        public void Describe(DataViewSchema.Column column, Network network, TensorInfo input, ImageLayout layout)
        {
            (_name, Width) = (column.Name, input.RowSize);
            _isInteger = NetworkInputs.IsIntegerInput(input);
            _isKey = (column.Type is VectorDataViewType vector ? vector.ItemType : column.Type) is KeyDataViewType;
            _range = EmbeddingTables.Range(network, input.Name) is { } found ? (found.Rows, found.Table) : (LargestExact, null);
            if (layout == ImageLayout.ChannelsLast && input.Shape.Length == 4)
            {
                _order = ChannelsLast(input.Shape);
                _ordered = new float[Width];
            }
        }

        public TrainingDataException? Read(Span<float> values, long row)
        {
            var found = ReadValues(_order is null ? values : _ordered);
            if (found != values.Length)
            {
                return new($"Row {row}: column '{_name}' has {found} values, expected {values.Length}.", _name, row);
            }

            for (var i = 0; _order is not null && i < values.Length; i++)
            {
                values[i] = _ordered[_order[i]];
            }

            return _isInteger ? CheckIds(values, row) : null;
        }

        /// <summary>Copies the column's values, as many as fit.</summary>
        /// <returns>How many it has.</returns>
        protected abstract int ReadValues(Span<float> values);

        /// <summary>Keys count from 1, ids from 0. What lies outside of a table would make the native library fail in its own words, or read beyond.</summary>
        private TrainingDataException? CheckIds(Span<float> values, long row)
        {
            var lowest = _isKey || _range.Table is not null ? 0 : -_range.Count;
            for (var i = 0; i < values.Length; i++)
            {
                if (_isKey)
                {
                    values[i] -= 1;
                }

                if (values[i] >= lowest && values[i] < _range.Count)
                {
                    continue;
                }

                var limit = _range.Table is { } table ? $"expected 0 to {_range.Count - 1}, the rows of '{table}'"
                    : $"expected {lowest} to {_range.Count - 1}, the integers that are exact as 32-bit floats";
                return new(_isKey && values[i] < 0
                    ? $"Row {row}: value {i} of column '{_name}' is a missing key; {limit}."
                    : $"Row {row}: value {i} of column '{_name}' is {(_isKey ? $"key {values[i] + 1:0}, id " : "")}{values[i]:0}; {limit}.", _name, row);
            }

            return null;
        }

        /// <summary>Where each value of an image in planes lies in one of interleaved channels.</summary>
        private static int[] ChannelsLast(ImmutableArray<int> shape)
        {
            var (channels, pixels) = (shape[1], shape[2] * shape[3]);
            return [.. Enumerable.Range(0, channels * pixels).Select(i => i % pixels * channels + i / pixels)];
        }
    }

    private sealed class ScalarReader<T>(DataViewRow row, DataViewSchema.Column column) : ColumnReader
    {
        private readonly ValueGetter<T> _getter = row.GetGetter<T>(column);
        private T _value = default!;

        protected override int ReadValues(Span<float> values)
        {
            _getter(ref _value);
            values[0] = Number<T>.From(_value);
            return 1;
        }
    }

    private sealed class VectorReader<T>(DataViewRow row, DataViewSchema.Column column) : ColumnReader
    {
        private readonly ValueGetter<VBuffer<T>> _getter = row.GetGetter<VBuffer<T>>(column);
        private VBuffer<T> _vector;

        protected override int ReadValues(Span<float> values)
        {
            _getter(ref _vector);
            if (_vector.Length != values.Length)
            {
                return _vector.Length;
            }

            if (_vector is VBuffer<float> floats)
            {
                floats.CopyTo(values);
                return values.Length;
            }

            if (!_vector.IsDense)
            {
                values.Fill(Number<T>.From(default!));
            }

            foreach (var (slot, value) in _vector.Items())
            {
                values[slot] = Number<T>.From(value);
            }

            return values.Length;
        }
    }

    private static class Number<T>
    {
        public static readonly Func<T, float> From = (Func<T, float>)Conversion();

        private static Delegate Conversion() => default(T) switch
        {
            float => new Func<float, float>(value => value),
            sbyte => new Func<sbyte, float>(value => value),
            byte => new Func<byte, float>(value => value),
            short => new Func<short, float>(value => value),
            ushort => new Func<ushort, float>(value => value),
            int => new Func<int, float>(value => value),
            uint => new Func<uint, float>(value => value),
            long => new Func<long, float>(value => value),
            ulong => new Func<ulong, float>(value => value),
            bool => new Func<bool, float>(value => value ? 1 : 0),
            _ => throw new NotSupportedException($"Values of type {typeof(T)} cannot be read as numbers."),
        };
    }
}
