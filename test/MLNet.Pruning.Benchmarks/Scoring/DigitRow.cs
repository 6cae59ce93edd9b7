using Microsoft.ML.Data;

namespace MLNet.Pruning.Benchmarks;

/// <summary>A picture of 28 x 28 with its class.</summary>
internal sealed class DigitRow
{
    public const int Width = 784;
    public const int Classes = 10;

    [VectorType(Width)]
    public float[] Features { get; set; } = [];

    // In a class, keys count from 0.
    [KeyType(Classes)]
    public uint Label { get; set; }

    public static DigitRow[] Random(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ => new DigitRow
        {
            Features = [.. Enumerable.Range(0, Width).Select(_ => random.NextSingle())],
            Label = (uint)random.Next(Classes),
        })];
    }
}

/// <summary>What a prediction engine gives.</summary>
internal sealed class DigitScores
{
    public float[] Score { get; set; } = [];
}
