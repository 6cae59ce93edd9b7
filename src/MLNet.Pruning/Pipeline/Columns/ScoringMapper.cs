using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Pipeline.Columns;

/// <summary>Scores single rows, as a PredictionEngine asks for them.</summary>
internal sealed class ScoringMapper : IRowToRowMapper
{
    private readonly IScoringStep _transformer;
    private readonly ImmutableArray<DataViewSchema.Column> _inputs;

    public ScoringMapper(IScoringStep transformer, DataViewSchema inputSchema)
    {
        (_transformer, InputSchema) = (transformer, inputSchema);
        OutputSchema = transformer.GetOutputSchema(inputSchema);
        _inputs = transformer.Bind(inputSchema);
    }

    public DataViewSchema InputSchema { get; }

    public DataViewSchema OutputSchema { get; }

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        var needed = dependingColumns.SelectMany(column => column.Index < InputSchema.Count ? [column.Index] : _inputs.Select(input => input.Index))
            .ToHashSet();
        return InputSchema.Where(column => needed.Contains(column.Index));
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Schema != InputSchema)
        {
            throw new ArgumentException("The row has another schema than the one this mapper was made for.", nameof(input));
        }

        return new Row(this, input, [.. activeColumns.Select(column => column.Index)]);
    }

    private sealed class Row(ScoringMapper mapper, DataViewRow input, HashSet<int> active) : DataViewRow, IOutputs
    {
        private IBatchScorer? _scorer;
        private IRowReader? _reader;
        private long _scored = -1;
        private bool _disposed;

        public override DataViewSchema Schema => mapper.OutputSchema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

        /// <summary>Scores once a position: PredictionEngine moves it on with every prediction.</summary>
        ReadOnlySpan<float> IOutputs.Current
        {
            get
            {
                if (_scored != input.Position || _scored < 0)
                {
                    ObjectDisposedException.ThrowIf(_disposed, this);
                    _scorer ??= mapper._transformer.CreateScorer(batch: 1);
                    if (_reader!.Read(_scorer.Rows, input.Position) is { } problem)
                    {
                        throw problem;
                    }

                    _scorer.Run(1);
                    _scored = input.Position;
                }

                return _scorer!.Scores(0);
            }
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
            {
                throw ScoreGetters.Inactive(column);
            }

            if (column.Index < input.Schema.Count)
            {
                return input.GetGetter<TValue>(input.Schema[column.Index]);
            }

            _reader ??= mapper._transformer.CreateReader(input, mapper._inputs);
            return ScoreGetters.Typed<TValue>(mapper._transformer.CreateGetter(column.Index - input.Schema.Count, this), column);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing && !_disposed)
            {
                _disposed = true;
                _scorer?.Dispose();
                input.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
