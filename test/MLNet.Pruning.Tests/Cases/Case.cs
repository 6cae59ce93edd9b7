namespace MLNet.Pruning.Tests.Cases;

/// <summary>The files under Cases/Files: small networks rebuilt from public bug reports, and hostile ones. README.md there says what each is.</summary>
internal static class Case
{
    private static readonly string Folder = Path.Combine(Path.GetDirectoryName(Repository.Find())!, "test", "MLNet.Pruning.Tests", "Cases", "Files");

    /// <summary>Path of a case, as "view_conv" or "hostile/squares24".</summary>
    public static string File(string name) => Path.Combine(Folder, Path.HasExtension(name) ? name : name + ".onnx");

    /// <summary>Names of all files in a folder, without their extension.</summary>
    public static IEnumerable<string> In(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Folder, folder), "*.onnx").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)!;
}
