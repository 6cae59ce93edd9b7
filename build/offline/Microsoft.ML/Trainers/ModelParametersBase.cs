using Microsoft.ML.Data;

namespace Microsoft.ML.Trainers;

public abstract class ModelParametersBase<TOutput> : ICanSaveModel, IScorer<TOutput>
{
    private protected ModelParametersBase()
    {
    }

    int IScorer<TOutput>.FeatureCount => ScoredFeatureCount;

    private protected abstract int ScoredFeatureCount { get; }

    void ICanSaveModel.Save(ModelSaveContext ctx) => SaveParameters(ctx);

    void IScorer<TOutput>.Score(in VBuffer<float> features, ref TOutput score) => ScoreRow(in features, ref score);

    private protected abstract void ScoreRow(in VBuffer<float> features, ref TOutput score);

    private protected abstract void SaveParameters(ModelSaveContext ctx);
}
