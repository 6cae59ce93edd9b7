using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using MLNet.Pruning.Scoring.Native;
using MLNet.Pruning.Tests.Packaging;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>The notebooks of samples/notebooks, and the applications of the same code beside them.</summary>
[TestClass]
public class NotebookTests
{
    private static readonly string s_folder = Path.Combine(LocalPackage.Root, "samples", "notebooks");
    private static readonly string[] s_names = [.. Directory.GetFiles(s_folder, "*.ipynb").Select(Path.GetFileNameWithoutExtension).Order()!];
    private static LocalPackage? s_package;

    public static IEnumerable<object[]> Names => s_names.Select(name => new object[] { name });

    [ClassInitialize]
    public static void Pack(TestContext context) => s_package = new LocalPackage();

    [ClassCleanup]
    public static void Delete() => s_package?.Dispose();

    /// <summary>A matrix of ML.NET's own, 3 of 4 rows right.</summary>
    private const string Matrix = """
        using Microsoft.ML;
        class Scored { public bool Label { get; set; } public bool PredictedLabel => Score > 0; public float Score { get; set; } }
        var ml = new MLContext(seed: 1);
        var rows = new[] { true, true, false, true }.Select((right, i) => new Scored { Label = i % 2 == 0 == right, Score = i % 2 == 0 ? 1 : -1 });
        ml.BinaryClassification.EvaluateNonCalibrated(ml.Data.LoadFromEnumerable(rows)).ConfusionMatrix
        """;

    [TestMethod]
    public void Every_notebook_runs_in_a_kernel_in_process_and_gives_what_is_saved()
    {
        Assert.HasCount(5, s_names);
        var folder = Folder("kernel");
        File.WriteAllText(Path.Combine(folder, "matrix.ipynb"), Notebook("#r \"nuget: MLNet.Pruning\"", Matrix));
        var start = Kernel(ChildProcess.Built("test/MLNet.Pruning.Notebooks", ["run", .. s_names.Select(name => $"{name}.ipynb"), "matrix.ipynb"]), folder);
        var (exitCode, output, errors) = ChildProcess.Run(start);
        Assert.AreEqual(0, exitCode, output + errors);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.HasCount(s_names.Length + 1, lines, output + errors);
        foreach (var (name, line) in s_names.Zip(lines))
        {
            new SavedNotebook(Path.Combine(s_folder, $"{name}.ipynb")).AssertGave(name, Answered(line));
        }

        var shown = XElement.Parse(Answered(lines[^1])[^1].Html!).Descendants("td").Select(cell => cell.Value).ToArray();
        CollectionAssert.AreEqual(new[] { "positive", "1", "0", "100.0%", "negative", "1", "2", "66.7%", "precision", "50.0%", "100.0%", "75.0%" }, shown);
    }

    [TestMethod]
    [RequiresJupyter]
    public void A_notebook_runs_under_Jupyter_in_the_real_kernel()
    {
        const string Name = "any-onnx-file";
        var folder = Folder("jupyter");
        var kernels = Directory.CreateDirectory(Path.Combine(folder, "jupyter", "kernels")).FullName;
        foreach (var (program, arguments) in new (string, string[])[] { ("dotnet-interactive", ["jupyter", "install", "--path", kernels]),
            ("jupyter-nbconvert", ["--to", "notebook", "--execute", $"{Name}.ipynb", "--output", "executed.ipynb"]) })
        {
            var file = RequiresJupyterAttribute.Folders.Select(place => Path.Combine(place, program)).FirstOrDefault(File.Exists) ?? program;
            var start = Kernel(new ProcessStartInfo(file, arguments), folder);
            start.Environment["PATH"] = string.Join(Path.PathSeparator, RequiresJupyterAttribute.Folders);
            start.Environment["JUPYTER_DATA_DIR"] = Path.Combine(folder, "jupyter");
            var (exitCode, output, errors) = ChildProcess.Run(start);
            Assert.AreEqual(0, exitCode, output + errors);
        }

        new SavedNotebook(Path.Combine(s_folder, $"{Name}.ipynb")).AssertGave(Name, new SavedNotebook(Path.Combine(folder, "executed.ipynb")).Outputs);
    }

