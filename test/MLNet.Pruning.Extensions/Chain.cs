using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Extensions;

/// <summary>A network pruned in a chain of ML.NET, and its rows.</summary>
internal static class Chain
{
    public const int Width = 4;

    public static float[][] Rows { get; } = Draw();

    /// <summary>The label of a row: some function of it that no network here computes.</summary>
    public static float Label(float[] row) => row[0] * row[1] + row[2];

    public static NeuralNetworkTransformer Prune(Network network, PruningOptions options, double validationFraction = 0)
    {
        var ml = new MLContext(1);
        var data = ml.Data.LoadFromEnumerable(Rows.Select(row => new Row { Features = row, Label = Label(row) }));
        return ml.Transforms.LoadNetwork(new LoadNetworkOptions { Network = network, ValidationFraction = validationFraction })
            .Append(ml.Transforms.Prune(options)).Fit(data).LastTransformer;
    }

    /// <summary>What a dense layer puts out before its activation.</summary>
    public static double[] Dense(Network network, string layer, double[] input)
    {
        var (weight, bias) = (network[$"{layer}.weight"], network[$"{layer}.bias"]);
        var size = weight.Shape[1];
        return [.. Enumerable.Range(0, weight.Shape[0]).Select(unit => bias.Values[unit]
            + Enumerable.Range(0, size).Sum(i => (double)weight.Values[unit * size + i] * input[i]))];
    }

    public static double[] Wide(float[] row) => Array.ConvertAll(row, value => (double)value);

    private static float[][] Draw()
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, 50).Select(_ => Enumerable.Range(0, Width).Select(_ => 2 * random.NextSingle() - 0.5f).ToArray())];
    }

    private sealed class Row
    {
        [VectorType(Width)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }
}
