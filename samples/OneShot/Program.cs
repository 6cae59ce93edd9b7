using System.CommandLine;
using MLNet.Pruning.Samples;
using MLNet.Pruning.Samples.OneShot;

var network = new Option<FileInfo>("--network") { Description = "For the recipes of mlpnet: ONNX file of the dense network, which reads one row of 784 "
    + "pixels, less 0.1307 and divided by 0.3081." };
if (args is ["--recipe", MiniLm.Name, .. var more])
{
    return MiniLm.Run(new(more is ["--output", var folder] ? folder : Path.Combine("artifacts", "one-shot", MiniLm.Name)));
}

// The processes that run the seeds get the same arguments.
var path = new RootCommand { network }.Parse(args).GetResult(network) is { Tokens: [{ Value: var given }] } ? given : "";
return RecipeCommand.Run(args, "Prunes networks for MNIST without training them, seed by seed, and measures what is left on the test images at the end.",
    [.. MlpNet.Sparsities.Keys.Select(name => MlpNet.Recipe(name, path)), Structured.LeNet5, Structured.ResNet20], "one-shot", Write, network);

static void Write(Recipe recipe, int seeds, DirectoryInfo? data, ResultFolder results)
{
    if (MlpNet.Sparsities.ContainsKey(recipe.Name))
    {
        Report.Write(recipe, seeds, data, results);
        return;
    }

    StructuredReport.Write(recipe, seeds, data, results);
}
