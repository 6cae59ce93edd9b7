using System.Diagnostics;
using System.Globalization;
using MLNet.Pruning.Scoring.Native;

namespace MLNet.Pruning.Tests.Loading;

/// <summary>MLNet.Pruning packed as users get it, in a folder that applications of a test restore from.</summary>
internal sealed class LocalPackage : IDisposable
{
    // A version of its own: a restored package is never looked at again under the same one.
    private readonly string _version = string.Create(CultureInfo.InvariantCulture, $"0.1.0-test.{Environment.ProcessId}.{DateTime.UtcNow:yyyyMMddHHmmss}");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("loading");

    public LocalPackage()
    {
        var root = Path.GetDirectoryName(Repository.Find())!;
        Tool("pack", Path.Combine(root, "src", "MLNet.Pruning"), "--no-build", "-c", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name,
            "-o", Path.Combine(_folder.FullName, "feed"), $"-p:PackageVersion={_version}");
        File.WriteAllText(Path.Combine(_folder.FullName, "nuget.config"),
            """<configuration><packageSources><add key="local" value="feed" /></packageSources></configuration>""");
    }

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
                content.Replace("{version}", _version).Replace("{libtorch}", TorchVersion.Wanted).Replace("{runtime}", TorchVersion.Runtime));
        }

        return folder;
    }

    /// <summary>Runs the SDK's dotnet, which has to succeed.</summary>
    public static string Tool(params string[] arguments)
    {
        var (exitCode, output, errors) = ChildProcess.Run(new ProcessStartInfo("dotnet", arguments));
        Assert.AreEqual(0, exitCode, $"dotnet {string.Join(' ', arguments)}\n{output}{errors}");
        return output;
    }

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var restored = new DirectoryInfo(Path.Combine(cache, "mlnet.pruning", _version));
        if (restored.Exists)
        {
            restored.Delete(recursive: true);
        }
    }
}
