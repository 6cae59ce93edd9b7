using Microsoft.ML.Data;

namespace Microsoft.ML.Trainers;

/// <summary>A model that scores one vector of features. Rows may be scored on several threads at once.</summary>
internal interface IScorer<TScore>
{
    int FeatureCount { get; }

    void Score(in VBuffer<float> features, ref TScore score);
}
