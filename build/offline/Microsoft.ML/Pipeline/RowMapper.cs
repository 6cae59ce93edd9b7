namespace Microsoft.ML.Data;

/*
How a transform is written

A transformer that computes columns from the columns of the same row derives from RowToRowTransformerBase, or from
OneToOneTransformerBase where every output column is made of one input column (ColumnPairs holds the names).

  - Columns: MakeRowMapper(schema) checks the input schema (throw Contracts.MissingColumn / SchemaMismatch) and gives a
    RowMapper bound to it. Its MakeOutputColumns says what is added: name, type, annotations. An output named like an
    input column hides that one and comes right after it; the others come last, in order.
  - Getters: MakeGetter(input, output) gives the ValueGetter<T> of one output over a row, where T is the raw type of the
    column. Fetch the getters of the input row once, outside the lambda, and keep buffers in captured variables: a getter
    belongs to one cursor, is called once or more a row, and must not allocate per row. Several outputs computed together
    (a custom mapping): override MakeGetters and cache by input.Position.
  - Dependencies: GetDependencies(output) lists the indices of the input columns that an output needs.
  - Save: SaveModel(ctx) calls ctx.SetSignature(LoaderSignature) first, then writes to ctx.Writer; nested transformers go
    through ctx.SaveModel(transformer, "Name").
  - Load: [assembly: LoadableClass(typeof(X), X.LoaderSignature)] and in X a non-public
    static X Create(IHostEnvironment env, ModelLoadContext ctx), which reads from ctx.Reader in the same order.
    OneToOneTransformerBase saves and loads ColumnPairs (SaveColumns, and its constructor over a ModelLoadContext).

Estimators that learn nothing derive from TrivialEstimator<T>; SchemaShape.With(columns) makes the output shape.
*/

/// <summary>The columns that a transformer adds to rows of one input schema, and how they are computed.</summary>
internal abstract class RowMapper
{
    private DataViewSchema.DetachedColumn[]? _outputColumns;

    protected RowMapper(DataViewSchema inputSchema) => InputSchema = inputSchema;

    public DataViewSchema InputSchema { get; }

    public DataViewSchema.DetachedColumn[] OutputColumns => _outputColumns ??= MakeOutputColumns();

    /// <summary>The indices of the input columns that an output column is computed from.</summary>
    public abstract IEnumerable<int> GetDependencies(int output);

    /// <summary>The getters of the active output columns, null for the others.</summary>
    public virtual Delegate?[] MakeGetters(DataViewRow input, Func<int, bool> isActive)
    {
        var getters = new Delegate?[OutputColumns.Length];
        for (int i = 0; i < getters.Length; i++)
        {
            getters[i] = isActive(i) ? MakeGetter(input, i) : null;
        }

        return getters;
    }

    protected abstract DataViewSchema.DetachedColumn[] MakeOutputColumns();

    protected abstract Delegate MakeGetter(DataViewRow input, int output);
}
