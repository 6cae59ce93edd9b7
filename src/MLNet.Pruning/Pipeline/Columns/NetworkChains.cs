namespace MLNet.Pruning.Pipeline.Columns;

/// <summary>What fitted models are made of.</summary>
internal static class NetworkChains
{
    /// <summary>The steps of a model in the order they run, those of nested chains among them.</summary>
    public static IEnumerable<ITransformer> Flatten(ITransformer model)
        => model is IEnumerable<ITransformer> chain ? chain.SelectMany(Flatten) : [model];

    /// <summary>The last network of a model; null for none.</summary>
    public static NeuralNetworkTransformer? Last(ITransformer model) => Flatten(model).OfType<NeuralNetworkTransformer>().LastOrDefault();
}
