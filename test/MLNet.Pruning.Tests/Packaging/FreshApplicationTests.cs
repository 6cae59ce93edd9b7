using System.Globalization;
using System.Text.RegularExpressions;
using MLNet.Pruning.Scoring.Native;

namespace MLNet.Pruning.Tests.Packaging;

/// <summary>What a user does first: a new application in an empty folder, the packages, the program of the gallery's page.</summary>
[TestClass]
public partial class FreshApplicationTests
{
    private static LocalPackage? s_package;

    [ClassInitialize]
    public static void Pack(TestContext context) => s_package = new LocalPackage();

    [ClassCleanup]
    public static void Delete() => s_package?.Dispose();

    [TestMethod]
    public void A_new_console_application_with_the_package_and_a_libtorch_runs_the_program_of_its_page()
    {
        var folder = s_package!.Write("fresh");
        s_package.Tool("new", "console", "-o", folder, "--no-restore", "--debug:custom-hive", Path.Combine(folder, "..", "hive"));
        s_package.Tool("add", folder, "package", "MLNet.Pruning", "--version", s_package.Version);
        s_package.Tool("add", folder, "package", $"libtorch-cpu-{TorchVersion.Runtime}", "--version", TorchVersion.Wanted);
        var page = File.ReadAllText(Path.Combine(LocalPackage.Root, "src", "MLNet.Pruning", "PACKAGE.md"));
        const string Counts = """
            internal static class Counts
            {
                [System.Runtime.CompilerServices.ModuleInitializer]
                internal static void AtTheEnd() => AppDomain.CurrentDomain.ProcessExit
                    += (_, _) => Console.WriteLine($"compiled {System.Runtime.JitInfo.GetCompiledMethodCount()}");
            }
            """;
        s_package.Write("fresh", ("Program.cs", Program().Match(page).Groups[1].Value), ("Counts.cs", Counts));

        var printed = s_package.Tool("run", "--project", folder, "-c", "Release");
        // The circle takes 38 % of the points.
        Assert.IsGreaterThan(90, double.Parse(Accuracy().Match(printed).Groups[1].Value, CultureInfo.InvariantCulture), printed);
        StringAssert.Contains(printed, "(0.6, 0.4) in the circle: True");

        // Of 64 and 32 units half are left: 2 -> a -> b -> 1.
        var (first, second) = (Parameters(printed, "fc1") / 3, Parameters(printed, "fc3") - 1);
        Assert.AreEqual(48, first + second, printed);
        Assert.AreEqual((first + 1) * second, Parameters(printed, "fc2"), printed);

        // What came compiled is compiled no more: against the assembly for all systems in its place.
        var application = Path.Combine(folder, "bin", "Release", "net10.0");
        var compiled = Compiled(application);
        var packaged = Path.Combine(application, "runtimes", TorchVersion.Runtime, "lib", "net10.0", "MLNet.Pruning.dll");
        File.Delete(packaged);
        File.Copy(Path.Combine(application, "MLNet.Pruning.dll"), packaged);
        var without = Compiled(application);
        Assert.IsLessThan(0.8 * without, compiled, $"{compiled} methods, {without} without");
    }

    [TestMethod]
    public void A_project_for_an_older_NET_is_told_what_the_package_is_for()
    {
        const string Project = """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net8.0</TargetFramework>
                <EnableTargetingPackDownload>false</EnableTargetingPackDownload>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="MLNet.Pruning" Version="{version}" />
              </ItemGroup>
            </Project>
            """;
        var folder = s_package!.Write("older", ("older.csproj", Project));
        var (exitCode, output, errors) = ChildProcess.Run(s_package.Start("restore", folder));
        Assert.AreNotEqual(0, exitCode);
        StringAssert.Contains(output + errors, "NU1202");
        StringAssert.Contains(output + errors, "net10.0");
    }

    /// <summary>Methods that the runtime compiles while the application runs.</summary>
    private static int Compiled(string application) => int.Parse(Methods().Match(s_package!.Tool(Path.Combine(application, "fresh.dll"))).Groups[1].Value,
        CultureInfo.InvariantCulture);

    /// <summary>The first figure of a layer's line in the table.</summary>
    private static int Parameters(string table, string layer) => int.Parse(
        Regex.Match(table, $@"^{layer} +([\d,]+)", RegexOptions.Multiline).Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^```csharp\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Program();

    [GeneratedRegex(@"^compiled (\d+)", RegexOptions.Multiline)]
    private static partial Regex Methods();

    [GeneratedRegex(@"^accuracy ([\d.]+)", RegexOptions.Multiline)]
    private static partial Regex Accuracy();
}
