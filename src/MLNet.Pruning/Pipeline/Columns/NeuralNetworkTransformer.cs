using MLNet.Pruning.Data;
using MLNet.Pruning.Pipeline.Columns;
using MLNet.Pruning.Pipeline.Onnx;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Runtimes;
using MLNet.Pruning.Training;

namespace MLNet.Pruning;

/// <summary>
/// Scores rows with a network, and hands the network on to later steps of the chain in the annotations of its Score column. Appends
/// <c>PredictedLabel</c> and <c>Score</c> for classes, <c>PredictedLabel</c>, <c>Score</c> and <c>Probability</c> for binary classification,
/// <c>Score</c> for regression. Where it reads one column, ML.NET's <c>PermutationFeatureImportance</c> takes it as it takes ML.NET's own.
/// </summary>
public sealed class NeuralNetworkTransformer : IScoringStep, ISingleFeaturePredictionTransformer<Network>
{
    private readonly ScoredNetwork _scored;
    private readonly Lazy<NetworkState> _state;
    private readonly Lazy<StepReport?> _report;

    internal NeuralNetworkTransformer(NetworkState state, DataViewSchema inputSchema, StepReport? report)
        : this(state, new(state), inputSchema, new(report), null)
    {
    }

    /// <param name="scored">What scoring needs.</param>
    /// <param name="state">The same network and what later steps need.</param>
    /// <param name="inputSchema">Schema of the rows it was fitted on.</param>
    /// <param name="report">What the step did.</param>
    /// <param name="plan">How it scores; null where nothing was chosen.</param>
    internal NeuralNetworkTransformer(ScoredNetwork scored, Lazy<NetworkState> state, DataViewSchema inputSchema, Lazy<StepReport?> report, ScoringPlan? plan)
        => (_scored, _state, InputSchema, _report, Plan) = (scored, state, inputSchema, report, plan ?? ScoringPlan.Undecided(scored.Network));

    /// <summary>The network.</summary>
    public Network Network => _scored.Network;

    /// <summary>What its outputs mean.</summary>
    public LearningTask Task => _scored.Task;

    /// <summary>Which weights later steps of the chain hold at zero, by the name of their parameter.</summary>
    /// <exception cref="ModelFileException">They are read from a file when they are first asked for, and the file does not hold what is expected.</exception>
    public ImmutableDictionary<string, WeightMask> Masks => State.Masks;

    /// <summary>
    /// What the step that made this transformer did: a <see cref="TrainingReport"/> of trainers, <c>FineTune</c> and <c>Distill</c>, a
    /// <see cref="PruningReport"/> of <c>Prune</c>, an <see cref="AutoPruneReport"/> of <c>AutoPrune</c>, a <see cref="QuantizationReport"/> of
    /// <c>Quantize</c>, a <see cref="FactorizationReport"/> of <c>Factorize</c>; null of <c>LoadNetwork</c>, which only brings a network in.
    /// Earlier steps of a chain keep theirs:
    /// <c>chain.OfType&lt;NeuralNetworkTransformer&gt;()</c>.
    /// </summary>
    /// <exception cref="ModelFileException">It is read from a file when it is first asked for, and the file does not hold what is expected.</exception>
    public StepReport? Report => _report.Value;

    /// <summary>What computes the scores, and what it was chosen from where runtimes were timed.</summary>
    public RuntimeReport Runtime => Plan.Report;

    /// <summary>
    /// The same transformer with its scores computed by another runtime. <see cref="ScoringRuntime.Auto"/> times the candidates now, which takes from a tenth
    /// of a second to some seconds for large networks, and keeps the fastest; two runs of it may choose differently and scores then differ in their last
    /// digits. All others compute the same bits every time.
    /// </summary>
    /// <param name="runtime">What computes the scores.</param>
    /// <exception cref="ArgumentOutOfRangeException">The runtime is none of the enumeration.</exception>
    /// <exception cref="NotSupportedException">The runtime does not run the network; the message says why.</exception>
    /// <example>
    /// <code>
    /// var pruned = ml.Transforms.LoadNetwork("model.onnx").Append(ml.Transforms.Prune(0.9)).Fit(data).LastTransformer;
    /// var fast = pruned.WithRuntime(ScoringRuntime.Auto);
    /// Console.WriteLine(fast.Runtime);
    /// </code>
    /// </example>
    public NeuralNetworkTransformer WithRuntime(ScoringRuntime runtime)
        => With(ScoringPlan.Of(Network, Setting.Defined(runtime, nameof(runtime))));

