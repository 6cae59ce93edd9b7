using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace MLNet.Pruning.Tests.Cli;

/// <summary>What help promises: its examples run, in turn and as they stand.</summary>
[TestClass]
public partial class HelpTests
{
    [TestMethod]
    public void Every_example_runs()
    {
        using var files = new CliFiles();
        files.Save("model.onnx", Network.Mlp(3, 16, 3).Initialize(1));
        var random = new Random(1);
        files.Write("rows.csv", ["a,b,c,y", .. Enumerable.Range(0, 60).Select(i => string.Create(CultureInfo.InvariantCulture,
            $"{random.NextDouble()},{random.NextDouble()},{random.NextDouble()},{i % 3}"))]);
        var commands = Command().Matches(Help()).Select(match => match.Groups[1].Value).ToArray();
        Assert.Contains("distil", commands);
        var overview = Lines("").ToArray();
        Assert.HasCount(commands.Length, overview, "one for each command");
        foreach (var line in overview.Union(commands.SelectMany(command => Lines(command))))
        {
            var start = CliProcess.Start([.. Word().Matches(line).Skip(1).Select(word => word.Value.Replace("\"", ""))]);
            start.WorkingDirectory = Path.GetDirectoryName(files["model.onnx"])!;
            var (code, output, errors) = ChildProcess.Run(start);
            Assert.AreEqual(0, code, $"{line}: {output}{errors}");
        }
    }

    private static string Help(params string[] command) => CliProcess.Run([.. command, "--help"]).Output;

    private static IEnumerable<string> Lines(string command) => Help(command.Length == 0 ? [] : [command]).Split('\n').Select(line => line.Trim())
        .Where(line => line.StartsWith("mlnet-prune ", StringComparison.Ordinal) && !line.Contains('[') && !line.Contains('<'));

    [GeneratedRegex(@"^  ([a-z]+) <", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"(""[^""]*""|\S)+")]
    private static partial Regex Word();
}
