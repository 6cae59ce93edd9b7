using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>
/// Input columns and those of a <see cref="RowMapper"/>: one that hides another comes right after it, the others come last.
/// </summary>
internal sealed class MappedRows : IRowToRowMapper
{
    private readonly RowMapper _mapper;

    // For every column the index of the input column it is, or the complement of that of the mapper's.
    private readonly int[] _origins;

    public MappedRows(RowMapper mapper)
    {
        _mapper = mapper;
        _origins = Origins(mapper);
        var builder = new DataViewSchema.Builder();
        foreach (int origin in _origins)
        {
            if (origin >= 0)
            {
                DataViewSchema.Column column = mapper.InputSchema[origin];
                builder.AddColumn(column.Name, column.Type, column.Annotations);
            }
            else
            {
                builder.AddColumns([mapper.OutputColumns[~origin]]);
            }
        }

        OutputSchema = builder.ToSchema();
    }

    public DataViewSchema InputSchema => _mapper.InputSchema;

    public DataViewSchema OutputSchema { get; }

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        bool[] active = ActiveColumns.Of(OutputSchema, dependingColumns);
        var needed = new bool[InputSchema.Count];
        for (int i = 0; i < active.Length; i++)
        {
            if (active[i])
            {
                foreach (int input in _origins[i] >= 0 ? [_origins[i]] : _mapper.GetDependencies(~_origins[i]))
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

    private static int[] Origins(RowMapper mapper)
    {
        var origins = Enumerable.Range(0, mapper.InputSchema.Count).ToList();
        string NameOf(int origin) => origin >= 0 ? mapper.InputSchema[origin].Name : mapper.OutputColumns[~origin].Name;
        for (int i = 0; i < mapper.OutputColumns.Length; i++)
        {
            int hidden = origins.FindLastIndex(origin => NameOf(origin) == mapper.OutputColumns[i].Name);
            origins.Insert(hidden >= 0 ? hidden + 1 : origins.Count, ~i);
        }

        return [.. origins];
    }

    private Delegate?[] Getters(DataViewRow input, bool[] active) => _mapper.MakeGetters(input, output => active[Array.IndexOf(_origins, ~output)]);

    private ValueGetter<TValue> Getter<TValue>(DataViewRow input, bool[] active, Delegate?[] getters, DataViewSchema.Column column)
    {
        if (!ActiveColumns.Contains(active, column))
        {
            throw Contracts.Inactive(column);
        }

        int origin = _origins[column.Index];
        return origin >= 0
            ? input.GetGetter<TValue>(InputSchema[origin])
            : getters[~origin] as ValueGetter<TValue> ?? throw Contracts.WrongGetter(column, typeof(TValue));
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
