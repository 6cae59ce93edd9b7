using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Samples;

/// <summary>How fast two models score.</summary>
internal static class Throughput
{
    private const int Rounds = 9;

    /// <summary>Rows scored a second by both, in turns so that whatever else the machine does slows both; the medians.</summary>
    /// <param name="ml">The context.</param>
    /// <param name="rows">Rows with Features.</param>
    /// <param name="repeats">How often the rows are scored in a round; enough that making cursors does not count.</param>
    /// <param name="first">Scores rows.</param>
    /// <param name="second">Scores them with the other model.</param>
    public static (double First, double Second) Compare(MLContext ml, IDataView rows, int repeats, Func<IDataView, IDataView> first,
        Func<IDataView, IDataView> second)
    {
        var definition = SchemaDefinition.Create(typeof(Row));
        definition[nameof(Row.Features)].ColumnType = rows.Schema["Features"].Type;
        var features = rows.GetColumn<float[]>("Features").ToArray();
        var many = ml.Data.Cache(ml.Data.LoadFromEnumerable(Enumerable.Repeat(features, repeats).SelectMany(all => all)
            .Select(row => new Row { Features = row }), definition));
        RowsPerSecond(first, many);
        RowsPerSecond(second, many);
        var speeds = Enumerable.Range(0, Rounds).Select(_ => (First: RowsPerSecond(first, many), Second: RowsPerSecond(second, many))).ToArray();
        return (Statistics.Median(speeds.Select(speed => speed.First)), Statistics.Median(speeds.Select(speed => speed.Second)));
    }

    private static double RowsPerSecond(Func<IDataView, IDataView> score, IDataView rows)
    {
        var watch = Stopwatch.StartNew();
        var count = score(rows).GetColumn<float>("Score").Count();
        return count / watch.Elapsed.TotalSeconds;
    }

    internal sealed class Row
    {
        public float[] Features { get; set; } = [];
    }
}
