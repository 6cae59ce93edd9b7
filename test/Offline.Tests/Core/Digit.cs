using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Offline.Tests.Core;

/// <summary>A row with a member of each kind that columns are made of.</summary>
internal sealed class Digit
{
    public float Number { get; set; }

    [VectorType(3)]
    public float[] Features { get; set; } = [];

    [KeyType(4)]
    public uint Class { get; set; }

    public string Name { get; set; } = "";

    public static Digit[] Some(int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => new Digit
        {
            Number = i,
            Features = [i, 2 * i, 3 * i],
            Class = (uint)(i % 5),
            Name = $"n{i}",
        }),
    ];

    public static float[] NumbersOf(IDataView view) => [.. view.GetColumn<float>(nameof(Number))];
}
