using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Compression.Trees.Scoring;
using MLNet.Pruning.Data;
using MLNet.Pruning.Files;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Pipeline.Columns;
using MLNet.Pruning.Pipeline.Steps.PruneTrees;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning;

/// <summary>
/// Scores rows with an ensemble of trees that was pruned, and hands it on to later steps of the chain in the annotations of its Score
/// column. Appends the columns of the model that was pruned: <c>PredictedLabel</c> and <c>Score</c> for classification, with <c>Probability</c> where a
/// binary one had it; <c>Score</c> for regression.
/// </summary>
public sealed class PrunedTreesTransformer : IScoringStep, ISingleFeaturePredictionTransformer<object>
{
    // Once a model, whichever thread scores first.
    private readonly Lazy<PackedTrees> _packed;

    internal PrunedTreesTransformer(TreesState state, DataViewSchema inputSchema, TreePruningReport report)
        => (State, InputSchema, Report, _packed) = (state, inputSchema, report, new(() => PackedTrees.Of(state.Trees)));

    /// <summary>What its trees hold.</summary>
    public TreeCost Cost => Trees.Cost;

    /// <summary>What its pruning did.</summary>
    public TreePruningReport Report { get; }

    /// <summary>What its score means.</summary>
    public LearningTask Task => Trees.Task;

    /// <summary>The column it reads.</summary>
    public string FeatureColumnName => State.FeatureColumn;

    /// <summary>True: every row is scored by itself.</summary>
    public bool IsRowToRowMapper => true;

    internal TreesState State { get; }

    internal TreeModel Trees => State.Trees;

    internal DataViewSchema InputSchema { get; }

    DataViewSchema IScoringStep.InputSchema => InputSchema;

    DataViewType ISingleFeaturePredictionTransformer<object>.FeatureColumnType => InputSchema[FeatureColumnName].Type;

    object IPredictionTransformer<object>.Model => Trees;

    int IScoringStep.RowSize => Trees.Width;

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        FeatureReader.Bind(inputSchema, State);
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(inputSchema);
        schema.AddColumns(TreeColumns.Describe(State, inputSchema));
        return schema.ToSchema();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The feature column is missing or of another type or size.</exception>
    public IDataView Transform(IDataView input) => new ScoringView(this, Setting.Present(input, nameof(input)));

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new ScoringMapper(this, Setting.Present(inputSchema, nameof(inputSchema)));

    /// <summary>
    /// Writes the trees as an ONNX model: input <c>features</c> of rows x features, outputs <c>score</c> and, where there is one,
    /// <c>probability</c>, of rows x 1; of several classes <c>score</c> of rows x classes.
    /// </summary>
    /// <param name="path">The file; one that exists is replaced when the new one is whole.</param>
    /// <exception cref="IOException">The file cannot be written. Nothing has changed.</exception>
    public void SaveOnnx(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OnnxFile.Write(TreeOnnx.Model(Trees), path);
    }

    /// <summary>Writes the same ONNX model where a stream is, which stays open. It need not be one that can seek.</summary>
    /// <param name="stream">The stream.</param>
    /// <exception cref="ArgumentException">The stream cannot be written.</exception>
    public void SaveOnnx(Stream stream) => OnnxFile.Write(TreeOnnx.Model(Trees), OpenStream.Writable(stream));

    /// <summary>
    /// Writes transformers of ML.NET's own that compute the same columns from the trees as an ONNX model. The file loads wherever ML.NET
    /// and its ONNX transformer are; what it loads scores, but cannot be pruned further: <c>ml.Compression().Save</c> keeps that.
    /// </summary>
    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        using var chain = new TreeOnnxChain(State);
        ((ICanSaveModel)chain.Transformer).Save(ctx);
    }

    ImmutableArray<DataViewSchema.Column> IScoringStep.Bind(DataViewSchema schema) => FeatureReader.Bind(schema, State);

    IRowReader IScoringStep.CreateReader(DataViewRow row, ImmutableArray<DataViewSchema.Column> columns) => new FeatureReader(row, columns[0], Trees);

    IBatchScorer IScoringStep.CreateScorer(int batch) => new TreeScorer(_packed.Value, batch);

    Delegate IScoringStep.CreateGetter(int column, IOutputs outputs)
        => Task.HasOutputPerClass ? ScoreGetters.Create(Task, column, outputs)
            : ScoreGetters.Scalar(Task, column, outputs, score => Trees.Ensembles[0].Calibration!.Probability(score));
}
