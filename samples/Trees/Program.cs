using System.CommandLine;
using MLNet.Pruning.Samples.Trees;

var table = new Option<string>("--table") { Description = "The rows: digits (is the digit odd?) or cancer (is the tumour benign?).",
    DefaultValueFactory = _ => "digits" };
table.AcceptOnlyFromAmong("digits", "cancer");
var seeds = new Option<int>("--seeds") { Description = "Seeds of the split and the pruning, from 1.", DefaultValueFactory = _ => 5 };
seeds.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() < 1)
    {
        result.AddError("--seeds is at least 1.");
    }
});
var output = new Option<DirectoryInfo>("--output") { Description = "Folder of report.json and pruned.onnx.",
    DefaultValueFactory = _ => new(Path.Combine("artifacts", "trees")) };
var command = new RootCommand("Trains 200 boosted trees with FastTree inside an ML.NET pipeline and prunes them to less than a quarter of their "
    + "nodes.") { table, seeds, output };
command.SetAction(arguments => Journey.Tell(arguments.GetValue(table)!, arguments.GetValue(seeds), arguments.GetValue(output)!));
return command.Parse(args).Invoke();
