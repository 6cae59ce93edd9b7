using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace MLNet.Pruning.Pages;

/// <summary>A table of all options of a class, with their defaults, from the documentation of its properties.</summary>
internal static partial class OptionTable
{
    private static readonly Lazy<Dictionary<string, XElement>> s_documentation = new(() => XDocument
        .Load(Path.ChangeExtension(typeof(Network).Assembly.Location, ".xml")).Descendants("member").ToDictionary(member => (string)member.Attribute("name")!));

    /// <summary>Whether a heading names options.</summary>
    public static bool Names(string heading) => Heading().IsMatch(heading);

    /// <param name="heading">Their name, in backticks.</param>
    public static IEnumerable<string> Of(string heading)
    {
        var type = typeof(Network).Assembly.GetType($"MLNet.Pruning.{heading.Trim('`')}", throwOnError: true)!;
        // What a class adds comes before what it shares with others.
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite)
            .OrderBy(property => Depth(type, property.DeclaringType!));
        return [$"| {heading} | default | |", "|---|---|---|", .. properties.Select(Row)];
    }

    private static int Depth(Type type, Type declaring) => type == declaring ? 0 : 1 + Depth(type.BaseType!, declaring);

    private static string Row(PropertyInfo property)
    {
        var member = s_documentation.Value[$"P:{property.DeclaringType!.FullName}.{property.Name}"];
        var value = member.Element("value") is { } given ? Sentence(Text(given)) : "";
        var standard = DefaultOf().Match(value) is { Success: true } match ? match.Groups[1].Value : value;
        return $"| `{property.Name}` | {standard.TrimEnd('.')} | {Sentence(Text(member.Element("summary")!))} |";
    }

    private static string Sentence(string text) => FirstSentence().Match(text) is { Success: true } first ? first.Value : text;

    private static string Text(XElement element) => Spaces().Replace(string.Concat(element.Nodes().Select(node => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" } see => $"`{Name((string)see.Attribute("cref")!)}`",
        XElement code => $"`{code.Value}`",
        _ => "",
    })).Trim(), " ").Replace("|", "\\|");

    /// <summary>The name of a type, or a member with that of its type.</summary>
    private static string Name(string cref)
    {
        var path = cref.Split('(')[0].Split(':')[1].Split('.');
        return path switch
        {
            ["System", "Single"] => "float",
            ["System", "Boolean"] => "bool",
            _ when cref[0] == 'T' || path[^2].EndsWith("Options", StringComparison.Ordinal) => path[^1],
            _ => $"{path[^2]}.{path[^1]}",
        };
    }

    [GeneratedRegex(@"^`\w+Options`$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"^Default:? (.*)$")]
    private static partial Regex DefaultOf();

    [GeneratedRegex(@"^.*?\.(?= |$)")]
    private static partial Regex FirstSentence();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
