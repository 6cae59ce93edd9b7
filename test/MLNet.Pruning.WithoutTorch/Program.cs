using System.Diagnostics;
using System.Text.Json;
using MLNet.Pruning;
using Microsoft.ML;
using Microsoft.ML.Data;

// Does with a network in an ONNX file and with a saved model what needs no training, and writes what it scored and which libraries that loaded.
var (onnx, saved, folder) = (args[0], args[1], args[2]);
var network = Network.FromOnnx(onnx).FoldBatchNorm();
var groups = network.Groups();
var smaller = network.Remove(groups.Take(1));
var pruned = network.Prune(Amount.Fraction(0.5)).Network;
var narrow = network.Prune(Amount.Fraction(0.5), granularity: Granularity.Unit).Network;
Report("inspected, removed and pruned");

var ml = new MLContext(seed: 1);
foreach (var (one, name) in new[] { (smaller, "smaller"), (pruned, "pruned"), (narrow, "narrow") })
{
    _ = ml.Compression().Measure(one).ToString();
    one.SaveOnnx(Path.Combine(folder, name + ".onnx"));
}

Report("measured and saved");
_ = ml.Compression().Diagnose(narrow).ToString();
Report("diagnosed");
var model = ml.Compression().Load(saved, out var schema);
ml.Compression().Save(model, schema, Path.Combine(folder, "again.zip"));
var rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 5).Select(i => new Row { Features = [i, 1, -i, 0.5f] }));
var scores = model.Transform(rows).GetColumn<float[]>("Score").ToArray();
var engine = ml.Model.CreatePredictionEngine<Row, Scored>(model);
var single = engine.Predict(new Row { Features = [3, 1, -3, 0.5f] }).Score;
Report("loaded and scored");
ml.Model.Save(model.Compact(), rows.Schema, Path.Combine(folder, "compact.zip"));
Report("made compact");
Console.WriteLine(JsonSerializer.Serialize(new { Scores = scores, Single = single }));

static void Report(string step)
{
    using var process = Process.GetCurrentProcess();
    foreach (var name in process.Modules.Cast<ProcessModule>().Select(module => module.FileName)
        .Concat(AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name!))
        .Select(name => Path.GetFileName(name)).Where(name =>
            name.Contains("torch", StringComparison.OrdinalIgnoreCase) && !name.Contains("WithoutTorch", StringComparison.Ordinal)).Distinct())
    {
        Console.Error.WriteLine($"{step}: {name}");
    }
}

internal sealed class Row
{
    [VectorType(4)]
    public float[] Features { get; set; } = [];
}

internal sealed class Scored
{
    public float[] Score { get; set; } = [];
}
