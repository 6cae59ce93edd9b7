#!/usr/bin/env dotnet
#:package MLNet.Pruning@*
#:package libtorch-cpu-linux-x64@2.10.0
#:property PublishAot=false

// # Getting started
//
// A network that reads handwritten digits is trained, and then made smaller twice: once nine of ten of its weights are set to zero, once half of its neurons
// are removed. It reads as well as before, from a file of less than half the size.
//
// The packages come first: the library, and libtorch for Linux. On Windows it is `libtorch-cpu-win-x64`, on a Mac `libtorch-cpu-osx-arm64`.

// `optdigits.csv` holds 1,797 digits, each as 64 shades from 0 to 16 and the digit that it shows. It is looked for beside this notebook and where the
// repository keeps it, in `samples/data`.

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

var pixels = digits.GetColumn<float[]>("Features").First();
for (var row = 0; row < 8; row++)
{
    Console.WriteLine(string.Concat(Enumerable.Range(0, 8).Select(column => new string(" .:*#@"[(int)pixels[8 * row + column] / 3], 2))));
}

// ## A network in a chain
//
// The network is a step of an ordinary ML.NET pipeline. Its evaluation is a table here, and below it the classes that are taken for each other: a row for each
// digit, a column for what it was read as.

var chain = ml.Transforms.Conversion.MapValueToKey("Label", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
    .Append(ml.Transforms.NormalizeMinMax("Features"))
    .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(64, 300, 100, 10), epochs: 30));
var dense = chain.Fit(split.TrainSet);
Console.WriteLine(ml.Compression().Evaluate(dense, split.TestSet, Metric.Accuracy, Metric.MacroF1));

// ## Nine of ten weights go
//
// `Prune` follows the trainer. In five steps, with an epoch of training after each, it sets the smallest weights to zero until 90% of them are; `FineTune`
// trains those that are left.

var sparse = chain
    .Append(ml.Transforms.Prune(sparsity: 0.9, schedule: Schedule.Cubic(steps: 5), fineTuneEpochs: 1))
    .Append(ml.Transforms.FineTune(epochs: 10))
    .Fit(split.TrainSet);
Console.WriteLine(ml.Compression().Measure(sparse));

Console.WriteLine(ml.Compression().Evaluate(sparse, split.TestSet, Metric.Accuracy, Metric.MacroF1));

// ## Half of the neurons go
//
// Zeros make a file smaller once it is packed. What makes every runtime faster is structure that is not there any more: here the neurons, with their weights in
// the layer before and in the layer behind.

var small = chain
    .Append(ml.Transforms.Prune(sparsity: 0.5, granularity: Granularity.Neuron, schedule: Schedule.Linear(steps: 2), fineTuneEpochs: 2))
    .Append(ml.Transforms.FineTune(epochs: 10))
    .Fit(split.TrainSet);
Console.WriteLine(small.LastTransformer.Network);

Console.WriteLine(ml.Compression().Evaluate(small, split.TestSet, Metric.Accuracy, Metric.MacroF1, Metric.Parameters, Metric.MultiplyAdds));

// ## Saved
//
// `Compact` leaves away what only more pruning would need. The file is one of ML.NET: an application that loads it needs neither this library nor libtorch.

ml.Model.Save(dense.Compact(), digits.Schema, "dense.zip");
ml.Model.Save(small.Compact(), digits.Schema, "small.zip");
Console.WriteLine($"{new FileInfo("dense.zip").Length:N0} bytes, and {new FileInfo("small.zip").Length:N0} after pruning");

var loaded = ml.Model.Load("small.zip", out _);
Console.WriteLine($"accuracy of what was loaded: {ml.MulticlassClassification.Evaluate(loaded.Transform(split.TestSet)).MicroAccuracy:0.0000}");
(loaded as IDisposable)?.Dispose();
