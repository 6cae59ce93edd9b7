using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

public sealed class CustomMappingEstimator<TSrc, TDst> : TrivialEstimator<CustomMappingTransformer<TSrc, TDst>>
    where TSrc : class, new()
    where TDst : class, new()
{
    internal CustomMappingEstimator(
        IHostEnvironment env, Action<TSrc, TDst> mapAction, string? contractName, SchemaDefinition? inputSchema, SchemaDefinition? outputSchema)
        : base(
            env.Register(nameof(CustomMappingEstimator<TSrc, TDst>)),
            new CustomMappingTransformer<TSrc, TDst>(mapAction, contractName, inputSchema, outputSchema))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        foreach (var expected in SchemaShape.Create(Transformer.Input.ToSchema()))
        {
            var found = inputSchema.Require(expected.Name);
            bool sameKind = expected.Kind switch
            {
                // A member without a size takes vectors of any.
                SchemaShape.Column.VectorKind.VariableVector => found.Kind != SchemaShape.Column.VectorKind.Scalar,
                _ => found.Kind == expected.Kind,
            };
            if (!sameKind || !found.ItemType.Equals(expected.ItemType) || found.IsKey != expected.IsKey)
            {
                throw Contracts.SchemaMismatch(nameof(inputSchema), "input", expected.Name, expected.GetTypeString(), found.GetTypeString());
            }
        }

        return inputSchema.With(SchemaShape.Create(Transformer.Added.ToSchema()));
    }
}

public sealed class CustomMappingTransformer<TSrc, TDst> : ITransformer
    where TSrc : class, new()
    where TDst : class, new()
{
    private readonly Action<TSrc, TDst> _map;
    private readonly string? _contractName;
    private readonly SchemaDefinition? _inputDefinition;

    internal CustomMappingTransformer(
        Action<TSrc, TDst> mapAction, string? contractName, SchemaDefinition? inputDefinition = null, SchemaDefinition? outputDefinition = null)
    {
        ArgumentNullException.ThrowIfNull(mapAction);
        _map = mapAction;
        _contractName = contractName;
        _inputDefinition = inputDefinition;
        Input = InternalSchemaDefinition.Create(typeof(TSrc), SchemaDefinition.Direction.Write, inputDefinition);
        Added = InternalSchemaDefinition.Create(typeof(TDst), SchemaDefinition.Direction.Read, outputDefinition);
    }

    bool ITransformer.IsRowToRowMapper => true;

    internal InternalSchemaDefinition Input { get; }

    internal InternalSchemaDefinition Added { get; }

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => MapRows(inputSchema).OutputSchema;

    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new MappedDataView(input, MapRows(input.Schema));
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => MapRows(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        if (_contractName is null)
        {
            throw new InvalidOperationException("Empty contract name for a transform: the transform cannot be saved");
        }

        ctx.SetSignature(CustomMappingLoader.LoaderSignature);
        ctx.Writer.Write(_contractName);
        ctx.Writer.Write(_map.Method.DeclaringType!.Assembly.FullName!);
    }

    private MappedRows MapRows(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return new MappedRows(new Mapper(this, inputSchema));
    }

    private sealed class Mapper : RowMapper
    {
        private readonly CustomMappingTransformer<TSrc, TDst> _parent;
        private readonly TypedReader<TSrc> _reader;

        public Mapper(CustomMappingTransformer<TSrc, TDst> parent, DataViewSchema schema)
            : base(schema)
        {
            _parent = parent;
            _reader = new TypedReader<TSrc>(schema, ignoreMissingColumns: false, parent._inputDefinition);
        }

        public override IEnumerable<int> GetDependencies(int output) => _reader.Sources.Select(source => source.Index);

        public override Delegate?[] MakeGetters(DataViewRow input, Func<int, bool> isActive)
        {
            var columns = _parent.Added.Columns;
            var getters = new Delegate?[columns.Length];
            CurrentRow? current = null;
            for (int i = 0; i < columns.Length; i++)
            {
                if (isActive(i))
                {
                    current ??= new CurrentRow(_parent._map, _reader, input);
                    getters[i] = Refreshing(current, columns[i]);
                }
            }

            return getters;
        }

        protected override DataViewSchema.DetachedColumn[] MakeOutputColumns() =>
            [.. _parent.Added.Columns.Select(column => new DataViewSchema.DetachedColumn(column.Name, column.Type, column.Annotations))];

        protected override Delegate MakeGetter(DataViewRow input, int output) =>
            Refreshing(new CurrentRow(_parent._map, _reader, input), _parent.Added.Columns[output]);

        private Delegate Refreshing(CurrentRow current, InternalSchemaDefinition.Column column) => GenericCall.Instance<Delegate>(
            this, nameof(RefreshingTyped), [column.Type.RawType], current, RowMembers<TDst>.Getter(column, current.Output));

        private ValueGetter<T> RefreshingTyped<T>(CurrentRow current, ValueGetter<T> getter) => (ref T value) =>
        {
            current.Refresh();
            getter(ref value);
        };
    }

    /// <summary>The row that a cursor is at, mapped at most once.</summary>
    private sealed class CurrentRow
    {
        private readonly Action<TSrc, TDst> _map;
        private readonly DataViewRow _input;
        private readonly Action<TSrc> _fill;
        private readonly TSrc _source = new();
        private long _position = long.MinValue;

        public CurrentRow(Action<TSrc, TDst> map, TypedReader<TSrc> reader, DataViewRow input)
        {
            _map = map;
            _input = input;
            _fill = reader.Bind(input);
            Output.Row = new TDst();
        }

        public RowHolder<TDst> Output { get; } = new();

        public void Refresh()
        {
            if (_position != _input.Position)
            {
                _fill(_source);
                _map(_source, Output.Row!);
                _position = _input.Position;
            }
        }
    }
}
