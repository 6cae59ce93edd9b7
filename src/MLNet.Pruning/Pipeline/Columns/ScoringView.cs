using MLNet.Pruning.Data;

namespace MLNet.Pruning.Pipeline.Columns;

/// <summary>The input's rows with a step's columns, computed a batch at a time and only when one of them is requested.</summary>
internal sealed class ScoringView : IDataView
{
    private readonly IScoringStep _transformer;
    private readonly IDataView _input;
    private readonly ImmutableArray<DataViewSchema.Column> _inputs;

    public ScoringView(IScoringStep transformer, IDataView input)
    {
        (_transformer, _input) = (transformer, input);
        Schema = transformer.GetOutputSchema(input.Schema);
        _inputs = transformer.Bind(input.Schema);
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => _input.CanShuffle;

    public long? GetRowCount() => _input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = new bool[Schema.Count];
        foreach (var column in columnsNeeded)
        {
            active[column.Index] = true;
        }

        var passed = _input.Schema.Where(column => active[column.Index]).ToArray();
        if (!active.Skip(_input.Schema.Count).Contains(true))
        {
            return new PassingCursor(Schema, _input.GetRowCursor(passed, rand), active);
        }

        var cursor = _input.GetRowCursor([.. passed, .. _inputs.Where(column => !active[column.Index])], rand);
        try
        {
            return new ScoringCursor(_transformer, Schema, cursor, _inputs, passed, active);
        }
        catch
        {
            cursor.Dispose();
            throw;
        }
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];

    /// <summary>The input's rows under the wider schema, where no score is requested.</summary>
    private sealed class PassingCursor(DataViewSchema schema, DataViewRowCursor input, bool[] active) : DataViewRowCursor
    {
        public override DataViewSchema Schema => schema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override bool MoveNext() => input.MoveNext();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => IsColumnActive(column)
            ? input.GetGetter<TValue>(input.Schema[column.Index]) : throw ScoreGetters.Inactive(column);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                input.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
