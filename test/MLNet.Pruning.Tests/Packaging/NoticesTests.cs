using System.Text.Json;
using System.Xml.Linq;

namespace MLNet.Pruning.Tests.Packaging;

/// <summary>THIRD-PARTY-NOTICES.txt names what the packages depend on or hold, as those packages say it of themselves.</summary>
[TestClass]
public class NoticesTests
{
    private const string Rule = "--------------------------------------------------------------------------------\n";

    [TestMethod]
    public void Every_package_that_users_get_is_named_with_its_copyright_and_licence()
    {
        var blocks = File.ReadAllText(Path.Combine(LocalPackage.Root, "THIRD-PARTY-NOTICES.txt")).Split(Rule)[2..^4];
        var (packages, folders) = Restored("src/MLNet.Pruning.Cli");
        var expected = packages.Select(package => Block(package, folders)).ToArray();
        foreach (var block in expected)
        {
            CollectionAssert.Contains(blocks, block, $"missing or out of date:\n{block}");
        }

        // The libtorch of other systems is not restored on this one.
        string[] libraries = [.. blocks.Where(block => block.StartsWith("libtorch-cpu-", StringComparison.Ordinal))];
        Assert.HasCount(4, libraries);
        CollectionAssert.AreEquivalent(expected.Union(libraries).ToArray(), blocks, "named, and not a dependency any more");
    }

    [TestMethod]
    public void Every_licence_named_is_there_in_full()
    {
        var parts = File.ReadAllText(Path.Combine(LocalPackage.Root, "THIRD-PARTY-NOTICES.txt")).Split(Rule);
        var named = parts[1..^4].Select(block => block.TrimEnd().Split("Licence: ")[1]).Distinct().Order().ToArray();
        CollectionAssert.AreEqual(new[] { "Apache-2.0", "BSD-3-Clause", "MIT" }, named);
        CollectionAssert.AreEquivalent(named, parts[^3..].Select(licence => licence.Split('\n')[0]).ToArray());
        foreach (var licence in parts[^3..])
        {
            StringAssert.Contains(licence, "WARRANTIES");
        }
    }

    /// <summary>Packages whose files a project loads, and the folders that they lie in.</summary>
    private static (string[] Packages, string[] Folders) Restored(string project)
    {
        using var assets = JsonDocument.Parse(File.ReadAllText(Path.Combine(LocalPackage.Root, project, "obj", "project.assets.json")));
        string[] loaded = ["compile", "runtime", "native", "runtimeTargets"];
        return ([.. assets.RootElement.GetProperty("targets").EnumerateObject().First().Value.EnumerateObject()
            .Where(library => library.Value.GetProperty("type").GetString() == "package" && loaded.Any(kind => library.Value.TryGetProperty(kind, out _)))
            .Select(library => library.Name)],
            [.. assets.RootElement.GetProperty("packageFolders").EnumerateObject().Select(folder => folder.Name)]);
    }

    /// <summary>What the file has to say of a package, from its own description.</summary>
    private static string Block(string package, string[] folders)
    {
        var (id, version) = (package.Split('/')[0], package.Split('/')[1]);
        var folder = folders.Select(root => Path.Combine(root, id.ToLowerInvariant(), version.ToLowerInvariant())).First(Directory.Exists);
        var description = XDocument.Load(Path.Combine(folder, id.ToLowerInvariant() + ".nuspec")).Root!.Elements().Single();
        string Of(string element) => description.Elements().SingleOrDefault(other => other.Name.LocalName == element)?.Value.Trim() ?? "";
        var licence = description.Elements().Single(element => element.Name.LocalName == "license");
        // A licence in a file: its first line.
        var named = (string?)licence.Attribute("type") == "file" ? File.ReadLines(Path.Combine(folder, licence.Value)).First().Replace(" License", "")
            : licence.Value;
        return $"{id}\n{Of("copyright")}\n{Of("projectUrl")}\nLicence: {named}\n";
    }
}
