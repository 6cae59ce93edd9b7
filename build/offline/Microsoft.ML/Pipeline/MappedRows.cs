using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Input columns followed by those of a <see cref="RowMapper"/>.</summary>
internal sealed class MappedRows : IRowToRowMapper
{
    private readonly RowMapper _mapper;

    public MappedRows(RowMapper mapper)
    {
        _mapper = mapper;
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(mapper.InputSchema);
        builder.AddColumns(mapper.OutputColumns);
        OutputSchema = builder.ToSchema();
    }

    public DataViewSchema InputSchema => _mapper.InputSchema;

    public DataViewSchema OutputSchema { get; }

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        bool[] active = ActiveColumns.Of(OutputSchema, dependingColumns);
        var needed = new bool[InputSchema.Count];
        active.AsSpan(0, needed.Length).CopyTo(needed);
        for (int i = needed.Length; i < active.Length; i++)
        {
            if (active[i])
            {
                foreach (int input in _mapper.GetDependencies(i - needed.Length))
                {
                    needed[input] = true;
                }
            }
        }

        return InputSchema.Where(column => needed[column.Index]);
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        Contracts.CheckParam(input.Schema == InputSchema, nameof(input), "The schema of the row is not the one that the mapper was made for");
        bool[] active = ActiveColumns.Of(OutputSchema, activeColumns);
        return new Row(this, input, active, Getters(input, active));
    }

    public DataViewRowCursor GetCursor(DataViewRowCursor input, bool[] active) => new Cursor(this, input, active, Getters(input, active));

    private Delegate?[] Getters(DataViewRow input, bool[] active) => _mapper.MakeGetters(input, output => active[InputSchema.Count + output]);

    private ValueGetter<TValue> Getter<TValue>(DataViewRow input, bool[] active, Delegate?[] getters, DataViewSchema.Column column)
    {
        if (!ActiveColumns.Contains(active, column))
        {
            throw Contracts.Inactive(column);
        }

        int own = column.Index - InputSchema.Count;
        return own < 0
            ? input.GetGetter<TValue>(InputSchema[column.Index])
            : getters[own] as ValueGetter<TValue> ?? throw Contracts.WrongGetter(column, typeof(TValue));
    }

    private sealed class Row(MappedRows rows, DataViewRow input, bool[] active, Delegate?[] getters) : DataViewRow
    {
        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override DataViewSchema Schema => rows.OutputSchema;

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => ActiveColumns.Contains(active, column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => rows.Getter<TValue>(input, active, getters, column);

        protected override void Dispose(bool disposing) => input.Dispose();
    }

    private sealed class Cursor(MappedRows rows, DataViewRowCursor input, bool[] active, Delegate?[] getters) : DataViewRowCursor
    {
        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override DataViewSchema Schema => rows.OutputSchema;

        public override bool MoveNext() => input.MoveNext();

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => ActiveColumns.Contains(active, column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => rows.Getter<TValue>(input, active, getters, column);

        protected override void Dispose(bool disposing) => input.Dispose();
    }
}
