using System.Reflection;
using System.Text.RegularExpressions;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>What the pages point to is there: files, headings, commands and members.</summary>
[TestClass]
public partial class PagesTests
{
    public static IEnumerable<object[]> Pages => Markdown.Pages.Append("CHANGELOG.md")
        .Concat(Directory.GetFiles(Path.Combine(Markdown.Root, "src"), "PACKAGE.md", SearchOption.AllDirectories)
            .Select(page => Path.GetRelativePath(Markdown.Root, page)))
        .Select(page => new object[] { page });

    [TestMethod]
    [DynamicData(nameof(Pages))]
    public void Links_lead_somewhere(string page)
    {
        var path = Path.Combine(Markdown.Root, page);
        foreach (var link in Link().Matches(Markdown.Prose(page)).Select(match => match.Groups[1].Value)
            .Where(link => !link.StartsWith("https://", StringComparison.Ordinal)))
        {
            var (file, heading) = (link.Split('#')[0], link.Contains('#') ? link.Split('#')[1] : null);
            var target = file == "" ? path : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, file));
            Assert.IsTrue(File.Exists(target) || Directory.Exists(target), $"{page} links to {link}, which is not there");
            if (heading is not null)
            {
                CollectionAssert.Contains(Headings(target), heading, $"{page} links to {link}");
            }
        }
    }

    [TestMethod]
    public void Every_page_is_in_the_table_of_contents()
    {
        var listed = Entry().Matches(File.ReadAllText(Path.Combine(Markdown.Root, "docs", "toc.yml"))).Select(match => match.Groups[1].Value).ToArray();
        CollectionAssert.AreEquivalent(Markdown.Pages.Skip(1).Select(page => page["docs/".Length..]).ToArray(), listed);
    }

    [TestMethod]
    public void Members_that_the_answers_name_are_public()
    {
        var text = File.ReadAllText(Path.Combine(Markdown.Root, "docs", "troubleshooting.md"));
        var types = typeof(Network).Assembly.GetExportedTypes();
        var named = Member().Matches(text).Select(match => (Type: match.Groups[1].Value, Member: match.Groups[2].Value)).Where(name => name.Type != "MLContext")
            .Distinct().ToArray();
        Assert.IsGreaterThan(10, named.Length);
        foreach (var (name, member) in named)
        {
            var type = types.SingleOrDefault(type => type.Name == name);
            Assert.IsNotNull(type, $"no public type {name}");
            Assert.IsNotEmpty(type.GetMember(member, BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.FlattenHierarchy),
                $"{name} has no public {member}");
        }
    }

    /// <summary>Headings as pages are linked to: small letters, hyphens for spaces, nothing else.</summary>
    private static string[] Headings(string page) => [.. Heading().Matches(Markdown.Prose(page))
        .Select(match => NotLinked().Replace(match.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'))];

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w -]")]
    private static partial Regex NotLinked();

    [GeneratedRegex(@"^\s+href: (\S+)$", RegexOptions.Multiline)]
    private static partial Regex Entry();

    [GeneratedRegex(@"`([A-Z]\w+)\.([A-Z]\w+)")]
    private static partial Regex Member();
}
