using Microsoft.ML.Data;

namespace MLNet.Pruning.Benchmarks;

/// <summary>Numbers with a value that trees learn from them.</summary>
internal sealed class TreesRow
{
    public const int Width = 40;

    [VectorType(Width)]
    public float[] Features { get; set; } = [];

    public float Label { get; set; }

    public static TreesRow[] Draw(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => Draw(random))];

    private static TreesRow Draw(Random random)
    {
        float[] values = [.. Enumerable.Range(0, Width).Select(_ => 2 * random.NextSingle() - 1)];
        var label = random.NextSingle();
        for (var i = 0; i < Width; i += 2)
        {
            label += (1 + i % 5) * values[i] * values[i + 1] + MathF.Sin(3 * values[i]);
        }

        return new() { Features = values, Label = label };
    }
}

/// <summary>What a prediction engine gives.</summary>
internal sealed class TreesScore
{
    public float Score { get; set; }
}
