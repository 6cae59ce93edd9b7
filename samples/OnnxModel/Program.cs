using System.CommandLine;
using MLNet.Pruning.Samples.OnnxModel;

var seed = new Option<int>("--seed") { Description = "Seed of the split, the training and the pruning.", DefaultValueFactory = _ => 1 };
var output = new Option<DirectoryInfo>("--output") { Description = "Folder of the models.",
    DefaultValueFactory = _ => new(Path.Combine("artifacts", "onnx-model")) };
var command = new RootCommand("Takes an ONNX file into an ML.NET chain, removes half of its channels, fine-tunes it, and scores with the smaller model in "
    + "another process.") { seed, output };
command.SetAction(arguments => Journey.Run(arguments.GetValue(seed), arguments.GetValue(output)!));
return command.Parse(args).Invoke();
