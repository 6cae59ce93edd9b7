using System.Text.RegularExpressions;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>The README and the pages of docs/, read as text.</summary>
internal static partial class Markdown
{
    /// <summary>Folder of the checkout.</summary>
    public static string Root { get; } = Path.GetDirectoryName(Repository.Find())!;

    /// <summary>The README and all pages, as paths from the root with slashes.</summary>
    public static string[] Pages { get; } = ["README.md", .. Directory.GetFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories)
        .Select(page => Path.GetRelativePath(Root, page).Replace(Path.DirectorySeparatorChar, '/')).Order(StringComparer.Ordinal)];

    public static string Read(string page) => File.ReadAllText(Path.Combine(Root, page)).ReplaceLineEndings("\n");

    /// <summary>Its code blocks, in order.</summary>
    public static (string Language, string Text)[] Blocks(string page) => [.. CodeBlock().Matches(Read(page))
        .Select(block => (block.Groups[1].Value, block.Groups[2].Value))];

    /// <summary>Lines of its commands that begin so.</summary>
    public static string[] Commands(string page, string start) => [.. Blocks(page).Where(block => block.Language == "sh")
        .SelectMany(block => block.Text.Split('\n')).Where(line => line.StartsWith(start, StringComparison.Ordinal))];

    /// <summary>Its text without code blocks.</summary>
    public static string Prose(string page) => CodeBlock().Replace(Read(page), "");

    /// <summary>Lines without their figures, blank ones left out: what other machines print too.</summary>
    public static string[] Shape(string text) => [.. text.Split('\n').Select(line => Spaces().Replace(Figure().Replace(line, "#"), " ").Trim())
        .Where(line => line.Length > 0 && !line.StartsWith("report:") && line.Trim('-').Length > 0)];

    [GeneratedRegex(@"^```(\w+)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\d[\d.,]*( %)?")]
    public static partial Regex Figure();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
