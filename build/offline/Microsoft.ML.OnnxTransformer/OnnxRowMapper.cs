using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>Runs the model once a row, for all active outputs together.</summary>
internal sealed class OnnxRowMapper : RowMapper
{
    private const string OutputSuffix = ".output";

    private readonly OnnxTransformer _parent;
    private readonly DataViewSchema.Column[] _columns;
    private readonly int[][] _shapes;

    public OnnxRowMapper(OnnxTransformer parent, DataViewSchema schema)
        : base(schema)
    {
        _parent = parent;
        _columns = new DataViewSchema.Column[parent.Inputs.Length];
        _shapes = new int[_columns.Length][];
        for (int i = 0; i < _columns.Length; i++)
        {
            string name = parent.Inputs[i];
            OnnxVariable input = parent.Model.GetInput(name);
            _shapes[i] = Adjusted(input.Shape);
            if (_shapes[i].Count(size => size == 0) > 1)
            {
                throw new ArgumentOutOfRangeException(name, "Only 1 unknown dimension is allowed");
            }

            _columns[i] = schema.GetColumnOrNull(name)
                ?? throw Contracts.MissingColumn(nameof(schema), "input", name, schema.Select(column => column.Name));
            Check(_columns[i], input, _shapes[i]);
        }
    }

    public override IEnumerable<int> GetDependencies(int output) => _columns.Select(column => column.Index);

    public override Delegate?[] MakeGetters(DataViewRow input, Func<int, bool> isActive)
    {
        int[] active = [.. Enumerable.Range(0, _parent.Outputs.Length).Where(isActive)];
        var getters = new Delegate?[_parent.Outputs.Length];
        if (active.Length > 0)
        {
            var row = new ScoredRow(this, input, [.. active.Select(output => _parent.Outputs[output])]);
            foreach (int output in active)
            {
                getters[output] = GetterOf(row, output);
            }
        }

        return getters;
    }

    protected override DataViewSchema.DetachedColumn[] MakeOutputColumns() =>
    [
        .. _parent.Outputs.Select((output, i) =>
        {
            string name = output.EndsWith(OutputSuffix, StringComparison.Ordinal) ? output.Replace(OutputSuffix, "") : output;
            return new DataViewSchema.DetachedColumn(name, _parent.OutputTypes[i], SlotNames(name));
        }),
    ];

    protected override Delegate MakeGetter(DataViewRow input, int output) => MakeGetters(input, candidate => candidate == output)[output]!;

    // The first size that is not known is a batch of one, and a scalar is a tensor of one element; 0 is filled in from the row.
    private static int[] Adjusted(int[] shape) =>
        shape.Length == 0 ? [1] : [shape[0] < 0 ? 1 : shape[0], .. shape[1..].Select(size => Math.Max(size, 0))];

    private static void Check(DataViewSchema.Column column, OnnxVariable input, int[] shape)
    {
        DataViewType item = column.Type.ItemType();
        DataViewType expected = input.Type.ItemType();

        // A key passes for the integer that it is.
        if (!item.Equals(expected) && !(item is KeyDataViewType && item.RawType == expected.RawType))
        {
            throw Contracts.SchemaMismatch("inputSchema", "input", input.Name, expected.ToString()!, column.Type.ToString()!);
        }

        if (!shape.Contains(0))
        {
            int elements = shape.Aggregate(1, (product, size) => checked(product * size));
            int values = column.Type.ValueCount();
            if (values % elements != 0)
            {
                throw new InvalidOperationException(
                    $"Input shape mismatch: Input '{input.Name}' has shape {string.Join(",", shape)}, but input data is of length {values}.");
            }
        }
    }

    private Delegate GetterOf(ScoredRow row, int output)
    {
        string name = _parent.Outputs[output];
        int place = row.PlaceOf(name);
        return _parent.OutputTypes[output] switch
        {
            VectorDataViewType { ItemType: TextDataViewType } => TextGetter(row, place),
            VectorDataViewType vector => GenericCall.Static<Delegate>(typeof(OnnxRowMapper), nameof(NumberGetter), [vector.ItemType.RawType], row, place),
            _ => throw new NotSupportedException($"Output '{name}' of the ONNX model is a tensor of rank 0; only higher ranks can be read"),
        };
    }

    private static ValueGetter<VBuffer<T>> NumberGetter<T>(ScoredRow row, int place) => (ref VBuffer<T> value) =>
    {
        DenseTensor<T> tensor = row.Output<T>(place);
        VBufferEditor<T> editor = VBufferEditor.Create(ref value, (int)tensor.Length);
        tensor.Buffer.Span.CopyTo(editor.Values);
        value = editor.Commit();
    };

    private static ValueGetter<VBuffer<ReadOnlyMemory<char>>> TextGetter(ScoredRow row, int place) => (ref VBuffer<ReadOnlyMemory<char>> value) =>
    {
        DenseTensor<string> tensor = row.Output<string>(place);
        VBufferEditor<ReadOnlyMemory<char>> editor = VBufferEditor.Create(ref value, (int)tensor.Length);
        for (int i = 0; i < tensor.Length; i++)
        {
            editor.Values[i] = tensor.GetValue(i).AsMemory();
        }

        value = editor.Commit();
    };

    private DataViewSchema.Annotations SlotNames(string column)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        if (_parent.Model.Graph.KeyStrings.TryGetValue($"mlnet.{column}.SlotNames", out string[]? names))
        {
            ReadOnlyMemory<char>[] slots = Array.ConvertAll(names, name => name.AsMemory());
            annotations.Add(
                AnnotationKinds.SlotNames,
                new VectorDataViewType(TextDataViewType.Instance, slots.Length),
                (ref VBuffer<ReadOnlyMemory<char>> value) => VBuffer<ReadOnlyMemory<char>>.Copy(slots, 0, ref value, slots.Length));
        }

        return annotations.ToAnnotations();
    }

    /// <summary>The row that a cursor is at, run at most once; its outputs are the next row's when that is run.</summary>
    private sealed class ScoredRow(OnnxRowMapper mapper, DataViewRow input, string[] outputs)
    {
        private readonly Func<NamedOnnxValue>[] _inputs = [.. mapper._columns.Select((column, i) => InputReader.Make(input, column, mapper._shapes[i]))];
        private readonly List<NamedOnnxValue> _values = [];
        private IDisposableReadOnlyCollection<DisposableNamedOnnxValue>? _results;
        private long _position = -1;

        public int PlaceOf(string output) => Array.IndexOf(outputs, output);

        public DenseTensor<T> Output<T>(int place)
        {
            if (_position != input.Position || _results is null)
            {
                _values.Clear();
                foreach (Func<NamedOnnxValue> read in _inputs)
                {
                    _values.Add(read());
                }

                _results?.Dispose();
                _results = null;
                _results = mapper._parent.Model.Run(_values, outputs);
                _position = input.Position;
            }

            return _results[place].AsTensor<T>() as DenseTensor<T> ?? throw new InvalidOperationException(
                $"Output column {_results[place].Name} doesn't contain a DenseTensor of expected type {typeof(T)}");
        }
    }
}
