using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Core;

/// <summary>
/// A step as an extension package writes one, with public members alone: it adds one to a column, remembers which views
/// it was fitted on, and saves itself as a copy of the column by a transformer of the package.
/// </summary>
internal sealed class ShiftingEstimator(MLContext ml, string output, string input, Action<IDataView>? onFit = null) : IEstimator<ShiftingTransformer>
{
    public ShiftingTransformer Fit(IDataView view)
    {
        onFit?.Invoke(view);
        return new ShiftingTransformer(ml, output, input);
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema) =>
        ml.Transforms.CopyColumns(output, input).GetOutputSchema(inputSchema);
}

internal sealed class ShiftingTransformer(MLContext ml, string output, string input) : ITransformer, IDisposable
{
    public bool IsRowToRowMapper => true;

    public bool IsDisposed { get; private set; }

    public int Computed { get; private set; }

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inputSchema);
        builder.AddColumn(output, NumberDataViewType.Single);
        return builder.ToSchema();
    }

    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new Mapper(this, inputSchema);

    public IDataView Transform(IDataView view) => new View(view, new Mapper(this, view.Schema));

    public void Save(ModelSaveContext ctx) => ((ICanSaveModel)ml.Transforms.CopyColumns(output, input)
        .Append(ml.Transforms.CopyColumns("Twice", output)).Fit(ml.Data.LoadFromEnumerable(Digit.Some(1)))).Save(ctx);

    public void Dispose() => IsDisposed = true;

    private sealed class Mapper(ShiftingTransformer parent, DataViewSchema inputSchema) : IRowToRowMapper
    {
        public DataViewSchema InputSchema => inputSchema;

        public DataViewSchema OutputSchema { get; } = parent.GetOutputSchema(inputSchema);

        public DataViewSchema.Column Source => inputSchema[parent.Input];

        public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
            dependingColumns.Select(column => column.Index < inputSchema.Count ? inputSchema[column.Index] : Source).DistinctBy(column => column.Index);

        public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns) =>
            new Row(this, input, [.. activeColumns.Select(column => column.Index)]);

        public ValueGetter<TValue> Getter<TValue>(DataViewRow row, DataViewSchema.Column column)
        {
            if (column.Index < inputSchema.Count)
            {
                return row.GetGetter<TValue>(inputSchema[column.Index]);
            }

            ValueGetter<float> source = row.GetGetter<float>(Source);
            return (ValueGetter<TValue>)(Delegate)(ValueGetter<float>)((ref float value) =>
            {
                parent.Computed++;
                source(ref value);
                value++;
            });
        }
    }

    private string Input => input;

    private sealed class Row(Mapper mapper, DataViewRow input, HashSet<int> active) : DataViewRow
    {
        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override DataViewSchema Schema => mapper.OutputSchema;

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => mapper.Getter<TValue>(input, column);
    }

    private sealed class View(IDataView input, Mapper mapper) : IDataView
    {
        public bool CanShuffle => input.CanShuffle;

        public DataViewSchema Schema => mapper.OutputSchema;

        public long? GetRowCount() => input.GetRowCount();

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        {
            DataViewSchema.Column[] columns = [.. columnsNeeded];
            return new Cursor(mapper, input.GetRowCursor(mapper.GetDependencies(columns), rand), [.. columns.Select(column => column.Index)]);
        }

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
            [GetRowCursor(columnsNeeded, rand)];
    }

    private sealed class Cursor(Mapper mapper, DataViewRowCursor input, HashSet<int> active) : DataViewRowCursor
    {
        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override DataViewSchema Schema => mapper.OutputSchema;

        public override bool MoveNext() => input.MoveNext();

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => mapper.Getter<TValue>(input, column);

        protected override void Dispose(bool disposing) => input.Dispose();
    }
}
