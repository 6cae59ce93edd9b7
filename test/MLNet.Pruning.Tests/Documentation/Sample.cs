using System.Diagnostics;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>The built sample in a process of its own.</summary>
internal static class Sample
{
    /// <summary>The folder samples/Digits was built into, in the configuration of these tests.</summary>
    public static string Folder => Path.Combine(Path.GetDirectoryName(Repository.Find())!, "samples", "Digits", "bin",
        new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0");

    /// <summary>Runs the sample from a folder, without the packages of this machine: TorchSharp would look for its native libraries there.</summary>
    public static (int ExitCode, string Output, string Errors) Run(string folder, params string[] arguments) => Start(folder, "Digits", arguments);

    /// <summary>Runs samples/OnnxModel.</summary>
    public static (int ExitCode, string Output, string Errors) RunOnnxModel(params string[] arguments)
        => Start(Folder.Replace(Path.Combine("samples", "Digits"), Path.Combine("samples", "OnnxModel")), "OnnxModel", arguments);

    /// <summary>Runs samples/Trees.</summary>
    public static (int ExitCode, string Output, string Errors) RunTrees(params string[] arguments)
        => Start(Folder.Replace(Path.Combine("samples", "Digits"), Path.Combine("samples", "Trees")), "Trees", arguments);

    /// <summary>Runs samples/Mnist.</summary>
    public static (int ExitCode, string Output, string Errors) RunMnist(params string[] arguments)
        => Start(Folder.Replace(Path.Combine("samples", "Digits"), Path.Combine("samples", "Mnist")), "Mnist", arguments);

    /// <summary>Runs samples/Distillation.</summary>
    public static (int ExitCode, string Output, string Errors) RunDistillation(params string[] arguments)
        => Start(Folder.Replace(Path.Combine("samples", "Digits"), Path.Combine("samples", "Distillation")), "Distillation", arguments);

    private static (int ExitCode, string Output, string Errors) Start(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(folder, program + ".dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["NUGET_PACKAGES"] = folder;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
