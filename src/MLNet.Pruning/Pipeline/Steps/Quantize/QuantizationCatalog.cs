using MLNet.Pruning;
using MLNet.Pruning.Pipeline.Steps;

namespace Microsoft.ML;

/// <summary>Quantising networks in the catalog of transforms.</summary>
public static class QuantizationCatalog
{
    /// <summary>
    /// Rounds the network of the step before to integers, or to shorter floats, and hands on the quantised network, which ONNX Runtime scores. Comes last in a
    /// chain that prunes and fine-tunes: integers are not trained.
    /// </summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="quantizer">To what; by default <see cref="Quantizer.Int8"/>, with ranges from the rows that the chain is fit on.</param>
    /// <param name="rounding">Which of the integers around it a weight becomes; by default <see cref="WeightRounding.Nearest"/>.</param>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.LoadNetwork("model.onnx")
    ///     .Append(ml.Transforms.Prune(0.5, granularity: Granularity.Channel, fineTuneEpochs: 5))
    ///     .Append(ml.Transforms.Quantize());
    /// </code>
    /// </example>
    public static QuantizeEstimator Quantize(this TransformsCatalog catalog, Quantizer? quantizer = null, WeightRounding? rounding = null)
        => new(CatalogEnvironment.Of(catalog), new() { Quantizer = quantizer ?? Quantizer.Int8(), Rounding = rounding ?? WeightRounding.Nearest });

    /// <summary>Rounds each layer of the network of the step before as far as a budget asks for: <see cref="Quantizer.Mixed"/>.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="budget">Limits on <see cref="Budget.Bytes"/>, <see cref="Budget.Latency"/>, <see cref="Budget.MetricLoss"/>, or several.</param>
    /// <param name="candidates">The forms, beside floats; by default <c>Quantizer.Int8()</c> where time is limited, else weights of 8, 4 and 2 bits.</param>
    /// <param name="rounding">Which of the integers around it a weight becomes; by default <see cref="WeightRounding.Nearest"/>.</param>
    /// <exception cref="ArgumentException">The budget limits another cost, or there are no candidates.</exception>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.LoadNetwork("model.onnx").Append(ml.Transforms.AutoQuantize(Budget.MetricLoss(0.002)));
    /// </code>
    /// </example>
    public static QuantizeEstimator AutoQuantize(this TransformsCatalog catalog, Budget budget, IReadOnlyList<Quantizer>? candidates = null,
        WeightRounding? rounding = null) => catalog.Quantize(Quantizer.Mixed(budget, candidates), rounding);

    /// <inheritdoc cref="Quantize(TransformsCatalog, Quantizer, WeightRounding)"/>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">How.</param>
    /// <example>
    /// <code>
    /// var quantising = ml.Transforms.Quantize(new QuantizationOptions
    /// {
    ///     Quantizer = Quantizer.Weights(4),
    ///     Rounding = WeightRounding.Gptq(),
    ///     CalibrationRows = 1024,
    /// });
    /// </code>
    /// </example>
    public static QuantizeEstimator Quantize(this TransformsCatalog catalog, QuantizationOptions options) => new(CatalogEnvironment.Of(catalog), options);
}
