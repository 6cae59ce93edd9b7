#!/usr/bin/env dotnet
#:package MLNet.Pruning@*
#:package libtorch-cpu-linux-x64@2.10.0
#:property PublishAot=false

// # Any ONNX file
//
// A network does not have to be trained here. This one comes as an ONNX file, as PyTorch, TensorFlow or scikit-learn write them: what is in it, what can be
// taken out of it and why the rest has to stay, and what it is without half of its filters.

using System.IO;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MLNet.Pruning;

var ml = new MLContext(seed: 1);
var file = new[] { "optdigits.csv", "../data/optdigits.csv", "samples/data/optdigits.csv" }.FirstOrDefault(File.Exists)
    ?? throw new FileNotFoundException("optdigits.csv, of samples/data in the repository, has to lie beside this notebook.");
var digits = ml.Data.LoadFromTextFile(file, [new("Features", DataKind.Single, 0, 63), new("Label", DataKind.Single, 64)], separatorChar: ',');
var split = ml.Data.TrainTestSplit(digits, testFraction: 0.2);
var rows = ml.Transforms.Conversion.MapValueToKey("Label", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
    .Append(ml.Transforms.NormalizeMinMax("Features"));

// The file: a residual network for images of 8 x 8, trained for a few epochs. Put the path of yours here and leave this cell away.

var path = "digits.onnx";
rows.Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Sequential([1, 8, 8],
        Layer.Conv2d(32, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(),
        Layer.Residual(Layer.Conv2d(32, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(), Layer.Conv2d(32, 3, padding: 1), Layer.BatchNorm()), Layer.Relu(),
        Layer.MaxPool(2), Layer.Conv2d(64, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(),
        Layer.GlobalAveragePool(), Layer.Flatten(), Layer.Dense(10)), epochs: 8))
    .Fit(split.TrainSet).LastTransformer.Network.SaveOnnx(path);

// ## What is in it

var network = Network.FromOnnx(path);
Console.WriteLine(network);

// ## What can go
//
// A filter does not go alone. What it feeds loses the channel too, and where a residual sum adds two layers, the same channel goes in both. Such things form a
// group:

var groups = network.Groups();
Console.WriteLine(groups);

Console.WriteLine(groups[0]);

// What is in no group has to stay:

Console.WriteLine(string.Join("\n", groups.Reasons()));

// ## The same, with zeros in place of what went
//
// A network without some groups says the same as one in which they are zero. Every fourth group, in both ways, on rows that nothing was trained on:

var some = groups.Where(group => group.Number % 4 == 0);
IEnumerable<float[]> Scores(Network network)
    => rows.Append(ml.Transforms.LoadNetwork(network)).Fit(split.TrainSet).Transform(split.TestSet).GetColumn<float[]>("Score");

var largest = Scores(network.Mask(some)).Zip(Scores(network.Remove(some)), (masked, removed) => masked.Zip(removed, (a, b) => Math.Abs(a - b)).Max()).Max();
Console.WriteLine($"largest difference of a probability below 0.0001: {largest < 1e-4}");
Console.WriteLine(network.Remove(some));

// ## In a chain, with training
//
// `LoadNetwork` makes the file a step of a chain, and everything that works on trained networks works on it. Half of the filters of each layer go in two steps,
// with training between them and at the end.

var before = rows.Append(ml.Transforms.LoadNetwork(path)).Fit(split.TrainSet);
var after = rows.Append(ml.Transforms.LoadNetwork(path))
    .Append(ml.Transforms.Prune(0.5, granularity: Granularity.Filter, scope: Scope.Layer, schedule: Schedule.Linear(2), fineTuneEpochs: 2))
    .Append(ml.Transforms.FineTune(epochs: 6))
    .Fit(split.TrainSet);
Console.WriteLine(ml.Compression().Evaluate(before, split.TestSet, Metric.Accuracy, Metric.Parameters, Metric.MultiplyAdds));

Console.WriteLine(ml.Compression().Evaluate(after, split.TestSet, Metric.Accuracy, Metric.Parameters, Metric.MultiplyAdds));

// And as a file again, for any runtime. How fast ONNX Runtime is with both depends on the machine:

after.LastTransformer.Network.SaveOnnx("small.onnx");
Console.WriteLine($"{new FileInfo(path).Length:N0} bytes, now {new FileInfo("small.onnx").Length:N0}");

var latency = Metric.Latency();
foreach (var name in new[] { path, "small.onnx" })
{
    Console.WriteLine($"{name}: {ml.Compression().Evaluate(Network.FromOnnx(name), null, new() { Metrics = [latency] })[latency]:0.000} ms a row");
}
