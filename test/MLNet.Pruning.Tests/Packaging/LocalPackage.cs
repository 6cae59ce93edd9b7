using System.Diagnostics;
using System.Globalization;
using MLNet.Pruning.Scoring.Native;

namespace MLNet.Pruning.Tests.Packaging;

/// <summary>
/// MLNet.Pruning packed as users get it, in a folder that applications of a test restore from, beside the feeds of the machine's own configuration.
/// What they restore from those is looked for in the machine's packages first, and what is not there goes into a folder of this package's own.
/// </summary>
internal sealed class LocalPackage : IDisposable
{
    /// <summary>What is compiled ahead lies in one folder for all that pack.</summary>
    private static readonly Lock s_packing = new();

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("package");

    public LocalPackage()
    {
        var pack = Start("pack", Path.Combine(Root, "src", "MLNet.Pruning"), "--no-build", "-c", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name,
            "-o", Feed, $"-p:PackageVersion={Version}", $"-p:CompiledRuntimes={TorchVersion.Runtime}");
        pack.Environment["NUGET_PACKAGES"] = MachinePackages;
        lock (s_packing)
        {
            Run(pack);
        }

        File.WriteAllText(Path.Combine(_folder.FullName, "nuget.config"), $"""
            <configuration>
              <packageSources><add key="local" value="feed" /></packageSources>
              <fallbackPackageFolders><add key="machine" value="{MachinePackages}" /></fallbackPackageFolders>
            </configuration>
            """);
    }

    /// <summary>Folder of the solution.</summary>
    public static string Root { get; } = Path.GetDirectoryName(Repository.Find())!;

    /// <summary>Where this machine keeps restored packages.</summary>
    public static string MachinePackages { get; } = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named ? named
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    /// <summary>
    /// A version of its own, so that none of the machine's packages is taken for it, and above all others, for those that ask for the newest. The 1 before the
    /// time: NuGet leaves out the zeros in front of a number, which has them in the first ten hours of a day.
    /// </summary>
    public string Version { get; } = string.Create(CultureInfo.InvariantCulture,
        $"1000.{Environment.ProcessId}.{DateTime.UtcNow:yyyyMMdd}.1{DateTime.UtcNow:HHmmssfff}");

    /// <summary>Folder of packages.</summary>
    public string Feed => Path.Combine(_folder.FullName, "feed");

    /// <summary>An application beside the feed.</summary>
    /// <param name="name">Its folder.</param>
    /// <param name="files">Its files by name; {version}, {libtorch} and {runtime} stand for those of the packages.</param>
    /// <returns>Its folder.</returns>
    public string Write(string name, params (string File, string Content)[] files)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.FullName, name)).FullName;
        foreach (var (file, content) in files)
        {
            File.WriteAllText(Path.Combine(folder, file),
                content.Replace("{version}", Version).Replace("{libtorch}", TorchVersion.Wanted).Replace("{runtime}", TorchVersion.Runtime));
        }

        return folder;
    }

    /// <summary>What starts the SDK's dotnet in the folder above the applications.</summary>
    public ProcessStartInfo Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = _folder.FullName };
        start.Environment["NUGET_PACKAGES"] = Path.Combine(_folder.FullName, "packages");
        // Properties of the builds: libtorch has 460 MB.
        start.Environment["CreateHardLinksForCopyFilesToOutputDirectoryIfPossible"] = "true";
        start.Environment["CreateHardLinksForCopyLocalIfPossible"] = "true";
        start.Environment["CreateHardLinksForPublishFilesIfPossible"] = "true";
        return start;
    }

    /// <summary>Runs the SDK's dotnet, which has to succeed.</summary>
    public string Tool(params string[] arguments) => Run(Start(arguments));

    public void Dispose() => _folder.Delete(recursive: true);

    private static string Run(ProcessStartInfo start)
    {
        var (exitCode, output, errors) = ChildProcess.Run(start);
        Assert.AreEqual(0, exitCode, $"dotnet {string.Join(' ', start.ArgumentList)}\n{output}{errors}");
        return output;
    }
}
