using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML;

public abstract partial class TrainCatalogBase
{
    /// <summary>Trains on all folds but one, fold by fold, and evaluates the rows held out.</summary>
    private protected IReadOnlyList<CrossValidationResult<TMetrics>> CrossValidateFolds<TMetrics>(
        IDataView data,
        IEstimator<ITransformer> estimator,
        int numberOfFolds,
        string? samplingKeyColumnName,
        int? seed,
        Func<IDataView, TMetrics> evaluate)
        where TMetrics : class
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(estimator);
        Contracts.CheckParam(numberOfFolds > 1, "numFolds", "Must be more than 1");
        var results = new List<CrossValidationResult<TMetrics>>();
        foreach (var split in DataOperationsCatalog.CrossValidationSplit(Environment, data, numberOfFolds, samplingKeyColumnName, seed))
        {
            var model = estimator.Fit(split.TrainSet);
            var scored = Score(model, split.TestSet);
            results.Add(new CrossValidationResult<TMetrics>(model, evaluate(scored), scored, results.Count));
        }

        return results;
    }

    // Evaluation needs what a chain does for training and testing only, such as mapping labels.
    private static IDataView Score(ITransformer model, IDataView data)
    {
        var type = model.GetType();
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(TransformerChain<>)
            ? GenericCall.Static<IDataView>(typeof(TrainCatalogBase), nameof(ScoreChain), type.GetGenericArguments(), model, data)
            : model.Transform(data);
    }

    private static IDataView ScoreChain<TLast>(TransformerChain<TLast> model, IDataView data)
        where TLast : class, ITransformer => model.Transform(data, TransformerScope.Everything);
}
