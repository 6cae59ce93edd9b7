using System.CommandLine;

namespace MLNet.Pruning.Samples;

/// <summary>The command line of a sample that runs recipes, seed by seed.</summary>
internal static class RecipeCommand
{
    /// <param name="args">The arguments.</param>
    /// <param name="description">What the sample does.</param>
    /// <param name="recipes">What it can be asked for.</param>
    /// <param name="folder">Folder of results under artifacts.</param>
    /// <param name="report">Measures what all seeds gave.</param>
    /// <param name="more">Options of the recipes' own.</param>
    public static int Run(string[] args, string description, IReadOnlyList<Recipe> recipes, string folder,
        Action<Recipe, int, DirectoryInfo?, ResultFolder> report, params IReadOnlyList<Option> more)
    {
        var data = new Option<DirectoryInfo?>("--data") { Description = "Folder with the four IDX files of MNIST, gzipped or not.",
            Required = recipes.All(one => one.NeedsData) };
        var recipe = new Option<string>("--recipe") { Description = $"What to do: {string.Join(", ", recipes.Select(one => one.Name))}.", Required = true };
        recipe.AcceptOnlyFromAmong([.. recipes.Select(one => one.Name)]);
        var seeds = new Option<int>("--seeds") { Description = "Runs this many seeds, from 1.", DefaultValueFactory = _ => 3 };
        var workers = new Option<int?>("--workers") { Description = "Seeds at a time, each in a process with one thread; by default as many as there are "
            + "processors." };
        var gpu = new Option<int?>("--gpu") { Description = "Trains on this GPU, one seed at a time; by default on the CPU." };
        var output = new Option<DirectoryInfo>("--output") { Description = "Folder of the results.",
            DefaultValueFactory = _ => new(Path.Combine("artifacts", folder)) };
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
        var command = new RootCommand(description + " A run that was stopped goes on where it was.") { data, recipe, seeds, workers, gpu, output, seed };
        foreach (var option in more)
        {
            command.Add(option);
        }

        command.SetAction(arguments =>
        {
            var chosen = recipes.First(one => one.Name == arguments.GetValue(recipe));
            var rows = arguments.GetValue(data);
            if (chosen.NeedsData && rows is null)
            {
                Console.Error.WriteLine($"The recipe {chosen.Name} needs --data.");
                return 1;
            }

            var results = new ResultFolder(arguments.GetValue(output)!, chosen);
            if (arguments.GetValue(seed) is { } one)
            {
                SeedRun.Run(chosen, one, rows, results, arguments.GetValue(gpu), Console.Out);
                return 0;
            }

            results.Claim();
            var count = arguments.GetValue(seeds);
            var atOnce = arguments.GetValue(gpu) is not null ? 1 : arguments.GetValue(workers) ?? Environment.ProcessorCount;
            if (!Workers.Run(args, chosen, count, atOnce))
            {
                return 1;
            }

            report(chosen, count, rows, results);
            return 0;
        });
        return command.Parse(args).Invoke();
    }
}
