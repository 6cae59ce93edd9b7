using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

// Loads models that ml.Model.Save wrote and scores the same rows with each, in turns: a program that has never seen MLNet.Pruning.
// Usage: OnnxModel.Score rows.csv model.zip...
const int Rounds = 7;
var ml = new MLContext(seed: 1);
var rows = ml.Data.Cache(ml.Data.LoadFromTextFile(args[0], [new("Features", DataKind.Single, 0, 63), new("Label", DataKind.Single, 64)], separatorChar: ','));
var count = rows.GetColumn<float>("Label").Count();
var models = args[1..].Select(path => (Name: Path.GetFileName(path), Model: ml.Model.Load(path, out _), Seconds: new List<double>())).ToArray();
for (var round = 0; round < Rounds; round++)
{
    foreach (var (_, model, seconds) in models)
    {
        var watch = Stopwatch.StartNew();
        _ = model.Transform(rows).GetColumn<float[]>("Score").Count();
        seconds.Add(watch.Elapsed.TotalSeconds);
    }
}

double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
foreach (var (name, model, seconds) in models)
{
    var accuracy = ml.MulticlassClassification.Evaluate(model.Transform(rows)).MicroAccuracy;
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{name}: test accuracy {accuracy:P2}, {new FileInfo(args.First(path => Path.GetFileName(path) == name)).Length:N0} bytes, "
            + $"{count / Median(seconds):N0} rows a second, {Median(models[0].Seconds) / Median(seconds):0.0} times the first"));
}
