using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Trees;

/// <summary>Rows of three features: the label is a step function of two of them with some noise.</summary>
internal sealed class TreeRow
{
    [VectorType(3)]
    public float[] Features { get; set; } = [];

    public float Label { get; set; }

    public bool Side { get; set; }

    public float Weight { get; set; } = 1;

    public static TreeRow[] Make(int count, int seed)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(_ =>
            {
                float[] features = [.. Enumerable.Range(0, 3).Select(_ => MathF.Round(random.NextSingle() * 40) / 4)];
                float label = (features[0] > 5 ? 3 : 0) + (features[1] > 2.5f ? 1 : 0) + random.NextSingle();
                return new TreeRow { Features = features, Label = label, Side = label > 2.5f, Weight = random.Next(1, 4) };
            }),
        ];
    }
}