    /// <summary>True: every row is scored by itself.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>The report as one of its kinds.</summary>
    /// <typeparam name="T">The kind.</typeparam>
    /// <exception cref="InvalidOperationException">The step has another report, which the message names, or none.</exception>
    /// <example>
    /// <code>
    /// var pruned = ml.Transforms.LoadNetwork("model.onnx").Append(ml.Transforms.Prune(0.9)).Fit(data).LastTransformer;
    /// Console.WriteLine(pruned.GetReport&lt;PruningReport&gt;().Decision("fc1.weight[3,17]"));
    /// </code>
    /// </example>
    public T GetReport<T>() where T : StepReport => Report as T ?? throw new InvalidOperationException($"There is no {typeof(T).Name} here: the step has "
        + $"{(Report is { } other ? $"a {other.GetType().Name}" : "none, as it only loaded a network")}. Each step of a chain has its own: "
        + "chain.OfType<NeuralNetworkTransformer>().");

    /// <inheritdoc/>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Bind(inputSchema);
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(inputSchema);
        schema.AddColumns(ScoreColumns.Describe(Task, Network.Output.RowSize, _scored.Keys, () => State, inputSchema));
        return schema.ToSchema();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">A column that the network reads is missing or of another type or size.</exception>
    public IDataView Transform(IDataView input) => new ScoringView(this, Setting.Present(input, nameof(input)));

    /// <inheritdoc/>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new ScoringMapper(this, Setting.Present(inputSchema, nameof(inputSchema)));

    /// <summary>
    /// Writes transformers of ML.NET's own that compute the same columns from the network as an ONNX model. The file loads wherever
    /// ML.NET and its ONNX transformer are; what it loads scores, but cannot be pruned or trained further: <c>ml.Compression().Save</c>
    /// keeps all that.
    /// </summary>
    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        using var chain = new NetworkOnnxChain(State);
        ((ICanSaveModel)chain.Transformer).Save(ctx);
    }

    /// <summary>The network and all that a later step needs.</summary>
    /// <exception cref="ModelFileException">The file that it is read from does not hold what is expected.</exception>
    internal NetworkState State => _state.Value;

    /// <summary>The same with the fastest runtime, where another one may be the fastest than that of all networks, and it was not timed yet.</summary>
    internal NeuralNetworkTransformer Timed()
        => Runtime is { Requested: ScoringRuntime.Auto, Machine: null } && ScoringPlan.Fastest(Network) is { Report.Machine: not null } plan
            ? With(plan) : this;

    /// <summary>How it scores.</summary>
    internal ScoringPlan Plan { get; }

    /// <summary>Schema of the rows it was fitted on.</summary>
    internal DataViewSchema InputSchema { get; }

    DataViewSchema IScoringStep.InputSchema => InputSchema;

    string ISingleFeaturePredictionTransformer<Network>.FeatureColumnName => Feature.Name;

    DataViewType ISingleFeaturePredictionTransformer<Network>.FeatureColumnType => Feature.Type;

    Network IPredictionTransformer<Network>.Model => Network;

    /// <summary>The one column it reads, where it reads but one.</summary>
    private InputColumn Feature => _scored.Inputs.Columns is [var only] ? only
        : throw new NotSupportedException($"The network reads several columns ({string.Join(", ", _scored.Inputs.Columns.Select(column => column.Name))}); "
            + "expected a network with one input.");

    int IScoringStep.RowSize => Network.RowSize;

    /// <summary>The columns the network reads.</summary>
    internal ImmutableArray<DataViewSchema.Column> Bind(DataViewSchema schema) => _scored.Inputs.Bind(schema, Network);

    ImmutableArray<DataViewSchema.Column> IScoringStep.Bind(DataViewSchema schema) => Bind(schema);

    IRowReader IScoringStep.CreateReader(DataViewRow row, ImmutableArray<DataViewSchema.Column> columns)
        => new InputReader(row, columns, Network, _scored.Inputs);

    IBatchScorer IScoringStep.CreateScorer(int batch)
        => MissingValueScorer.Of(Plan.Create(softmax: Task.HasOutputPerClass, batch), Plan.Network);

    Delegate IScoringStep.CreateGetter(int column, IOutputs outputs) => ScoreGetters.Create(Task, column, outputs);

    /// <summary>The same with another report.</summary>
    internal NeuralNetworkTransformer With(StepReport report) => new(_scored, _state, InputSchema, new(report), Plan);

    private NeuralNetworkTransformer With(ScoringPlan plan) => new(_scored, _state, InputSchema, _report, plan);
}
