using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

[assembly: LoadableClass(typeof(Microsoft.ML.Data.MulticlassPredictionTransformer), Microsoft.ML.Data.MulticlassPredictionTransformer.LoaderSignature)]

namespace Microsoft.ML.Data;

public sealed class MulticlassPredictionTransformer<TModel> : SingleFeaturePredictionTransformerBase<TModel>
    where TModel : class
{
    private readonly ulong _classCount;
    private readonly KeyValues? _labels;

    internal MulticlassPredictionTransformer(IHostEnvironment env, TModel model, DataViewSchema trainSchema, string featureColumn, string labelColumn)
        : base(env.Register("MulticlassPredictionTransformer"), model, trainSchema, featureColumn)
    {
        var label = trainSchema[labelColumn];
        _classCount = label.Type.KeyCount();
        _labels = KeyValues.Of(label);
    }

    internal MulticlassPredictionTransformer(IHostEnvironment env, TModel model, ModelLoadContext ctx)
        : base(env.Register("MulticlassPredictionTransformer"), model, ctx)
    {
        _classCount = ctx.Reader.ReadUInt64();
        _labels = ctx.Reader.ReadBoolean() ? KeyValues.Read(ctx.Reader) : null;
    }

    private protected override string Signature => MulticlassPredictionTransformer.LoaderSignature;

    private protected override RowMapper MakeRowMapper(DataViewSchema schema) =>
        new MulticlassPredictionTransformer.Mapper(schema, (IScorer<VBuffer<float>>)(object)Model, FeatureColumnName, _classCount, _labels);

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        base.SaveModel(ctx);
        ctx.Writer.Write(_classCount);
        ctx.Writer.Write(_labels is not null);
        _labels?.Write(ctx.Writer);
    }
}

internal static class MulticlassPredictionTransformer
{
    internal const string LoaderSignature = "MulticlassPredXfer";

    private static object Create(IHostEnvironment env, ModelLoadContext ctx) =>
        PredictionTransformerLoader.Create(typeof(MulticlassPredictionTransformer<>), env, ctx);

    internal sealed class Mapper(DataViewSchema schema, IScorer<VBuffer<float>> scorer, string featureColumn, ulong classCount, KeyValues? labels)
        : ScoreMapper<VBuffer<float>>(schema, scorer, featureColumn)
    {
        protected override DataViewSchema.DetachedColumn[] MakeOutputColumns()
        {
            uint setId = ScoreAnnotations.NextSetId(InputSchema);
            var predicted = ScoreAnnotations.Builder(setId, ScoreAnnotations.Multiclass, DefaultColumnNames.PredictedLabel);
            labels?.AddTo(predicted, AnnotationKinds.KeyValues);
            var score = ScoreAnnotations.Builder(setId, ScoreAnnotations.Multiclass, DefaultColumnNames.Score);
            if (labels?.Type.ItemType is TextDataViewType)
            {
                labels.AddTo(score, AnnotationKinds.SlotNames);
            }

            labels?.AddTo(score, AnnotationKinds.TrainingLabelValues);
            return
            [
                new(DefaultColumnNames.PredictedLabel, new KeyDataViewType(typeof(uint), classCount), predicted.ToAnnotations()),
                new(DefaultColumnNames.Score, new VectorDataViewType(NumberDataViewType.Single, (int)classCount), score.ToAnnotations()),
            ];
        }

        protected override Delegate MakeGetter(RowScore score, int output) => output == 0
            ? (ValueGetter<uint>)((ref uint value) => value = ArgMax(score.Current.GetValues()) + 1)
            : (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => score.Current.CopyTo(ref value));

        private static uint ArgMax(ReadOnlySpan<float> scores)
        {
            int best = 0;
            for (int i = 1; i < scores.Length; i++)
            {
                if (scores[i] > scores[best])
                {
                    best = i;
                }
            }

            return (uint)best;
        }
    }
}