    [TestMethod]
    public void An_application_runs_and_prints_what_its_notebook_does()
    {
        const string Name = "getting-started";
        var folder = Folder("application");
        var start = s_package!.Start("run", $"{Name}.cs");
        start.WorkingDirectory = folder;
        start.Environment["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1";
        var (exitCode, output, errors) = ChildProcess.Run(start);
        Assert.AreEqual(0, exitCode, output + errors);
        var saved = new SavedNotebook(Path.Combine(s_folder, $"{Name}.ipynb"));
        // The digit that it draws, line by line, and the tables of what the notebook shows as HTML.
        StringAssert.Contains(output.ReplaceLineEndings("\n"), saved.Outputs[1].Printed);
        StringAssert.Contains(output, "accuracy of what was loaded");
        foreach (var heading in new[] { "metric", "layer" })
        {
            Assert.MatchesRegex($@"(?m)^{heading} .*\r?\n-+\r?$", output);
        }
    }

    [TestMethod]
    public void The_applications_are_those_of_the_notebooks()
    {
        var folder = s_package!.Write("written", [.. Directory.GetFiles(s_folder, "*.ipynb")
            .Select(file => (Path.GetFileName(file), File.ReadAllText(file)))]);
        var (exitCode, output, errors) = ChildProcess.Run(ChildProcess.Built("test/MLNet.Pruning.Notebooks", "write", folder));
        Assert.AreEqual(0, exitCode, output + errors);
        foreach (var file in s_names.SelectMany(name => new[] { $"{name}.cs", $"{name}.ipynb" }))
        {
            Assert.AreEqual(File.ReadAllText(Path.Combine(s_folder, file)).ReplaceLineEndings("\n"),
                File.ReadAllText(Path.Combine(folder, file)).ReplaceLineEndings("\n"),
                $"samples/notebooks/{file} is not what is written of its notebook: run build/notebooks.sh");
        }
    }

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void An_application_compiles_and_names_its_packages(string name)
    {
        var source = File.ReadAllText(Path.Combine(s_folder, $"{name}.cs"));
        StringAssert.StartsWith(source.ReplaceLineEndings("\n"),
            $"#!/usr/bin/env dotnet\n#:package MLNet.Pruning@*\n#:package libtorch-cpu-linux-x64@{TorchVersion.Wanted}\n#:property PublishAot=false\n");
        const string Usual = "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;";
        var options = new CSharpParseOptions().WithFeatures([new("FileBasedProgram", "true")]);
        var compilation = CSharpCompilation.Create(name, [CSharpSyntaxTree.ParseText(source, options), CSharpSyntaxTree.ParseText(Usual, options)],
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path)),
            new(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        Assert.IsEmpty(compilation.GetDiagnostics().Where(one => one.Severity >= DiagnosticSeverity.Warning));
    }

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void A_notebook_is_saved_as_editors_keep_it_with_what_every_cell_gave(string name)
    {
        var notebook = new SavedNotebook(Path.Combine(s_folder, $"{name}.ipynb"));
        Assert.AreEqual(".net-csharp", (string?)notebook.Root["metadata"]!["kernelspec"]!["name"]);
        var cells = notebook.Root["cells"]!.AsArray();
        Assert.HasCount(cells.Count, cells.Select(cell => (string)cell!["id"]!).Distinct());
        for (var i = 0; i < notebook.Code.Count; i++)
        {
            var cell = notebook.Code[i];
            Assert.AreEqual(i + 1, (int?)cell["execution_count"], SavedNotebook.Text(cell["source"]!));
            Assert.AreEqual("csharp", (string?)cell["metadata"]!["polyglot_notebook"]!["kernelName"]);
            Assert.IsFalse(cell["outputs"]!.AsArray().Any(output => (string)output!["output_type"]! == "error"));
        }

        Assert.Contains(output => output.Html is not null, notebook.Outputs);
        foreach (var place in new[] { Path.GetTempPath(), "/root", "/home", "/Users", @"C:\\" })
        {
            Assert.IsFalse(notebook.Outputs.Any(output => (output.Printed + output.Html).Contains(place, StringComparison.Ordinal)), place);
        }
    }

    /// <summary>What the kernel's program says of a notebook.</summary>
    private static CellOutput[] Answered(string line)
    {
        var cells = JsonNode.Parse(line)!.AsArray();
        Assert.IsNull((string?)cells[^1]!["Error"]);
        return [.. cells.Select(cell => new CellOutput((string)cell!["Printed"]!,
            (string?)cell["Shown"]!.AsArray().SingleOrDefault(form => (string)form!["MimeType"]! == "text/html")?["Value"]))];
    }

    /// <summary>A notebook that was never run.</summary>
    private static string Notebook(params string[] cells) => JsonSerializer.Serialize(new
    {
        cells = cells.Select((source, i) => new { cell_type = "code", id = $"cell{i}", metadata = new { }, outputs = Array.Empty<string>(), source }),
        metadata = new { kernelspec = new { display_name = ".NET (C#)", language = "C#", name = ".net-csharp" } },
        nbformat = 4,
        nbformat_minor = 5,
    });

    /// <summary>A folder with the notebooks and their applications as one who downloads them has it: with the data beside them.</summary>
    private static string Folder(string name)
    {
        var folder = s_package!.Write(name, ("nuget.config",
            """<configuration><packageSources><add key="local" value="../feed" /></packageSources></configuration>"""));
        foreach (var file in Directory.GetFiles(s_folder).Concat(Directory.GetFiles(Path.Combine(LocalPackage.Root, "samples", "data"), "*.csv")))
        {
            if (Path.GetExtension(file) is ".ipynb" or ".cs" or ".csv")
            {
                File.WriteAllText(Path.Combine(folder, Path.GetFileName(file)), File.ReadAllText(file)
                    .Replace("libtorch-cpu-linux-x64", $"libtorch-cpu-{TorchVersion.Runtime}", StringComparison.Ordinal));
            }
        }

        return folder;
    }

    /// <summary>A kernel in a folder, which looks for packages in the machine's own first, and keeps what is not there with the test.</summary>
    private static ProcessStartInfo Kernel(ProcessStartInfo start, string folder)
    {
        start.WorkingDirectory = folder;
        start.Environment["NUGET_PACKAGES"] = Path.Combine(s_package!.Feed, "..", "packages");
        start.Environment["NUGET_FALLBACK_PACKAGES"] = LocalPackage.MachinePackages;
        start.Environment["DOTNET_INTERACTIVE_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1";
        return start;
    }
}
