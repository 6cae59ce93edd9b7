#!/usr/bin/env dotnet
#:package MLNet.Pruning@*
#:package libtorch-cpu-linux-x64@2.10.0
#:property PublishAot=false

// # What went, and why
//
// A smaller network raises questions. Which neurons are gone? By how much were they less important than those that stayed? Which digits suffer? Every step of a
// chain keeps a report that answers.

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

// ## A chain that removes neurons and rounds to integers

var chain = ml.Transforms.Conversion.MapValueToKey("Label", keyOrdinality: ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
    .Append(ml.Transforms.NormalizeMinMax("Features"))
    .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(64, 64, 32, 10), epochs: 30));
var model = chain
    .Append(ml.Transforms.Prune(0.5, Importance.Taylor(), Granularity.Neuron, schedule: Schedule.Linear(2), fineTuneEpochs: 3))
    .Append(ml.Transforms.FineTune(epochs: 10))
    .Append(ml.Transforms.Quantize(Quantizer.Int8()))
    .Fit(split.TrainSet);
Console.WriteLine(ml.Compression().Report(model, new() { Latency = false }));

// The same as a page for others, and as a model card:

var report = ml.Compression().Report(model, new() { Title = "Digits", Description = "Reads handwritten digits of 8 x 8 pixels.", Latency = false });
report.SaveHtml("report.html");
report.SaveMarkdown("MODEL_CARD.md");
Console.WriteLine(string.Join("\n", File.ReadLines("MODEL_CARD.md").Take(12)));

// ## One neuron's fate
//
// Each step has its own report. That of pruning knows the importance of every candidate, what it was compared with, and whether it went.

var pruning = model.OfType<NeuralNetworkTransformer>().Select(step => step.Report).OfType<PruningReport>().Single();
Console.WriteLine(pruning);

foreach (var neuron in Enumerable.Range(0, 4))
{
    Console.WriteLine(pruning.Decision($"fc1.weight[{neuron}]"));
}

// And how a layer's importance was spread, before and after:

Console.WriteLine(pruning.Histogram("fc1"));

// ## Which digits suffer
//
// The same rows before and after: what grows outside the diagonal was paid for the size.

var dense = chain.Fit(split.TrainSet);
Console.WriteLine(ml.Compression().Evaluate(dense, split.TestSet, Metric.Accuracy).Confusion);

Console.WriteLine(ml.Compression().Evaluate(model, split.TestSet, Metric.Accuracy).Confusion);

// ## Which bytes are left
//
// The last question: where the bytes of the file are, and what other encodings of the same weights would take.

Console.WriteLine(ml.Compression().Measure(chain.Append(ml.Transforms.Prune(0.9, fineTuneEpochs: 3)).Fit(split.TrainSet)).Storage);
