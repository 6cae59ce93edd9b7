using System.CommandLine;
using MLNet.Pruning.Pages;

var only = new Option<string[]>("--only") { Description = "Pages to run, by name, such as quantize; all by default.", AllowMultipleArgumentsPerToken = true };
var write = new Option<bool>("--write") { Description = "Writes the tables into the pages." };
var times = new Option<bool>("--no-times") { Description = "Measures no times: their cells print NA." };
var command = new RootCommand("Runs the worked examples of docs/ and prints the tables of their pages.") { only, write, times };
command.SetAction(arguments =>
{
    var docs = Path.Combine(Path.GetDirectoryName(MLNet.Pruning.Tests.Repository.Find())!, "docs");
    var chosen = arguments.GetValue(only)!;
    foreach (var path in Directory.GetFiles(docs, "*.md", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        .Where(path => chosen.Length == 0 || chosen.Contains(Path.GetFileNameWithoutExtension(path))))
    {
        var lines = File.ReadAllLines(path);
        var page = new Page(lines);
        var renewed = page.Renewed(!arguments.GetValue(times));
        if (page.Tables.Count == 0)
        {
            continue;
        }

        Console.WriteLine($"# {Path.GetRelativePath(docs, path).Replace(Path.DirectorySeparatorChar, '/')}");
        foreach (var line in new Page(renewed).Tables.SelectMany(table => renewed[table]))
        {
            Console.WriteLine(line);
        }

        if (arguments.GetValue(write))
        {
            File.WriteAllText(path, string.Join('\n', renewed) + "\n");
        }
    }
});
return command.Parse(args).Invoke();
