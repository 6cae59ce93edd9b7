using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Estimators fitted one after the other, each on what the ones before it make of the data.</summary>
public sealed class EstimatorChain<TLastTransformer> : IEstimator<TransformerChain<TLastTransformer>>
    where TLastTransformer : class, ITransformer
{
    public readonly IEstimator<TLastTransformer> LastEstimator = null!;

    private readonly EstimatorLink[] _links;

    public EstimatorChain() => _links = [];

    internal EstimatorChain(EstimatorLink[] links)
    {
        _links = links;
        LastEstimator = (IEstimator<TLastTransformer>)links[^1].Estimator;
    }

    public TransformerChain<TLastTransformer> Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);

        // A mistake at the end of the chain shows before the first step trains.
        GetOutputSchema(SchemaShape.Create(input.Schema));
        var transformers = new ITransformer[_links.Length];
        IDataView current = input;
        for (int i = 0; i < transformers.Length; i++)
        {
            transformers[i] = _links[i].Estimator.Fit(current);
            current = transformers[i].Transform(current);
            if (_links[i].CachesAfter && i < transformers.Length - 1)
            {
                current = new CacheDataView(current, prefetch: []);
            }
        }

        return new TransformerChain<TLastTransformer>(transformers, _links.Select(link => link.Scope));
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema) =>
        _links.Aggregate(inputSchema, (shape, link) => link.Estimator.GetOutputSchema(shape));

    public EstimatorChain<TNewTrans> Append<TNewTrans>(
        IEstimator<TNewTrans> estimator, TransformerScope scope = TransformerScope.Everything)
        where TNewTrans : class, ITransformer
    {
        ArgumentNullException.ThrowIfNull(estimator);
        return new EstimatorChain<TNewTrans>([.. _links, new EstimatorLink(estimator, scope, CachesAfter: false)]);
    }

    public EstimatorChain<TLastTransformer> AppendCacheCheckpoint(IHostEnvironment env)
    {
        ArgumentNullException.ThrowIfNull(env);
        return _links.Length == 0
            ? throw new InvalidOperationException("Current estimator chain has no estimator, can't append cache checkpoint.")
            : new EstimatorChain<TLastTransformer>([.. _links[..^1], _links[^1] with { CachesAfter = true }]);
    }
}

/// <summary>One step of an estimator chain.</summary>
internal sealed record EstimatorLink(IEstimator<ITransformer> Estimator, TransformerScope Scope, bool CachesAfter);
