using MLNet.Pruning;
using MLNet.Pruning.Pipeline.Steps;

namespace Microsoft.ML;

/// <summary>Factorising networks in the catalog of transforms.</summary>
public static class FactorizationCatalog
{
    /// <summary>
    /// Takes layers of the network of the step before apart into several smaller ones, and hands on the smaller network, which is fine-tuned, pruned and
    /// quantised like any other.
    /// </summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="factorizer">Into which layers; by default <see cref="Factorizer.DataAwareSvd"/>, measured on the rows that the chain is fit on.</param>
    /// <param name="rank">How small; by default <see cref="Rank.Energy"/> of 0.99.</param>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.LoadNetwork("model.onnx")
    ///     .Append(ml.Transforms.Factorize(Factorizer.Tucker2 + Factorizer.DataAwareSvd, Rank.Energy(0.95)))
    ///     .Append(ml.Transforms.FineTune(epochs: 5));
    /// </code>
    /// </example>
    public static FactorizeEstimator Factorize(this TransformsCatalog catalog, Factorizer? factorizer = null, Rank? rank = null)
        => new(CatalogEnvironment.Of(catalog), new() { Factorizer = factorizer ?? Factorizer.DataAwareSvd, Rank = rank ?? Rank.Energy(0.99) });

    /// <inheritdoc cref="Factorize(TransformsCatalog, Factorizer, Rank)"/>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">How.</param>
    /// <example>
    /// <code>
    /// var factorizing = ml.Transforms.Factorize(new FactorizationOptions
    /// {
    ///     Factorizer = Factorizer.DataAwareSvd,
    ///     Rank = Rank.Energy(0.99).For("fc1", 48),
    ///     Scope = Scope.Network.Except("fc3"),
    ///     CalibrationRows = 1024,
    /// });
    /// </code>
    /// </example>
    public static FactorizeEstimator Factorize(this TransformsCatalog catalog, FactorizationOptions options) => new(CatalogEnvironment.Of(catalog), options);
}
