namespace MLNet.Pruning.Tests.Architecture;

/// <summary>Lines that fit a screen. The analyzer that holds code to it lets comments and texts pass.</summary>
[TestClass]
public class LineLengthTests
{
    private const int Most = 160;

    /// <summary>How a file that a tool wrote begins, as analyzers know it too.</summary>
    private const string Generated = "// This file was auto-generated";

    [TestMethod]
    public void No_line_is_longer_than_160_characters()
    {
        var root = Path.GetDirectoryName(Repository.Find())!;
        var files = new[] { "src", "test", "samples" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(path => !Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"))
            .Where(path => File.ReadLines(path).FirstOrDefault()?.StartsWith(Generated, StringComparison.Ordinal) != true).ToArray();
        Assert.IsGreaterThan(500, files.Length);
        var wrong = files.SelectMany(path => File.ReadLines(path).Index().Where(line => line.Item.Length > Most)
            .Select(line => $"{Path.GetRelativePath(root, path)}:{line.Index + 1} has {line.Item.Length}"));
        Assert.IsEmpty(wrong, string.Join(Environment.NewLine, wrong));
    }
}
