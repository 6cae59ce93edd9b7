#!/usr/bin/env dotnet
#:package MLNet.Pruning@*
#:package libtorch-cpu-linux-x64@2.10.0
#:property PublishAot=false

// # Automation and budgets
//
// How much of which layer? One can ask each layer what it tolerates, or say what the whole may cost and let a search find out.

using System.IO;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.Pruning;

var ml = new MLContext(seed: 1);
var file = new[] { "optdigits.csv", "../data/optdigits.csv", "samples/data/optdigits.csv" }.FirstOrDefault(File.Exists)
    ?? throw new FileNotFoundException("optdigits.csv, of samples/data in the repository, has to lie beside this notebook.");
var digits = ml.Data.LoadFromTextFile(file, [new("Features", DataKind.Single, 0, 63), new("Label", DataKind.Single, 64)], separatorChar: ',');
var split = ml.Data.TrainTestSplit(digits, testFraction: 0.2);

var chain = ml.Transforms.Conversion.MapValueToKey("Label")
    .Append(ml.Transforms.NormalizeMinMax("Features"))
    .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(64, 80, 60, 10), epochs: 30));
var dense = chain.Fit(split.TrainSet);
Console.WriteLine(ml.Compression().Measure(dense));

// ## What each layer tolerates
//
// One layer at a time loses its smallest weights, all others whole: the steeper its line falls, the more it is needed.

var sensitivity = ml.Compression().Sensitivity(dense, split.TrainSet);
Console.WriteLine(sensitivity);

// What it found can be used: each layer gets the sparsity at which it loses no more of the accuracy than the others.

var guided = chain.Append(ml.Transforms.Prune(new PruningOptions
{
    Amount = Amount.Fraction(0.8), Scope = Scope.Distributed(Distribution.BySensitivity(sensitivity)), FineTuneEpochs = 10,
})).Fit(split.TrainSet);
Console.WriteLine(ml.Compression().Measure(guided));

// ## A budget of multiply-adds
//
// `AutoPrune` looks for the widths itself. Here the network has to end with at most a third of its multiply-adds; each candidate is measured on validation
// rows, and the best one is trained.

var small = ml.Transforms.AutoPrune(Budget.MultiplyAdds(3_500), fineTuneEpochs: 20).Fit(dense.Transform(split.TrainSet));
Console.WriteLine(small.Report);

Console.WriteLine(ml.Compression().Report(dense.Append(small), new() { Latency = false }));

// ## A budget of bytes
//
// `AutoQuantize` chooses how each layer holds its weights, in eight bits or fewer, so that the file keeps to the budget and the least accuracy is lost.

var bytes = chain.Append(ml.Transforms.AutoQuantize(Budget.Bytes(10_000))).Fit(split.TrainSet);
Console.WriteLine(bytes.LastTransformer.Report);

// ## What each of them costs, and says

(string, ITransformer)[] models = [("dense", dense), ("guided", guided), ("within a budget", dense.Append(small)), ("in integers", bytes)];
foreach (var (name, model) in models)
{
    var report = ml.Compression().Evaluate(model, split.TestSet, Metric.Accuracy, Metric.Sparsity, Metric.MultiplyAdds, Metric.FileSize);
    Console.WriteLine($"{name,-16} {string.Join("   ", report.Values.Select(value => $"{value.Name} {value.Value:#,0.####}"))}");
}
