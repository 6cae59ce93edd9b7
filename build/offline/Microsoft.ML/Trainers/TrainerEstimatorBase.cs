using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

public abstract class TrainerEstimatorBase<TTransformer, TModel> : ITrainerEstimator<TTransformer, TModel>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
{
    public readonly SchemaShape.Column FeatureColumn;

    public readonly SchemaShape.Column LabelColumn;

    public readonly SchemaShape.Column WeightColumn;

    private protected readonly IHost Host;

    private protected TrainerEstimatorBase(
        IHost host, SchemaShape.Column feature, SchemaShape.Column label, SchemaShape.Column weight = default)
    {
        ArgumentNullException.ThrowIfNull(host);
        Host = host;
        FeatureColumn = feature;
        LabelColumn = label;
        WeightColumn = weight;
    }

    public abstract TrainerInfo Info { get; }

    public TTransformer Fit(IDataView input) => TrainTransformer(input, initial: null);

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        CheckInputSchema(inputSchema);
        return inputSchema.With(GetOutputColumns(inputSchema));
    }

    private protected abstract SchemaShape.Column[] GetOutputColumns(SchemaShape inputSchema);

    private protected abstract TModel TrainModel(IDataView data, TModel? initial);

    private protected abstract TTransformer MakeTransformer(TModel model, DataViewSchema trainSchema);

    private protected TTransformer TrainTransformer(IDataView data, TModel? initial)
    {
        ArgumentNullException.ThrowIfNull(data);
        CheckInputSchema(SchemaShape.Create(data.Schema));
        return MakeTransformer(TrainModel(data, initial), data.Schema);
    }

    private protected TrainingSet ReadTrainingSet(IDataView data, IChannel channel) =>
        TrainingSet.Read(data, FeatureColumn.Name, LabelColumn.Name, WeightColumn.Name, channel);

    private void CheckInputSchema(SchemaShape inputSchema)
    {
        CheckColumn(inputSchema, "feature", FeatureColumn);
        if (WeightColumn.Name is not null)
        {
            CheckColumn(inputSchema, "weight", WeightColumn);
        }

        CheckColumn(inputSchema, "label", LabelColumn);
    }

    private static void CheckColumn(SchemaShape inputSchema, string role, SchemaShape.Column expected)
    {
        if (!inputSchema.TryFindColumn(expected.Name, out var found))
        {
            throw Contracts.MissingColumn(nameof(inputSchema), role, expected.Name, inputSchema.Select(column => column.Name));
        }

        if (!expected.IsCompatibleWith(found))
        {
            throw Contracts.SchemaMismatch(nameof(inputSchema), role, expected.Name, expected.GetTypeString(), found.GetTypeString());
        }
    }
}

/// <summary>Trainers that could tell groups of rows apart; those covered do not.</summary>
public abstract class TrainerEstimatorBaseWithGroupId<TTransformer, TModel> : TrainerEstimatorBase<TTransformer, TModel>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
{
    private protected TrainerEstimatorBaseWithGroupId(
        IHost host, SchemaShape.Column feature, SchemaShape.Column label, SchemaShape.Column weight = default)
        : base(host, feature, label, weight)
    {
    }
}
