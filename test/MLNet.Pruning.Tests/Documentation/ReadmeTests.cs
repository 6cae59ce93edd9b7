using System.Text.Json;
using System.Xml.Linq;
using MLNet.Pruning.Scoring.Native;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>The commands of the README and the pages do what they say, and samples print what is quoted.</summary>
[TestClass]
public class ReadmeTests
{
    [TestMethod]
    public void Every_command_is_there()
    {
        var lines = Markdown.Pages.SelectMany(page => Markdown.Commands(page, "")).ToArray();
        string[] scripts = [.. lines.Select(line => line.Split(' ')[0]).Where(word => word.StartsWith("build/", StringComparison.Ordinal))];
        string[] projects = [.. lines.Where(line => line.Contains("--project ")).Select(line => line.Split("--project ")[1].Split(' ')[0])];
        Assert.IsGreaterThan(0, scripts.Length);
        Assert.IsGreaterThan(3, projects.Length);
        foreach (var script in scripts)
        {
            Assert.IsTrue(File.Exists(Path.Combine(Markdown.Root, script)), script);
        }

        foreach (var project in projects)
        {
            Assert.IsNotEmpty(Directory.GetFiles(Path.Combine(Markdown.Root, project), "*.csproj"), project);
        }
    }

    [TestMethod]
    public void The_packages_an_application_references_are_those_of_this_build()
    {
        const string Page = "docs/application.md";
        var references = XDocument.Parse($"<Project>{Markdown.Blocks(Page).Single(block => block.Language == "xml").Text}</Project>")
            .Root!.Elements("PackageReference").ToDictionary(reference => (string)reference.Attribute("Include")!,
                reference => (string)reference.Attribute("Version")!);
        CollectionAssert.AreEquivalent(new[] { "MLNet.Pruning", "libtorch-cpu-linux-x64" }, references.Keys);
        Assert.AreEqual(TorchVersion.Wanted, references["libtorch-cpu-linux-x64"]);
        StringAssert.Contains(Markdown.Read(Page), $"export {TorchLibrary.FolderVariable}=");
        Assert.AreEqual(typeof(Network).Assembly.GetName().Version!.ToString(3), references["MLNet.Pruning"]);
    }

    [TestMethod]
    public void The_sample_prints_what_the_README_says_and_writes_its_report()
    {
        var output = Directory.CreateTempSubdirectory("digits");
        var (exitCode, printed, errors) = ChildProcess.Run(ChildProcess.Built("samples/Digits", "--output", output.FullName));
        Assert.AreEqual(0, exitCode, errors);

        using var report = JsonDocument.Parse(File.ReadAllText(Path.Combine(output.FullName, "report.json")));
        var (dense, pruned) = (report.RootElement.GetProperty("dense"), report.RootElement.GetProperty("pruned"));
        Assert.AreEqual(50_200, dense.GetProperty("nonzeros").GetInt64());
        Assert.AreEqual(2_510, pruned.GetProperty("nonzeros").GetInt64());
        Assert.AreEqual(0.95, pruned.GetProperty("sparsity").GetDouble(), 1e-9);
        Assert.AreEqual(1, report.RootElement.GetProperty("seed").GetInt32());
        Assert.IsGreaterThan(dense.GetProperty("accuracy").GetDouble() - 0.01, pruned.GetProperty("accuracy").GetDouble(), "within one point");

        StringAssert.Contains(File.ReadAllText(Path.Combine(output.FullName, "report.html")), "Handwritten digits");
        // Figures differ from machine to machine in the last rows; what the lines say and the counts do not.
        CollectionAssert.AreEqual(Markdown.Shape(Quoted("README.md", "step  1/10")), Markdown.Shape(printed.Replace(output.FullName, "artifacts/digits")));
        output.Delete(recursive: true);
    }

    [TestMethod]
    public void The_journey_of_an_ONNX_file_is_what_the_page_says()
    {
        var output = Directory.CreateTempSubdirectory("onnx-model");
        var (exitCode, printed, errors) = ChildProcess.Run(ChildProcess.Built("samples/OnnxModel", "--output", output.FullName));
        Assert.AreEqual(0, exitCode, errors);
        CollectionAssert.AreEqual(Markdown.Shape(Quoted("docs/onnx.md", "half of the channels removed")), Markdown.Shape(printed));
        double Accuracy(string line) => double.Parse(Markdown.Figure()
            .Matches(printed.Split('\n').Single(other => other.StartsWith(line))[(line.Length + 1)..])[0].Value
            .TrimEnd('%', ' '), System.Globalization.CultureInfo.InvariantCulture);
        Assert.IsGreaterThan(Accuracy("digits.onnx") - 1.5, Accuracy("half of the channels removed"), "within one and a half points");
        Assert.AreEqual(Accuracy("digits.onnx"), Accuracy("dense.zip"), "the other process scores what this one did");
        Assert.AreEqual(Accuracy("half of the channels removed"), Accuracy("small.zip"));
        Assert.IsLessThan(new FileInfo(Path.Combine(output.FullName, "dense.zip")).Length / 3, new FileInfo(Path.Combine(output.FullName, "small.zip")).Length);
        output.Delete(recursive: true);
    }

    [TestMethod]
    public void The_commands_of_the_tool_do_what_the_pages_show()
    {
        // Pages show the same commands, which are run once.
        var commands = Markdown.Pages.Append("src/MLNet.Pruning.Cli/PACKAGE.md").SelectMany(page => Markdown.Commands(page, "mlnet-prune "))
            .Distinct().Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..]).ToArray();
        Assert.IsGreaterThan(3, commands.Length);
        using var files = new Cli.CliFiles();
        files.Save("model.onnx", Cli.CliFiles.Convolutional());
        foreach (var command in commands)
        {
            var (exitCode, output, errors) = Cli.CliProcess.Run([.. command.Select(argument => argument.EndsWith(".onnx") ? files[argument] : argument)]);
            Assert.AreEqual(0, exitCode, string.Join(' ', command) + output + errors);
        }

        CollectionAssert.Contains(files.Names(), "small.onnx");
    }

    private static string Quoted(string page, string line)
        => Markdown.Blocks(page).Single(block => block.Language == "text" && block.Text.Contains(line)).Text;
}
