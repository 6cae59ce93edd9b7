using Microsoft.ML;
using MLNet.Pruning;
using PrunedConsole;

var ml = new MLContext(seed: 1);
var split = ml.Data.TrainTestSplit(Row.Load(ml), testFraction: 0.2);

var trained = ml.Transforms.NormalizeMeanVariance("Features")
    .Append(ml.BinaryClassification.Trainers.NeuralNetwork(Network.Mlp(2, 64, 32, 1), epochs: 30));
Tell("dense", trained.Fit(split.TrainSet));

var pruned = trained
    .Append(ml.Transforms.Prune(sparsity: 0.5, granularity: Granularity.Neuron, schedule: Schedule.Linear(5), fineTuneEpochs: 5))
    .Append(ml.Transforms.FineTune(epochs: 20))
    .Fit(split.TrainSet);
Tell("pruned", pruned);
Console.WriteLine(ml.Compression().Measure(pruned));

// Loads wherever ML.NET and its ONNX transformer are, without MLNet.Pruning.
ml.Model.Save(pruned.Compact(), split.TrainSet.Schema, "model.zip");
Console.WriteLine("saved: model.zip");

void Tell(string name, ITransformer model) => Console.WriteLine(
    $"{name}: accuracy {ml.BinaryClassification.Evaluate(model.Transform(split.TestSet)).Accuracy:P1}, " +
    $"{ml.Compression().Measure(model).Total.Parameters:N0} parameters");
