using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MLNet.Pruning.Scoring.Native;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>The README's code blocks are compiled and run, its commands and figures compared with what the sample prints.</summary>
[TestClass]
public partial class ReadmeTests
{
    private static readonly string s_readme = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "README.md"));

    private static readonly string[] s_programs = [.. CodeBlock().Matches(s_readme).Where(block => block.Groups[1].Value == "csharp")
        .Select(block => block.Groups[2].Value)];

    public static IEnumerable<object[]> Programs => s_programs.Select((_, number) => new object[] { number });

    [TestMethod]
    [DynamicData(nameof(Programs))]
    public void Every_program_compiles_and_runs(int number)
    {
        var folder = Directory.CreateTempSubdirectory("readme");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "data", "optdigits.csv"), Path.Combine(folder.FullName, "optdigits.csv"));
        // Programs name their data relative to where they run; tests share one process and so one current folder.
        var source = s_programs[number].Replace("\"optdigits.csv\"", SymbolDisplay.FormatLiteral(Path.Combine(folder.FullName, "optdigits.csv"), quote: true));
        var main = Compile(source).EntryPoint!;
        main.Invoke(null, main.GetParameters().Length == 0 ? null : [Array.Empty<string>()]);
        folder.Delete(recursive: true);
    }

    [TestMethod]
    public void The_groups_of_a_residual_block_are_those_that_the_page_shows()
    {
        var blocks = CodeBlock().Matches(File.ReadAllText(Path.Combine(Path.GetDirectoryName(Repository.Find())!, "docs", "how-it-works.md")));
        var program = blocks.Single(block => block.Groups[1].Value == "csharp").Groups[2].Value;
        // What it prints is its own; tests share one console.
        var assembly = Compile(program.Replace("Console.Write", "Printed.Text.Write")
            + "public static class Printed { public static readonly StringWriter Text = new(); }");
        assembly.EntryPoint!.Invoke(null, assembly.EntryPoint.GetParameters().Length == 0 ? null : [Array.Empty<string>()]);
        Assert.AreEqual(blocks.Single(block => block.Groups[1].Value == "text").Groups[2].Value.TrimEnd(),
            assembly.GetType("Printed")!.GetField("Text")!.GetValue(null)!.ToString()!.ReplaceLineEndings("\n").TrimEnd());
    }

    [TestMethod]
    public void Every_command_is_there()
    {
        var root = Path.GetDirectoryName(Repository.Find())!;
        var lines = CodeBlock().Matches(s_readme).Where(block => block.Groups[1].Value == "sh").SelectMany(block => block.Groups[2].Value.Split('\n'))
            .ToArray();
        string[] scripts = [.. lines.Select(line => line.Split(' ')[0]).Where(word => word.StartsWith("build/", StringComparison.Ordinal))];
        string[] projects = [.. lines.Where(line => line.Contains("--project ")).Select(line => line.Split("--project ")[1].Split(' ')[0])];
        Assert.IsGreaterThan(0, scripts.Length);
        Assert.IsGreaterThan(3, projects.Length);
        foreach (var script in scripts)
        {
            Assert.IsTrue(File.Exists(Path.Combine(root, script)), script);
        }

        foreach (var project in projects)
        {
            Assert.IsNotEmpty(Directory.GetFiles(Path.Combine(root, project), "*.csproj"), project);
        }
    }

    [TestMethod]
    public void The_packages_an_application_references_are_those_of_this_build()
    {
        var references = XDocument.Parse($"<Project>{CodeBlock().Matches(s_readme).Single(block => block.Groups[1].Value == "xml").Groups[2].Value}</Project>")
            .Root!.Elements("PackageReference").ToDictionary(reference => (string)reference.Attribute("Include")!,
                reference => (string)reference.Attribute("Version")!);
        CollectionAssert.AreEquivalent(new[] { "MLNet.Pruning", "libtorch-cpu-linux-x64" }, references.Keys);
        Assert.AreEqual(TorchVersion.Wanted, references["libtorch-cpu-linux-x64"]);
        StringAssert.Contains(s_readme, $"export {TorchLibrary.FolderVariable}=");
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
        CollectionAssert.AreEqual(Shape(Quoted("step  1/10")), Shape(printed.Replace(output.FullName, "artifacts/digits")));
        output.Delete(recursive: true);
    }

    [TestMethod]
    public void The_journey_of_an_ONNX_file_is_what_the_README_says()
    {
        var output = Directory.CreateTempSubdirectory("onnx-model");
        var (exitCode, printed, errors) = ChildProcess.Run(ChildProcess.Built("samples/OnnxModel", "--output", output.FullName));
        Assert.AreEqual(0, exitCode, errors);
        CollectionAssert.AreEqual(Shape(Quoted("half of the channels removed")), Shape(printed));
        double Accuracy(string line) => double.Parse(Figure().Matches(printed.Split('\n').Single(other => other.StartsWith(line))[(line.Length + 1)..])[0].Value
            .TrimEnd('%', ' '), System.Globalization.CultureInfo.InvariantCulture);
        Assert.IsGreaterThan(Accuracy("digits.onnx") - 1.5, Accuracy("half of the channels removed"), "within one and a half points");
        Assert.AreEqual(Accuracy("digits.onnx"), Accuracy("dense.zip"), "the other process scores what this one did");
        Assert.AreEqual(Accuracy("half of the channels removed"), Accuracy("small.zip"));
        Assert.IsLessThan(new FileInfo(Path.Combine(output.FullName, "dense.zip")).Length / 3, new FileInfo(Path.Combine(output.FullName, "small.zip")).Length);
        output.Delete(recursive: true);
    }

    [TestMethod]
    [DataRow("README.md")]
    [DataRow("src/MLNet.Pruning.Cli/PACKAGE.md")]
    [DataRow("docs/troubleshooting.md")]
    public void The_commands_of_the_tool_do_what_the_page_shows(string page)
    {
        var commands = CodeBlock().Matches(File.ReadAllText(Path.Combine(Path.GetDirectoryName(Repository.Find())!, page)))
            .Where(block => block.Groups[1].Value == "sh").SelectMany(block => block.Groups[2].Value.Split('\n'))
            .Where(line => line.StartsWith("mlnet-prune ")).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..]).ToArray();
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

    private static Assembly Compile(string source)
    {
        const string Usings = "global using System; global using System.Linq; global using System.IO; global using System.Collections.Generic;";
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create($"Page{Guid.NewGuid():N}", [CSharpSyntaxTree.ParseText(Usings + source)], references,
            new(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        using var image = new MemoryStream();
        var emitted = compilation.Emit(image);
        Assert.IsTrue(emitted.Success, string.Join(Environment.NewLine, emitted.Diagnostics));
        return Assembly.Load(image.ToArray());
    }

    private static string Quoted(string line) => CodeBlock().Matches(s_readme)
        .Single(block => block.Groups[1].Value == "text" && block.Groups[2].Value.Contains(line)).Groups[2].Value;

    /// <summary>Lines without their figures, blank ones left out.</summary>
    private static string[] Shape(string text) => [.. text.Split('\n').Select(line => Spaces().Replace(Figure().Replace(line, "#"), " ").Trim())
        .Where(line => line.Length > 0 && !line.StartsWith("report:") && line.Trim('-').Length > 0)];

    [GeneratedRegex(@"^```(\w+)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\d[\d.,]*( %)?")]
    private static partial Regex Figure();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
