using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MLNet.Pruning.Notebooks;

/// <summary>A notebook as an application in one file: its packages, its text as comments, its code, which prints what the notebook shows.</summary>
internal static partial class Application
{
    public static string Of(Notebook notebook)
    {
        var (packages, body) = (new List<string>(), new StringBuilder());
        foreach (var (isCode, source) in notebook.Cells)
        {
            var lines = source.Split('\n');
            packages.AddRange(lines.Select(line => Package().Match(line)).Where(match => match.Success)
                .Select(match => $"#:package {match.Groups[1].Value}@{(match.Groups[2].Success ? match.Groups[2].Value : "*")}"));
            var text = isCode ? Printing(string.Join('\n', lines.Where(line => !Package().IsMatch(line))).Trim())
                : string.Join('\n', lines.Select(line => $"// {line}".TrimEnd()));
            body.Append(text.Length > 0 ? $"\n{text}\n" : "");
        }

        return $"#!/usr/bin/env dotnet\n{string.Join('\n', packages)}\n#:property PublishAot=false\n{body}";
    }

    /// <summary>Cells end with an expression that is shown.</summary>
    private static string Printing(string cell)
    {
        var unit = CSharpSyntaxTree.ParseText(cell, new(kind: SourceCodeKind.Script)).GetCompilationUnitRoot();
        return unit.Members.LastOrDefault() is GlobalStatementSyntax { Statement: ExpressionStatementSyntax { SemicolonToken.IsMissing: true } last }
            ? $"{cell[..last.SpanStart]}Console.WriteLine({last.Expression});"
            : cell;
    }

    [GeneratedRegex("^#r \"nuget: *([^,\"]+)(?:, *([^\"]+))?\"")]
    private static partial Regex Package();
}
