using System.CommandLine;
using MLNet.Pruning.Samples.Digits;

var seed = new Option<int>("--seed") { Description = "Seed of the split, the training and the pruning.", DefaultValueFactory = _ => 1 };
var seeds = new Option<int?>("--seeds") { Description = "Runs this many seeds, from 1, and prints a table instead." };
var output = new Option<DirectoryInfo>("--output")
{
    Description = "Folder of report.json.",
    DefaultValueFactory = _ => new(Path.Combine("artifacts", "digits")),
};
var command = new RootCommand("Trains a network on handwritten digits inside an ML.NET pipeline, prunes it to 95% zeros and fine-tunes it.") { seed, seeds,
    output };
command.SetAction(arguments =>
{
    if (arguments.GetValue(seeds) is { } count)
    {
        SeedTable.Print(count);
    }
    else
    {
        Journey.Tell(arguments.GetValue(seed), arguments.GetValue(output)!);
    }
});
return command.Parse(args).Invoke();
