using Microsoft.Extensions.ObjectPool;
using Microsoft.ML;

namespace PrunedApi;

/// <summary>A prediction engine belongs to one thread at a time: requests take one from a pool and put it back.</summary>
public class EnginePolicy(MLContext ml, ITransformer model) : PooledObjectPolicy<PredictionEngine<Row, Prediction>>
{
    public override PredictionEngine<Row, Prediction> Create() => ml.Model.CreatePredictionEngine<Row, Prediction>(model);

    public override bool Return(PredictionEngine<Row, Prediction> engine) => true;
}
