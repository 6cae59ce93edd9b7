using Microsoft.ML.Calibrators;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

[assembly: LoadableClass(typeof(Microsoft.ML.Data.BinaryPredictionTransformer), Microsoft.ML.Data.BinaryPredictionTransformer.LoaderSignature)]

namespace Microsoft.ML.Data;

public sealed class BinaryPredictionTransformer<TModel> : SingleFeaturePredictionTransformerBase<TModel>
    where TModel : class
{
    internal BinaryPredictionTransformer(IHostEnvironment env, TModel model, DataViewSchema trainSchema, string featureColumn)
        : base(env.Register("BinaryPredictionTransformer"), model, trainSchema, featureColumn)
    {
    }

    internal BinaryPredictionTransformer(IHostEnvironment env, TModel model, ModelLoadContext ctx)
        : base(env.Register("BinaryPredictionTransformer"), model, ctx)
    {
    }

    private protected override string Signature => BinaryPredictionTransformer.LoaderSignature;

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) => new BinaryPredictionTransformer.Mapper(
        schema, (IScorer<float>)(object)Model, (Model as CalibratedModelParametersBase)?.Calibrator, FeatureColumnName);
}

internal static class BinaryPredictionTransformer
{
    internal const string LoaderSignature = "BinaryPredXfer";

    private static object Create(IHostEnvironment env, ModelLoadContext ctx) =>
        PredictionTransformerLoader.Create(typeof(BinaryPredictionTransformer<>), env, ctx);

    internal sealed class Mapper(DataViewSchema schema, IScorer<float> scorer, ICalibrator? calibrator, string featureColumn)
        : ScoreMapper<float>(schema, scorer, featureColumn)
    {
        protected override DataViewSchema.DetachedColumn[] MakeOutputColumns()
        {
            uint setId = ScoreAnnotations.NextSetId(InputSchema);
            List<DataViewSchema.DetachedColumn> columns =
            [
                Column(DefaultColumnNames.PredictedLabel, BooleanDataViewType.Instance),
                Column(DefaultColumnNames.Score, NumberDataViewType.Single),
            ];
            if (calibrator is not null)
            {
                columns.Add(Column(DefaultColumnNames.Probability, NumberDataViewType.Single));
            }

            return [.. columns];

            DataViewSchema.DetachedColumn Column(string name, PrimitiveDataViewType type)
            {
                var annotations = ScoreAnnotations.Builder(setId, ScoreAnnotations.Binary, valueKind: name);
                if (name == DefaultColumnNames.Probability)
                {
                    annotations.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
                }

                return new(name, type, annotations.ToAnnotations());
            }
        }

        protected override Delegate MakeGetter(RowScore score, int output) => output switch
        {
            0 => (ValueGetter<bool>)((ref bool value) => value = score.Current > 0),
            1 => (ValueGetter<float>)((ref float value) => value = score.Current),
            _ => (ValueGetter<float>)((ref float value) => value = calibrator!.PredictProbability(score.Current)),
        };
    }
}
