using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

[assembly: LoadableClass(typeof(Microsoft.ML.Data.RegressionPredictionTransformer), Microsoft.ML.Data.RegressionPredictionTransformer.LoaderSignature)]

namespace Microsoft.ML.Data;

public sealed class RegressionPredictionTransformer<TModel> : SingleFeaturePredictionTransformerBase<TModel>
    where TModel : class
{
    internal RegressionPredictionTransformer(IHostEnvironment env, TModel model, DataViewSchema trainSchema, string featureColumn)
        : base(env.Register("RegressionPredictionTransformer"), model, trainSchema, featureColumn)
    {
    }

    internal RegressionPredictionTransformer(IHostEnvironment env, TModel model, ModelLoadContext ctx)
        : base(env.Register("RegressionPredictionTransformer"), model, ctx)
    {
    }

    private protected override string Signature => RegressionPredictionTransformer.LoaderSignature;

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) =>
        new RegressionPredictionTransformer.Mapper(schema, (IScorer<float>)(object)Model, FeatureColumnName);
}

internal static class RegressionPredictionTransformer
{
    internal const string LoaderSignature = "RegressionPredXfer";

    private static object Create(IHostEnvironment env, ModelLoadContext ctx) =>
        PredictionTransformerLoader.Create(typeof(RegressionPredictionTransformer<>), env, ctx);

    internal sealed class Mapper(DataViewSchema schema, IScorer<float> scorer, string featureColumn) : ScoreMapper<float>(schema, scorer, featureColumn)
    {
        protected override DataViewSchema.DetachedColumn[] MakeOutputColumns()
        {
            var annotations = ScoreAnnotations.Builder(ScoreAnnotations.NextSetId(InputSchema), ScoreAnnotations.Regression, DefaultColumnNames.Score);
            return [new(DefaultColumnNames.Score, NumberDataViewType.Single, annotations.ToAnnotations())];
        }

        protected override Delegate MakeGetter(RowScore score, int output) => (ValueGetter<float>)((ref float value) => value = score.Current);
    }
}
