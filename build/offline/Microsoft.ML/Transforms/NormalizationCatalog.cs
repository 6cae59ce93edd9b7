using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace Microsoft.ML;

public static class NormalizationCatalog
{
    private const long DefaultMaximumExampleCount = 1_000_000_000;

    public static NormalizingEstimator NormalizeMinMax(
        this TransformsCatalog catalog,
        string outputColumnName,
        string? inputColumnName = null,
        long maximumExampleCount = DefaultMaximumExampleCount,
        bool fixZero = true) =>
        catalog.NormalizeMinMax([new InputOutputColumnPair(outputColumnName, inputColumnName)], maximumExampleCount, fixZero);

    public static NormalizingEstimator NormalizeMinMax(
        this TransformsCatalog catalog,
        InputOutputColumnPair[] columns,
        long maximumExampleCount = DefaultMaximumExampleCount,
        bool fixZero = true) =>
        Normalize(catalog, columns, NormalizerMode.MinMax, maximumExampleCount, fixZero, useCdf: false);

    public static NormalizingEstimator NormalizeMeanVariance(
        this TransformsCatalog catalog,
        string outputColumnName,
        string? inputColumnName = null,
        long maximumExampleCount = DefaultMaximumExampleCount,
        bool fixZero = true,
        bool useCdf = false) =>
        catalog.NormalizeMeanVariance([new InputOutputColumnPair(outputColumnName, inputColumnName)], maximumExampleCount, fixZero, useCdf);

    public static NormalizingEstimator NormalizeMeanVariance(
        this TransformsCatalog catalog,
        InputOutputColumnPair[] columns,
        long maximumExampleCount = DefaultMaximumExampleCount,
        bool fixZero = true,
        bool useCdf = false) =>
        Normalize(catalog, columns, NormalizerMode.MeanVariance, maximumExampleCount, fixZero, useCdf);

    private static NormalizingEstimator Normalize(
        TransformsCatalog catalog, InputOutputColumnPair[] columns, NormalizerMode mode, long maximumExampleCount, bool fixZero, bool useCdf)
    {
        ArgumentNullException.ThrowIfNull(columns);
        return new NormalizingEstimator(
            catalog.GetEnvironment(),
            [.. columns.Select(pair => new NormalizerColumn(pair.OutputColumnName, pair.InputColumnName, mode, maximumExampleCount, fixZero, useCdf))]);
    }
}
