using Microsoft.ML;

namespace MLNet.Pruning;

/// <summary>Measuring and reporting on networks: <c>ml.Compression()</c>.</summary>
public sealed class CompressionCatalog
{
    internal CompressionCatalog()
    {
    }

    /// <summary>Counts the parameters, non-zeros, multiply-adds and bytes of the last network in a fitted model.</summary>
    /// <param name="model">A fitted step or chain.</param>
    /// <exception cref="ArgumentException">The model has no neural network.</exception>
    public NetworkCost Measure(ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Measure((Find(model) ?? throw new ArgumentException($"The model ({model.GetType().Name}) has no neural network in it.", nameof(model))).Network);
    }

    /// <summary>Counts the parameters, non-zeros, multiply-adds and bytes of a network.</summary>
    /// <param name="network">The network, with values.</param>
    /// <exception cref="InvalidOperationException">A parameter has no values yet.</exception>
    public NetworkCost Measure(Network network) => NetworkCost.Of(network);

    private static NeuralNetworkTransformer? Find(ITransformer model) => model switch
    {
        NeuralNetworkTransformer network => network,
        IEnumerable<ITransformer> chain => chain.Reverse().Select(Find).FirstOrDefault(network => network is not null),
        _ => null,
    };
}
