using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>Every method that users meet in a catalog of ML.NET has an example, and every example of the documentation compiles.</summary>
[TestClass]
public class ExampleTests
{
    private static readonly Lazy<CSharpCompilation> s_library = new(() => CSharpCompilation.Create("Examples", references:
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path)),
        options: new(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable)));

    private static readonly Lazy<Dictionary<string, XElement>> s_documentation = new(() => XDocument
        .Load(Path.ChangeExtension(typeof(Network).Assembly.Location, ".xml")).Descendants("member").ToDictionary(member => (string)member.Attribute("name")!));

    public static IEnumerable<object[]> Examples => s_documentation.Value.Where(member => member.Value.Descendants("example").Descendants("code").Any())
        .Select(member => new object[] { member.Key });

    [TestMethod]
    public void Every_method_of_a_catalog_has_an_example()
    {
        var extensions = s_library.Value.GlobalNamespace.GetNamespaceMembers().Single(one => one.Name == "Microsoft").GetNamespaceMembers()
            .Single(one => one.Name == "ML")
            .GetTypeMembers().Where(type => type.ContainingAssembly.Name == "MLNet.Pruning" && type.DeclaredAccessibility == Accessibility.Public)
            .SelectMany(Methods).ToArray();
        var catalog = Methods(s_library.Value.GetTypeByMetadataName(typeof(CompressionCatalog).FullName!)!);
        CollectionAssert.IsSubsetOf(new[] { "Prune", "AutoPrune", "Distill", "FineTune", "LoadNetwork", "NeuralNetwork", "PruneTrees" },
            extensions.Select(method => method.Name).Distinct().ToArray());
        Assert.IsEmpty(extensions.Concat(catalog).Select(method => method.GetDocumentationCommentId()!)
            .Where(id => !s_documentation.Value[id].Elements("example").Elements("code").Any()));
    }

    [TestMethod]
    [DynamicData(nameof(Examples))]
    public void An_example_compiles(string member)
    {
        foreach (var code in s_documentation.Value[member].Descendants("example").Descendants("code"))
        {
            var declares = CSharpSyntaxTree.ParseText(code.Value).GetCompilationUnitRoot().Members.Any(one => one is TypeDeclarationSyntax);
            var source = $$"""
                using System;
                using System.Collections.Generic;
                using System.Linq;
                using Microsoft.ML;
                using MLNet.Pruning;
                using TorchSharp;
                using static TorchSharp.torch;
                {{(declares ? code.Value : $"static class Example {{ static void Run({Given(code.Value)}) {{ {code.Value} }} }}")}}
                """;
            var errors = s_library.Value.AddSyntaxTrees(CSharpSyntaxTree.ParseText(source)).GetDiagnostics()
                .Where(one => one.Severity == DiagnosticSeverity.Error);
            Assert.IsEmpty(errors, $"{source}\n{string.Join('\n', errors)}");
        }
    }

    private static IEnumerable<IMethodSymbol> Methods(INamedTypeSymbol type) => type.GetMembers().OfType<IMethodSymbol>()
        .Where(method => method is { DeclaredAccessibility: Accessibility.Public, MethodKind: MethodKind.Ordinary });

    /// <summary>What an example may take for granted, but for what it declares itself.</summary>
    private static string Given(string code)
    {
        (Type Type, string Name)[] all =
        [
            (typeof(MLContext), "ml"), (typeof(IDataView), "data"), (typeof(IDataView), "test"), (typeof(ITransformer), "model"), (typeof(Network), "network"),
            (typeof(CalibrationRun), "run"),
        ];
        var declared = CSharpSyntaxTree.ParseText(code).GetRoot().DescendantNodes().OfType<VariableDeclaratorSyntax>().Select(one => one.Identifier.Text)
            .ToHashSet();
        return string.Join(", ", all.Where(one => !declared.Contains(one.Name)).Select(one => $"{one.Type.FullName} {one.Name}"));
    }
}
