using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Pipeline.Columns;

/// <summary>
/// Reads a batch of rows ahead and scores it in one go. The columns passed through are buffered beside it: a second cursor over the
/// input would compute everything before the network twice, and see other rows where the input is not repeatable.
/// </summary>
internal sealed class ScoringCursor : DataViewRowCursor, IOutputs
{
    private readonly DataViewRowCursor _input;
    private readonly bool[] _active;
    private readonly IScoringStep _transformer;
    private readonly int _ownColumns;
    private readonly IBatchScorer _scorer;
    private readonly IRowReader _reader;
    private readonly ValueGetter<DataViewRowId> _readId;
    private readonly DataViewRowId[] _ids;
    private readonly Dictionary<int, ColumnBuffer> _passed;
    private long _read;
    private int _count;
    private int _current;
    private long _position = -1;
    private bool _ended;

    public ScoringCursor(IScoringStep transformer, DataViewSchema schema, DataViewRowCursor input,
        ImmutableArray<DataViewSchema.Column> inputs, DataViewSchema.Column[] passed, bool[] active)
    {
        (Schema, _input, _active, _transformer) = (schema, input, active, transformer);
        _ownColumns = input.Schema.Count;
        _reader = transformer.CreateReader(input, inputs);
        _readId = input.GetIdGetter();
        var batch = BatchSizes.Of(transformer.RowSize);
        _ids = new DataViewRowId[batch];
        _passed = passed.ToDictionary(column => column.Index, column => ColumnBuffer.Create(input, column, batch));
        _scorer = transformer.CreateScorer(batch);
    }

    public override DataViewSchema Schema { get; }

    public override long Position => _position;

    public override long Batch => 0;

    ReadOnlySpan<float> IOutputs.Current => _scorer.Scores(Current());

    public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = _ids[Current()];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
        {
            throw ScoreGetters.Inactive(column);
        }

        var getter = column.Index < _ownColumns ? _passed[column.Index].Getter(Current) : _transformer.CreateGetter(column.Index - _ownColumns, this);
        return ScoreGetters.Typed<TValue>(getter, column);
    }

    public override bool MoveNext()
    {
        if (_ended)
        {
            return false;
        }

        if (++_current >= _count)
        {
            Fill();
        }

        if (_count == 0)
        {
            _position = -1;
            Dispose();
            return false;
        }

        _position++;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_ended)
        {
            _ended = true;
            _input.Dispose();
            _scorer.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Fill()
    {
        (_count, _current) = (0, 0);
        while (_count < _ids.Length && _input.MoveNext())
        {
            if (_reader.Read(_scorer.Rows.AsSpan(_count * _scorer.Width, _scorer.Width), _read++) is { } problem)
            {
                throw problem;
            }

            _readId(ref _ids[_count]);
            foreach (var column in _passed.Values)
            {
                column.Read(_count);
            }

            _count++;
        }

        if (_count > 0)
        {
            _scorer.Run(_count);
        }
    }

    private int Current() => _position >= 0 ? _current : throw new InvalidOperationException("The cursor is not at a row: call MoveNext first.");
}
