#!/usr/bin/env dotnet
#:package MLNet.Pruning@*
#:package libtorch-cpu-linux-x64@2.10.0
#:property PublishAot=false

// # Distillation and trees
//
// Boosted trees are hard to beat on tables, and slow to ask. Here they teach a network of some hundred weights what they know of a table of tumours, and then
// they are pruned themselves.

// `breast_cancer.csv` has 569 rows of 30 measures of cell nuclei, and whether the tumour is benign. It is looked for beside this notebook and where the
// repository keeps it, in `samples/data`.

using System.IO;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.Pruning;

var ml = new MLContext(seed: 1);
var file = new[] { "breast_cancer.csv", "../data/breast_cancer.csv", "samples/data/breast_cancer.csv" }.FirstOrDefault(File.Exists)
    ?? throw new FileNotFoundException("breast_cancer.csv, of samples/data in the repository, has to lie beside this notebook.");
var table = ml.Data.LoadFromTextFile(file, [new("Features", DataKind.Single, 0, 29), new("Label", DataKind.Boolean, 30)],
    separatorChar: ',', hasHeader: true);
var split = ml.Data.TrainTestSplit(table, testFraction: 0.25);

// ## The teacher
//
// 200 boosted trees. ML.NET evaluates them; its matrix says which tumours are taken for what they are not.

var values = ml.Transforms.NormalizeMeanVariance("Features", fixZero: false);
var trees = values.Append(ml.BinaryClassification.Trainers.FastTree(numberOfTrees: 200)).Fit(split.TrainSet);
var teacher = ml.BinaryClassification.Evaluate(trees.Transform(split.TestSet));
Console.WriteLine($"area under the curve of the trees: {teacher.AreaUnderRocCurve:0.0000}");
Console.WriteLine(ClassConfusion.Of(teacher.ConfusionMatrix));

// ## The student
//
// `Distill` takes the model that stands before it in the chain for its teacher: the network learns the trees' probabilities beside the labels.

var student = values
    .Append(ml.BinaryClassification.Trainers.FastTree(numberOfTrees: 200))
    .Append(ml.Transforms.Distill(Network.Mlp(30, 16, 1), Distillation.Response(temperature: 2, weight: 0.7),
        epochs: 60, batchSize: 32, learningRate: 3e-3))
    .Fit(split.TrainSet);
Console.WriteLine(ml.Compression().Evaluate(student, split.TestSet, Metric.AreaUnderRocCurve, Metric.Accuracy, Metric.Parameters));

// A student can be cut out of its teacher, too. Here a large network teaches one of a fifth of its width, which starts with the teacher's own weights.

var shrunk = values
    .Append(ml.BinaryClassification.Trainers.NeuralNetwork(Network.Mlp(30, 160, 1), epochs: 20))
    .Append(ml.Transforms.Distill(network => network.Shrink(width: 0.2), Distillation.Response(temperature: 2), epochs: 20))
    .Fit(split.TrainSet);
Console.WriteLine(ml.Compression().Measure(shrunk));

// ## The trees, pruned
//
// `PruneTrees` takes away whole trees, subtrees and leaves that validation rows do not miss, and gives the leaves that stay new values.

var scaling = values.Fit(split.TrainSet);
var pruned = ml.Transforms.PruneTrees(ml.BinaryClassification.Trainers.FastTree(numberOfTrees: 200), Budget.NodeFraction(0.2))
    .Fit(scaling.Transform(split.TrainSet));
Console.WriteLine(pruned.Report);

var asked = ml.BinaryClassification.Evaluate(pruned.Transform(scaling.Transform(split.TestSet)));
Console.WriteLine($"area under the curve of the trees that are left: {asked.AreaUnderRocCurve:0.0000}");
Console.WriteLine(ClassConfusion.Of(asked.ConfusionMatrix));
