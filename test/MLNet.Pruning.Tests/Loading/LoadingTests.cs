using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using MLNet.Pruning.Scoring.Native;
using MLNet.Pruning.Tests.Packaging;

namespace MLNet.Pruning.Tests.Loading;

/// <summary>
/// Applications built with the package, in processes of their own: TorchSharp's native library loads whatever they touch first and however they
/// are published. On systems older than that library's C++ library (Debian 12, Ubuntu 22.04) this is where it would fail.
/// </summary>
[TestClass]
public class LoadingTests
{
    // Trains a little, uses TorchSharp directly, in the order asked for, and tells which native libraries it has.
    private const string Program = """
        using System.Diagnostics;
        using Microsoft.ML;
        using MLNet.Pruning;
        using TorchSharp;

        Action[] parts = [() => Console.WriteLine(torch.ones(2, 2).sum().item<float>()), Train];
        foreach (var part in args is ["torch"] ? parts : parts.Reverse())
        {
            part();
        }

        var modules = Process.GetCurrentProcess().Modules.Cast<ProcessModule>().Select(module => module.FileName);
        Console.WriteLine(string.Join('\n', modules.Where(file => Path.GetFileName(file).Contains("torch_cpu"))));

        static void Train()
        {
            var ml = new MLContext(seed: 1);
            var rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(i => new Row { Features = [i, 1], Label = i % 2 == 0 }));
            var model = ml.BinaryClassification.Trainers.NeuralNetwork(Network.Mlp(2, 4, 1), epochs: 1).Fit(rows);
            Console.WriteLine(model.Network.ParameterCount);
        }

        internal sealed class Row
        {
            [Microsoft.ML.Data.VectorType(2)]
            public required float[] Features { get; init; }
            public bool Label { get; init; }
        }
        """;

    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="MLNet.Pruning" Version="{version}" />
            <PackageReference Include="libtorch-cpu-{runtime}" Version="{libtorch}" Condition="'$(Without)' != 'true'" />
          </ItemGroup>
        </Project>
        """;

    private static LocalPackage? s_package;

    [ClassInitialize]
    public static void Pack(TestContext context) => s_package = new LocalPackage();

    [ClassCleanup]
    public static void Delete() => s_package?.Dispose();

    [TestMethod]
    public void An_application_that_uses_TorchSharp_first()
    {
        var folder = Publish("built", "build");
        AssertRuns(Executable(folder), ["torch"], ["4", "17"], folder);
        AssertRuns(Executable(folder), ["library"], ["17", "4"], folder);
    }

    [TestMethod]
    public void A_self_contained_application()
    {
        var folder = Publish("self-contained", "publish", "-r", TorchVersion.Runtime, "--self-contained");
        AssertRuns(Executable(folder), ["torch"], ["4", "17"], folder);
    }

    [TestMethod]
    public void An_application_of_a_single_file()
    {
        var folder = Publish("single-file", "publish", "-r", TorchVersion.Runtime, "--self-contained", "-p:PublishSingleFile=true");
        AssertRuns(Executable(folder), ["torch"], ["4", "17"], folder);
    }

    [TestMethod]
    public void An_application_of_a_single_file_that_unpacks_its_libraries()
    {
        var folder = Publish("unpacking", "publish", "-r", TorchVersion.Runtime, "--self-contained", "-p:PublishSingleFile=true",
            "-p:IncludeNativeLibrariesForSelfExtract=true");
        var unpacked = Path.Combine(folder, "unpacked");
        AssertRuns(Executable(folder), ["torch"], ["4", "17"], unpacked,
            new() { ["DOTNET_BUNDLE_EXTRACT_BASE_DIR"] = unpacked });
    }

    [TestMethod]
    public void An_application_that_is_a_file()
    {
        // Ahead-of-time compilation, the default there, takes from ML.NET the code that it makes as it runs.
        const string Directives = "#:package MLNet.Pruning@{version}\n#:package libtorch-cpu-{runtime}@{libtorch}\n#:property PublishAot=false\n";
        var folder = s_package!.Write("file", ("application.cs", Directives + Program));
        AssertRuns(s_package.Start("run", Path.Combine(folder, "application.cs"), "--", "torch"), ["4", "17"], folder: null);
    }

    [TestMethod]
    public void An_application_without_libtorch_says_what_is_missing_and_takes_the_one_of_a_Python_installation()
    {
        var folder = Publish("without", "build", "-p:Without=true");
        Assert.IsEmpty(Directory.GetFiles(folder, "*torch_cpu*", SearchOption.AllDirectories));
        AssertRefuses(folder, null, $"libtorch {TorchVersion.Wanted} is missing", folder,
            $"libtorch-cpu-{TorchVersion.Runtime} in version {TorchVersion.Wanted}", TorchLibrary.FolderVariable);

        // What pip makes of PyTorch: torch/lib beside torch/version.py.
        var torch = Directory.CreateDirectory(Path.Combine(folder, "..", "site-packages", "torch")).FullName;
        var library = Directory.CreateDirectory(Path.Combine(torch, "lib")).FullName;
        AssertRefuses(folder, Path.Combine(torch, "nowhere"), "no such folder");
        AssertRefuses(folder, library, "version.py");
        File.WriteAllText(Path.Combine(torch, "version.py"), "from typing import Optional\n__version__ = '1.13.1+cpu'\n");
        AssertRefuses(folder, library, "1.13.1+cpu", "2.10 or 2.11");

        File.WriteAllText(Path.Combine(torch, "version.py"), "from typing import Optional\n__version__ = '2.10.0+cpu'\n");
        var native = Path.Combine(AppContext.BaseDirectory, "runtimes", TorchVersion.Runtime, "native");
        foreach (var file in Directory.GetFiles(native).Where(file => !file.Contains("LibTorchSharp")))
        {
            File.Copy(file, Path.Combine(library, Path.GetFileName(file)));
        }

        AssertRuns(Executable(folder), ["library"], ["17", "4"], library, new() { [TorchLibrary.FolderVariable] = library });
        AssertRuns(Executable(folder), ["torch"], ["4", "17"], library, new() { [TorchLibrary.FolderVariable] = library });
    }

    /// <summary>Runs it without a libtorch: standard error says all of that, standard output and the folder stay as they were.</summary>
    private static void AssertRefuses(string folder, string? named, params string[] parts)
    {
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories);
        var (exitCode, output, errors) = ChildProcess.Run(Start(Executable(folder), ["library"], new() { [TorchLibrary.FolderVariable] = named }));
        Assert.AreNotEqual(0, exitCode);
        Assert.AreEqual("", output, "TorchSharp's trace");
        CollectionAssert.AreEquivalent(files, Directory.GetFiles(folder, "*", SearchOption.AllDirectories), "copies of libtorch");
        foreach (var part in parts)
        {
            StringAssert.Contains(errors, part);
        }
    }

    /// <summary>Builds the application into a folder of its own.</summary>
    private static string Publish(string name, params string[] arguments)
    {
        var project = s_package!.Write(name, ("application.csproj", Project), ("Program.cs", Program));
        var output = Path.Combine(project, "output");
        s_package.Tool([.. arguments, project, "-c", "Release", "-o", output, "--nologo", "-v", "q"]);
        return output;
    }

    private static ProcessStartInfo Start(string program, string[] arguments, Dictionary<string, string?>? environment)
    {
        var start = new ProcessStartInfo(program, arguments);
        start.Environment.Remove(TorchLibrary.FolderVariable);
        foreach (var (name, value) in environment ?? [])
        {
            start.Environment[name] = value;
        }

        return start;
    }

    private static string Executable(string folder) => Path.Combine(folder, OperatingSystem.IsWindows() ? "application.exe" : "application");

    /// <summary>Runs it: it prints those lines, with libtorch from that folder.</summary>
    private static void AssertRuns(string program, string[] arguments, string[] lines, string folder, Dictionary<string, string?>? environment = null)
        => AssertRuns(Start(program, arguments, environment), lines, folder);

    private static void AssertRuns(ProcessStartInfo start, string[] lines, string? folder)
    {
        var (exitCode, output, errors) = ChildProcess.Run(start);
        Assert.AreEqual(0, exitCode, output + errors);
        var printed = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        CollectionAssert.AreEqual(lines, printed[..^1], output);
        if (folder is not null)
        {
            StringAssert.StartsWith(printed[^1], folder);
        }
    }
}
