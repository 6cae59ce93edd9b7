using System.CommandLine;
using MLNet.Pruning.Samples.Mnist;

var data = new Option<DirectoryInfo>("--data") { Description = "Folder with the four IDX files of MNIST, gzipped or not.", Required = true };
var recipe = new Option<string>("--recipe") { Description = $"What to do: {string.Join(", ", Recipe.All.Select(one => one.Name))}.", Required = true };
recipe.AcceptOnlyFromAmong([.. Recipe.All.Select(one => one.Name)]);
var seeds = new Option<int>("--seeds") { Description = "Runs this many seeds, from 1.", DefaultValueFactory = _ => 3 };
var workers = new Option<int?>("--workers") { Description = "Seeds at a time, each in a process with one thread; by default as many as there are processors." };
var gpu = new Option<int?>("--gpu") { Description = "Trains on this GPU, one seed at a time; by default on the CPU." };
var output = new Option<DirectoryInfo>("--output") { Description = "Folder of the results.", DefaultValueFactory = _ => new(Path.Combine("artifacts", "mnist")) };
var seed = new Option<int?>("--seed") { Description = "One seed only, for the processes that this program starts.", Hidden = true };
seeds.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() < 1)
    {
        result.AddError("There has to be at least one seed.");
    }
});
workers.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int?>() < 1)
    {
        result.AddError("There has to be at least one worker.");
    }
});
var command = new RootCommand("Prunes LeNets on MNIST, seed by seed, and measures them on the test images at the end. A run that was stopped goes on where it was.")
{
    data, recipe, seeds, workers, gpu, output, seed,
};
command.SetAction(arguments =>
{
    var chosen = Recipe.All.First(one => one.Name == arguments.GetValue(recipe));
    var results = new ResultFolder(arguments.GetValue(output)!, chosen);
    if (arguments.GetValue(seed) is { } one)
    {
        SeedRun.Run(chosen, one, arguments.GetValue(data)!, results, arguments.GetValue(gpu), Console.Out);
        return 0;
    }

    results.Claim();
    var count = arguments.GetValue(seeds);
    var atOnce = arguments.GetValue(gpu) is not null ? 1 : arguments.GetValue(workers) ?? Environment.ProcessorCount;
    if (!Workers.Run(args, chosen, count, atOnce))
    {
        return 1;
    }

    Report.Write(chosen, count, arguments.GetValue(data)!, results);
    return 0;
});
return command.Parse(args).Invoke();
