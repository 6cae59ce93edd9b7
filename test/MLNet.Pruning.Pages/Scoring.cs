using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.Pruning.Samples;

namespace MLNet.Pruning.Pages;

/// <summary>How fast models score rows of several classes in ML.NET.</summary>
internal static class Scoring
{
    private const int Rounds = 9;
    private const int Passes = 10;

    /// <summary>How many times as fast the second is, in turns so that whatever else the machine does slows both; the median.</summary>
    public static double Ratio(MLContext ml, ITransformer first, ITransformer second, IDataView rows)
    {
        var cached = ml.Data.Cache(rows);
        var (one, other) = (first.Transform(cached), second.Transform(cached));
        _ = Seconds(one) + Seconds(other);
        return Statistics.Median(Enumerable.Range(0, Rounds).Select(_ => Seconds(one) / Seconds(other)));
    }

    private static double Seconds(IDataView scored)
    {
        var column = scored.Schema["Score"];
        var score = default(VBuffer<float>);
        var watch = Stopwatch.StartNew();
        for (var pass = 0; pass < Passes; pass++)
        {
            using var cursor = scored.GetRowCursor([column]);
            var getter = cursor.GetGetter<VBuffer<float>>(column);
            while (cursor.MoveNext())
            {
                getter(ref score);
            }
        }

        return watch.Elapsed.TotalSeconds;
    }
}
