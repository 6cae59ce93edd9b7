using Microsoft.ML;
using Microsoft.ML.Data;

namespace PrunedConsole;

/// <summary>What the model sees of a row, and what it learns to tell.</summary>
public class Row
{
    [VectorType(2)]
    public float[] Features { get; set; } = [];

    public bool Label { get; set; }

    /// <summary>Stands for your table: points of a square, and whether they lie in a circle. For a file: ml.Data.LoadFromTextFile.</summary>
    public static IDataView Load(MLContext ml)
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, 2_000).Select(_ => new Row { Features = [random.NextSingle(), random.NextSingle()] }).ToList();
        rows.ForEach(row => row.Label = float.Hypot(row.Features[0] - 0.5f, row.Features[1] - 0.5f) < 0.35f);
        return ml.Data.LoadFromEnumerable(rows);
    }
}
