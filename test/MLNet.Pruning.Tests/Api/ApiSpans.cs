using TorchSharp.Modules;

namespace MLNet.Pruning.Tests.Api;

/// <summary>Members whose spans and references reflection cannot pass, by their type and name, with arrays in their place. No array is an empty span.</summary>
internal static class ApiSpans
{
    public static Network Network_Mlp(int inputs, int[]? units) => Network.Mlp(inputs, units);

    public static Network Network_Sequential(int[]? inputShape, Layer[]? layers) => Network.Sequential(inputShape, layers);

    public static Network Network_FromModule(Sequential module, int[]? inputShape) => Network.FromModule(module, inputShape);

    public static Network Network_With(Network? network, string parameter, float[]? values) => network!.With(parameter, values);

    public static Network NetworkQuantizationExtensions_Quantize(Network network, Quantizer quantizer, float[]? rows, QuantizationRange? range,
        WeightRounding? rounding, QuantizationTarget? target) => network.Quantize(quantizer, rows, range, rounding, target);

    public static Network NetworkFactorizationExtensions_Factorize(Network network, Factorizer factorizer, Rank rank, float[]? rows, Scope? scope)
        => network.Factorize(factorizer, rank, rows, scope);

    public static Network NetworkFactorizationExtensions_Factorize(Network network, FactorizationOptions options, float[]? rows)
        => network.Factorize(options, out _, rows);

    public static PrunedNetwork PrunedNetwork_With(PrunedNetwork? network, string parameter, float[]? values) => network!.With(parameter, values);

    public static void ImportanceScores_ScoreWeights(ImportanceScores? measured, Parameter parameter, int start)
        => measured!.ScoreWeights(parameter, start, new float[1]);

    public static void ImportanceScores_ScoreSlices(ImportanceScores? measured, Parameter parameter, int dimension)
        => measured!.ScoreSlices(parameter, dimension, new double[parameter is { Shape: var shape } && dimension >= 0 && dimension < shape.Length
            ? shape[dimension] : 1]);

    public static WeightMask WeightMask_ctor(bool[]? kept) => new(kept);

    public static PrunedNetwork PrunedNetwork_Prune(PrunedNetwork? network, SelectionOptions options) => network!.Prune(options, out _);

    public static PrunedNetwork NetworkPruningExtensions_Prune(Network network, SelectionOptions options) => network.Prune(options, out _);

    public static PrunedNetwork NetworkPruningExtensions_Prune(Network network, PruningOptions options, float[]? rows) => network.Prune(options, rows, out _);

    public static object CompressionCatalog_Load(CompressionCatalog? catalog, string path) => catalog!.Load(path, out _);
}
