using MLNet.Pruning;
using MLNet.Pruning.Pipeline.Steps;

namespace Microsoft.ML;

/// <summary>Pruning without training in the catalog of transforms.</summary>
public static class OneShotCatalog
{
    /// <summary>
    /// Prunes the network of the step before without training it: forward passes, gradients and least squares over some thousand rows alone. Several ways are
    /// tried, and the network is handed on that is best on the validation rows; <see cref="PruningReport.Candidates"/> has what each gave.
    /// </summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="amount">How much is gone in the end; of structures also a share of the parameters or multiply-adds.</param>
    /// <param name="effort">How much is tried; by default <see cref="OneShotEffort.Fast"/>.</param>
    /// <param name="granularity">What is pruned as one; by default <see cref="Granularity.Weight"/>.</param>
    /// <param name="scope">Which weights, and compared among what; by default <see cref="Scope.Network"/>.</param>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.LoadNetwork("model.onnx").Append(ml.Transforms.PruneOneShot(Amount.Fraction(0.9), OneShotEffort.Thorough));
    /// var report = pipeline.Fit(data).LastTransformer.GetReport&lt;PruningReport&gt;();
    /// foreach (var candidate in report.Candidates)
    /// {
    ///     Console.WriteLine(candidate);
    /// }
    /// </code>
    /// </example>
    public static PruneOneShotEstimator PruneOneShot(this TransformsCatalog catalog, Amount amount, OneShotEffort effort = OneShotEffort.Fast,
        Granularity? granularity = null, Scope? scope = null) => catalog.PruneOneShot(new OneShotOptions
        {
            Amount = Setting.Present(amount, nameof(amount)), Effort = effort, Granularity = granularity ?? Granularity.Weight, Scope = scope ?? Scope.Network,
        });

    /// <inheritdoc cref="PruneOneShot(TransformsCatalog, Amount, OneShotEffort, Granularity, Scope)"/>
    /// <param name="catalog">The transforms.</param>
    /// <param name="sparsity">Share of the weights or structures in scope that are gone afterwards, in [0, 1).</param>
    /// <param name="effort">How much is tried; by default <see cref="OneShotEffort.Fast"/>.</param>
    /// <param name="granularity">What is pruned as one; by default <see cref="Granularity.Weight"/>.</param>
    /// <param name="scope">Which weights, and compared among what; by default <see cref="Scope.Network"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The sparsity lies outside [0, 1).</exception>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.LoadNetwork("model.onnx").Append(ml.Transforms.PruneOneShot(0.9));
    /// </code>
    /// </example>
    public static PruneOneShotEstimator PruneOneShot(this TransformsCatalog catalog, double sparsity, OneShotEffort effort = OneShotEffort.Fast,
        Granularity? granularity = null, Scope? scope = null) => catalog.PruneOneShot(Amount.Fraction(Setting.Share(sparsity, nameof(sparsity))), effort,
        granularity, scope);

    /// <inheritdoc cref="PruneOneShot(TransformsCatalog, Amount, OneShotEffort, Granularity, Scope)"/>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">What is taken away, and what is tried.</param>
    /// <example>
    /// <code>
    /// // Half of the filters, chosen by what is held back of some hundred rows.
    /// var pruning = ml.Transforms.PruneOneShot(new OneShotOptions { Granularity = Granularity.Filter, Scope = Scope.Layer, Rows = 512 });
    /// </code>
    /// </example>
    public static PruneOneShotEstimator PruneOneShot(this TransformsCatalog catalog, OneShotOptions options)
        => new(CatalogEnvironment.Of(catalog), options);
}
