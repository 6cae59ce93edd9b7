using System.Text.RegularExpressions;

namespace MLNet.Pruning.Tests.Api;

/// <summary>
/// A public API as C# that is read: names without namespaces, tuples, records, params and operators as such, an enum on a line. What goes
/// without saying is left out: a constructor without parameters, ToString, equality, and what an estimator has to have. Properties that
/// follow one another fill lines, as what they hold is read together.
/// </summary>
internal static partial class ApiListing
{
    private const int LineLength = 160;

    /// <param name="generated">The API as it is generated: a line for each member and brace.</param>
    public static string[] Of(string generated)
    {
        var text = Namespaces().Replace(generated.ReplaceLineEndings("\n"), "");
        text = Braces().Replace(text, " {\n");
        text = Records().Replace(text, "record $1$2");
        text = Constraints().Replace(text, "$1 $2;");
        text = Params().Replace(text, "params ");
        text = Conversions().Replace(text, "implicit operator $1(");
        text = Nulls().Replace(text, "? $1 = null");
        text = Common().Replace(text, "");
        text = Tuples().Replace(text, "($1)");
        text = text.Replace(") { }", ");");
        text = Empty().Replace(text, "{ }");
        text = Enums().Replace(text, match => Enum(match.Groups[1].Value, match.Groups[2].Value));
        return [.. Filled(text.TrimEnd().Split('\n'))];
    }

    private static List<string> Filled(string[] lines)
    {
        var filled = new List<string>();
        var isProperty = false;
        foreach (var line in lines)
        {
            var follows = isProperty;
            isProperty = line.EndsWith("; }", StringComparison.Ordinal);
            if (follows && isProperty && filled[^1].Length + 1 + line.TrimStart().Length <= LineLength)
            {
                filled[^1] += $" {line.TrimStart()}";
            }
            else
            {
                filled.Add(line);
            }

            // A type of one line of properties.
            if (line.Trim() == "}" && filled[^3].EndsWith('{') && filled[^2].EndsWith("; }", StringComparison.Ordinal)
                && filled[^3].Length + 3 + filled[^2].TrimStart().Length <= LineLength)
            {
                filled[^3] += $" {filled[^2].TrimStart()} }}";
                filled.RemoveRange(filled.Count - 2, 2);
            }
        }

        return filled;
    }

    private static string Enum(string head, string members)
    {
        var names = Members().Matches(members).Select(match => match.Groups[1].Value);
        var lines = new List<string> { head };
        foreach (var name in names)
        {
            var part = $" {name},";
            if (lines[^1].Length + part.Length > LineLength)
            {
                lines.Add("       ");
            }

            lines[^1] += part;
        }

        return string.Join('\n', lines).TrimEnd(',') + " }\n";
    }

    [GeneratedRegex(
        @"\b(MLNet\.Pruning|Microsoft\.ML(\.Data|\.Trainers)?|System(\.IO|\.Threading|\.Collections\.Generic|\.Collections\.Immutable)?"
        + @"|TorchSharp)\.(?=[A-Za-z])")]
    private static partial Regex Namespaces();

    [GeneratedRegex(@"\n +\{\n")]
    private static partial Regex Braces();

    [GeneratedRegex(@"class (\w+)(?:( : \w+),| :) IEquatable<\1>")]
    private static partial Regex Records();

    [GeneratedRegex(
        @"\n +public (\w+\(\) \{ \}|override (string ToString|int GetHashCode)\(\) \{ \}|(override )?bool Equals\([^)]*\) \{ \}"
        + @"|\w+ Fit\(IDataView input\) \{ \}|SchemaShape GetOutputSchema\(SchemaShape inputSchema\) \{ \})(?=\n)")]
    private static partial Regex Common();

    [GeneratedRegex(@"(\(.*\))\n +(where .*) \{ \}")]
    private static partial Regex Constraints();

    [GeneratedRegex(@"\[Runtime\.CompilerServices\.ParamCollection\] \[Runtime\.CompilerServices\.ScopedRef\] ")]
    private static partial Regex Params();

    [GeneratedRegex(@"(\w+\??) op_Implicit\(")]
    private static partial Regex Conversions();

    [GeneratedRegex(@"\? (\w+) = default\b")]
    private static partial Regex Nulls();

    [GeneratedRegex(@"ValueTuple<([^<>]*)>")]
    private static partial Regex Tuples();

    [GeneratedRegex(@"\{\n +\}")]
    private static partial Regex Empty();

    [GeneratedRegex(@"( +public enum \w+ \{)\n([^}]*)\}\n")]
    private static partial Regex Enums();

    [GeneratedRegex(@"(\w+) = -?\d+,")]
    private static partial Regex Members();
}
