using MLNet.Pruning.Compression.Trees;
using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Compression.Trees.Scoring;
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
        _model = model is null ? null : TreeReader.Read(model);
        _seed = options.Seed ?? environment.Register(HostName).Rand.Next();
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">No trainer or model was given, and no PruneTrees step comes before this one.</exception>
    /// <exception cref="ArgumentException">The trainer's model has no trees, or the metric does not fit them.</exception>
    /// <exception cref="MetricException">The validation rows do not define the metric.</exception>
    /// <exception cref="NotSupportedException">
    /// The model scores otherwise than by the sum of its trees.
    /// </exception>
    /// <exception cref="TreePruningException">The ensemble has one tree only, nothing is left to prune, or the amount is out of reach.</exception>
    /// <exception cref="TrainingDataException">Rows are missing, to train or to choose on, or cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public PrunedTreesTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var channel = _environment.Register(HostName).Start("PruneTrees");
        var (training, validation) = TreeTrainingRows.Split(input, _options, _seed);
        var (step, state) = _model ?? (_trainer is null ? (null, Require(input.Schema)) : TreeReader.Read(_trainer.Fit(training)));
        if (step is not null and not PrunedTreesTransformer && state.Trees.Task.HasOutputPerClass)
        {
            state = state with { Keys = LabelKeys.Of(step.GetOutputSchema(input.Schema)[ScoreColumns.PredictedLabel]) };
        }

        var trainingRows = TreeTrainingRows.Read(training, state, _options);
        var validationRows = TreeTrainingRows.Read(validation, state, _options);
        if (step is not null and not PrunedTreesTransformer)
        {
            CheckScores(step, state, validation, validationRows);
        }

        var (pruned, report) = TreePruner.Run(state.Trees, trainingRows, validationRows, _options);
        channel.Info(MessageSensitivity.None, "{0}", report.ToString());
        return new(state with { Trees = pruned }, input.Schema, report with { Settings = StepSettings.Of(_options, _seed) });
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        if (_model is { State.Trees: var trees })
        {
            return With(trees.Task, trees.HasProbability);
        }

        var scored = _trainer?.GetOutputSchema(inputSchema) ?? inputSchema;
        if (_trainer is null && scored.FirstOrDefault(column => column.Name == ScoreColumns.Score).Annotations?.Any(annotation =>
            annotation.Name == TreesAnnotation.Name) != true)
        {
            throw Missing();
        }

        var predicted = scored.FirstOrDefault(column => column.Name == ScoreColumns.PredictedLabel);
        return With(predicted.Name is null ? LearningTask.Regression : predicted.IsKey ? LearningTask.Multiclass : LearningTask.Binary,
            scored.Any(column => column.Name == ScoreColumns.Probability));

        SchemaShape With(LearningTask task, bool hasProbability)
        {
            TreePruner.MetricOf(_options.Metric, task);
            var keys = inputSchema.FirstOrDefault(column => column.Name == _options.LabelColumnName).Annotations?
                .FirstOrDefault(annotation => annotation.Name == "KeyValues").ItemType as PrimitiveDataViewType;
            return SchemaShapes.With(inputSchema, TreeColumns.Describe(task, hasProbability, keys is null ? null : LabelKeys.Placeholder(keys)));
        }
    }

    private static TreesState Require(DataViewSchema schema) => TreesAnnotation.Find(schema) ?? throw Missing();

    private static InvalidOperationException Missing()
        => new("PruneTrees without a trainer or model prunes the trees of the PruneTrees step before it in the chain, but the 'Score' column carries none: "
        + "give it one, such as ml.Transforms.PruneTrees(ml.BinaryClassification.Trainers.FastTree(), ...).");

    /// <summary>What is pruned is what the model scores with.</summary>
    private static void CheckScores(ITransformer step, TreesState state, IDataView view, TreeRows rows)
    {
        using var scorer = new TreeScorer(PackedTrees.Of(state.Trees), batch: 1);
        var row = 0;
        foreach (var scores in Scores(step.Transform(view), state.Trees))
        {
            rows.CancellationToken.ThrowIfCancellationRequested();
            rows[row].CopyTo(scorer.Rows);
            scorer.Run(1);
            for (var i = 0; i < scores.Length; i++)
            {
                var own = scorer.Scores(0)[i];
                if (!(Math.Abs(scores[i] - own) <= ScoreTolerance * Math.Max(1, Math.Abs(own))))
                {
                    throw new NotSupportedException($"The model cannot be pruned: it scores validation row {row} with {scores[i]}, but the sum of its trees is "
                        + $"{own}. It does more with them than is known.");
                }
            }

            row++;
        }
    }

    private static IEnumerable<float[]> Scores(IDataView scored, TreeModel trees)
        => trees.Task.HasOutputPerClass ? scored.GetColumn<float[]>(ScoreColumns.Score)
            : scored.GetColumn<float>(ScoreColumns.Score).Select(score => (float[])[score]);
}
