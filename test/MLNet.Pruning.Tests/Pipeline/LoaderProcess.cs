using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>test/MLNet.Pruning.Loader in a process of its own, which knows nothing of MLNet.Pruning.</summary>
internal static class LoaderProcess
{
    private const string Loader = "test/MLNet.Pruning.Loader";

    /// <summary>Saves the model for rows of that schema, loads it there and scores the rows.</summary>
    /// <param name="ml">The context.</param>
    /// <param name="model">The model.</param>
    /// <param name="rows">Rows to score; their visible columns are numbers or text.</param>
    public static Dictionary<string, LoadedColumn> Score(MLContext ml, ITransformer model, IDataView rows)
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            ml.Model.Save(model, rows.Schema, path + ".zip");
            File.WriteAllLines(path + ".csv", Lines(rows));
            Assert.IsFalse(File.Exists(Path.Combine(ChildProcess.OutputOf(Loader), "MLNet.Pruning.dll")));
            var (exitCode, output, errors) = ChildProcess.Run(ChildProcess.Built(Loader, path + ".zip", path + ".csv", "PredictedLabel,Score,Probability"));
            Assert.AreEqual(0, exitCode, errors);
            return JsonSerializer.Deserialize<Dictionary<string, LoadedColumn>>(output)!;
        }
        finally
        {
            File.Delete(path + ".zip");
            File.Delete(path + ".csv");
        }
    }

    private static IEnumerable<string> Lines(IDataView rows)
    {
        string[][] columns = [.. rows.Schema.Where(column => !column.IsHidden).Select(column => Texts(rows, column))];
        return Enumerable.Range(0, columns[0].Length).Select(row => string.Join(',', columns.Select(column => column[row])));
    }

    private static string[] Texts(IDataView rows, DataViewSchema.Column column) => column.Type switch
    {
        VectorDataViewType vector when vector.ItemType.RawType == typeof(float) => [.. rows.GetColumn<float[]>(column).Select(Join)],
        VectorDataViewType vector when vector.ItemType.RawType == typeof(int) => [.. rows.GetColumn<int[]>(column).Select(Join)],
        VectorDataViewType vector when vector.ItemType.RawType == typeof(long) => [.. rows.GetColumn<long[]>(column).Select(Join)],
        VectorDataViewType vector when vector.ItemType.RawType == typeof(byte) => [.. rows.GetColumn<byte[]>(column).Select(Join)],
        VectorDataViewType => [.. rows.GetColumn<string[]>(column).Select(Join)],
        TextDataViewType => [.. rows.GetColumn<string>(column).Select(text => $"\"{text}\"")],
        BooleanDataViewType => [.. rows.GetColumn<bool>(column).Select(side => side ? "1" : "0")],
        _ => [.. rows.GetColumn<float>(column).Select(number => number.ToString("R", CultureInfo.InvariantCulture))],
    };

    private static string Join<T>(T[] values) => string.Join(',', values.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture)));
}

/// <summary>A column as the other process found it.</summary>
internal sealed record LoadedColumn(string Type, string[] SlotNames, string[] KeyValues, string? KeyValuesType, float[][] Rows);
