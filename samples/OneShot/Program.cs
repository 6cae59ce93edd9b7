using System.CommandLine;
using MLNet.Pruning.Samples;
using MLNet.Pruning.Samples.OneShot;

var network = new Option<FileInfo>("--network") { Description = "ONNX file of the dense network: one row of 784 pixels in, less 0.1307 and divided by 0.3081.",
    Required = true };
// The processes that run the seeds get the same arguments.
var path = new RootCommand { network }.Parse(args).GetResult(network) is { Tokens: [{ Value: var given }] } ? given : "";
return RecipeCommand.Run(args, "Prunes a network for MNIST without training it, seed by seed, and measures what is left on the test images at the end.",
    [.. MlpNet.Sparsities.Keys.Select(name => MlpNet.Recipe(name, path))], "one-shot", Report.Write, network);
