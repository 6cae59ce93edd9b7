namespace MLNet.Pruning.Data;

/// <summary>
/// Schema shapes from outside ML.NET, where their columns have no public constructor: a chain hands
/// <c>SchemaShape.Create(input.Schema)</c> to its first estimator, which here keeps it.
/// </summary>
internal static class SchemaShapes
{
    /// <summary>The input's shape with the columns of a network of that task.</summary>
    /// <param name="input">Shape of the input.</param>
    /// <param name="task">The task.</param>
    /// <param name="keyItemType">Type of the label's key values, where it has some.</param>
    public static SchemaShape WithScores(SchemaShape input, LearningTask task, DataViewType? keyItemType)
    {
        var keys = keyItemType is PrimitiveDataViewType type ? LabelKeys.Placeholder(type) : null;
        return With(input, ScoreColumns.Describe(task, 2, keys, state: null, input: null));
    }

    /// <summary>The input's shape with other columns in it.</summary>
    public static SchemaShape With(SchemaShape input, IEnumerable<DataViewSchema.DetachedColumn> columns)
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(columns);
        var capture = new Capture();
        new EstimatorChain<ITransformer>().Append(capture).Fit(new SchemaOnlyView(schema.ToSchema()));
        var added = capture.Shape!.ToArray();
        return new(input.Where(column => added.All(other => other.Name != column.Name)).Concat(added));
    }

    /// <summary>The columns that a network's own scores show: its task and the type of its key values.</summary>
    public static (LearningTask Task, DataViewType? KeyItemType) Scored(SchemaShape shape)
    {
        var score = shape.First(column => column.Name == ScoreColumns.Score);
        return score.Kind == SchemaShape.Column.VectorKind.Vector
            ? (LearningTask.Multiclass, score.Annotations.FirstOrDefault(annotation => annotation.Name == "TrainingLabelValues").ItemType)
            : (shape.Any(column => column.Name == ScoreColumns.Probability) ? LearningTask.Binary : LearningTask.Regression, null);
    }

    private sealed class Capture : IEstimator<ITransformer>
    {
        public SchemaShape? Shape { get; private set; }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => Shape = inputSchema;

        public ITransformer Fit(IDataView input) => new Identity();
    }

    private sealed class Identity : ITransformer
    {
        public bool IsRowToRowMapper => false;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inputSchema;

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotSupportedException();

        public IDataView Transform(IDataView input) => input;

        public void Save(ModelSaveContext ctx) => throw new NotSupportedException();
    }
}
