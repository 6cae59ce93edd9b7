using MLNet.Pruning.Compression.Trees;
using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Data;
using MLNet.Pruning.Pipeline.Steps;
using MLNet.Pruning.Pipeline.Steps.PruneTrees;

namespace MLNet.Pruning;

/// <summary>Prunes the trees of a trainer that it fits, of a model that is fitted, or of the PruneTrees step before it.</summary>
public sealed class PruneTreesEstimator : IEstimator<PrunedTreesTransformer>
{
    private const string HostName = "MLNet.Pruning.PruneTrees";

    /// <summary>Scores of a model and of the trees read from it may differ by rounding only.</summary>
    private const double ScoreTolerance = 1e-4;

    private readonly IHostEnvironment _environment;
    private readonly TreePruningOptions _options;
    private readonly IEstimator<ISingleFeaturePredictionTransformer<object>>? _trainer;
    private readonly (ITransformer Step, TreesState State)? _model;
    private readonly int _seed;

    internal PruneTreesEstimator(IHostEnvironment environment, TreePruningOptions options,
        IEstimator<ISingleFeaturePredictionTransformer<object>>? trainer = null, ITransformer? model = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_environment, _options, _trainer) = (environment, options, trainer);
        _model = model is null ? null : FastTreeReader.Read(model);
        _seed = options.Seed ?? environment.Register(HostName).Rand.Next();
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">No trainer or model was given, and no PruneTrees step comes before this one.</exception>
    /// <exception cref="ArgumentException">The trainer's model has no trees, or the metric does not fit them.</exception>
    /// <exception cref="MetricException">The validation rows do not define the metric.</exception>
    /// <exception cref="NotSupportedException">
    /// The model scores otherwise than by the sum of its trees, such as one with values of its own for missing features.
    /// </exception>
    /// <exception cref="TreePruningException">The ensemble has one tree only, nothing is left to prune, or the amount is out of reach.</exception>
    /// <exception cref="TrainingDataException">Rows are missing, to train or to choose on, or cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public PrunedTreesTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var channel = _environment.Register(HostName).Start("PruneTrees");
        var (training, validation) = TreeTrainingRows.Split(input, _options, _seed);
        var (step, state) = _model ?? (_trainer is null ? (null, Require(input.Schema)) : FastTreeReader.Read(_trainer.Fit(training)));
        var trainingRows = TreeTrainingRows.Read(training, state, _options);
        var validationRows = TreeTrainingRows.Read(validation, state, _options);
        if (step is not null and not PrunedTreesTransformer)
        {
            CheckScores(step, state, validation, validationRows);
        }

        var (pruned, report) = TreePruner.Run(state.Ensemble, trainingRows, validationRows, _options);
        channel.Info(MessageSensitivity.None, "{0}", report.ToString());
        return new(state with { Ensemble = pruned }, input.Schema, report with { Settings = StepSettings.Of(_options, _seed) });
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        if (_model is { State.Ensemble: { } ensemble })
        {
            return With(ensemble.Task, ensemble.Calibration is not null);
        }

        var scored = _trainer?.GetOutputSchema(inputSchema) ?? inputSchema;
        if (_trainer is null && scored.FirstOrDefault(column => column.Name == ScoreColumns.Score).Annotations?.Any(annotation =>
            annotation.Name == TreesAnnotation.Name) != true)
        {
            throw Missing();
        }

        return With(scored.Any(column => column.Name == ScoreColumns.PredictedLabel) ? LearningTask.Binary : LearningTask.Regression,
            scored.Any(column => column.Name == ScoreColumns.Probability));

        SchemaShape With(LearningTask task, bool isCalibrated)
        {
            TreePruner.MetricOf(_options.Metric, task);
            return SchemaShapes.With(inputSchema, TreeColumns.Describe(task, isCalibrated, state: null, input: null));
        }
    }

    private static TreesState Require(DataViewSchema schema) => TreesAnnotation.Find(schema) ?? throw Missing();

    private static InvalidOperationException Missing()
        => new("PruneTrees without a trainer or model prunes the trees of the PruneTrees step before it in the chain, but the 'Score' column carries none: "
        + "give it one, such as ml.Transforms.PruneTrees(ml.BinaryClassification.Trainers.FastTree(), ...).");

    /// <summary>What is pruned is what the model scores with: a file of an old version may hold values for missing features that no member tells.</summary>
    private static void CheckScores(ITransformer step, TreesState state, IDataView view, TreeRows rows)
    {
        var own = rows.Score(state.Ensemble);
        var row = 0;
        foreach (var score in step.Transform(view).GetColumn<float>(ScoreColumns.Score))
        {
            rows.CancellationToken.ThrowIfCancellationRequested();
            if (!(Math.Abs(score - own[row]) <= ScoreTolerance * Math.Max(1, Math.Abs(own[row]))))
            {
                throw new NotSupportedException($"The model cannot be pruned: it scores validation row {row} with {score}, but the sum of its trees is "
                    + $"{own[row]}. "
                    + "It may hold values for missing features, which ML.NET does not tell; train it anew.");
            }

            row++;
        }
    }
}
