using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.SameBits;

/// <summary>A few rows whose class depends on products of their features.</summary>
internal static class Rows
{
    public const int Width = 8;
    private const int Count = 60;

    public static IDataView Of(MLContext ml)
    {
        var random = new Random(3);
        var rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, Count).Select(_ =>
        {
            float[] values = [.. Enumerable.Range(0, Width).Select(_ => random.NextSingle() * 2 - 1)];
            var number = values[0] * values[1] + values[2];
            return new Row { Features = values, Number = number, Side = number > 0, Class = number > 0.4 ? 3 : number > -0.2 ? 2 : 1 };
        }).ToArray());
        return ml.Transforms.Conversion.MapValueToKey("Class").Fit(rows).Transform(rows);
    }

    private sealed class Row
    {
        [VectorType(Width)]
        public float[] Features { get; set; } = [];

        public float Number { get; set; }

        public bool Side { get; set; }

        public float Class { get; set; }
    }
}
