using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MLNet.Pruning.Tests.Architecture;

/// <summary>The map of the library: folders in layers, as the compiler sees what they refer to.</summary>
[TestClass]
public class LayerTests
{
    /// <summary>
    /// Every folder, the lowest first: each refers only to those before it, so that there are no cycles. A subfolder lies below the folder it is in where that
    /// puts its parts together, and above it where it adds to it.
    /// </summary>
    private static readonly string[] s_layers =
    [
        "Messages", "Messages/Reports", "Files", "Threading", "Tasks",
        "Networks/Format", "Networks/Graph", "Networks/Operators", "Networks", "Networks/Onnx/Expansions", "Networks/Onnx", "Networks/Storage",
        "Structure/Folding", "Structure", "Structure/Granularities",
        "Evaluation",
        "Scoring/Native", "Scoring/Operators", "Scoring", "Scoring/Profiling", "Evaluation/Diagnosis",
        "Scoring/Sparse/Kernels", "Scoring/Sparse/Steps", "Scoring/Sparse", "Scoring/Runtimes",
        "Data", "Data/Teachers",
        "Evaluation/Metrics", "Evaluation/Metrics/Confidence",
        "Training/Optimizers", "Training/Distilling", "Training/Regularizers", "Training",
        "Compression/Trees/Ensembles", "Compression/Trees/Scoring", "Compression/Trees/Paths", "Compression/Trees",
        "Compression/Pruning/Importances", "Compression/Pruning/Selection", "Compression/Pruning/Record", "Compression/Pruning/Recoveries",
        "Compression/Sensitivity", "Compression/Pruning", "Compression/Pruning/SparseTrainings",
        "Compression/Automation/Search", "Compression/Automation",
        "Compression/Quantization/Preparation", "Compression/Quantization", "Compression/Factorization",
        "Pipeline/Onnx", "Pipeline/Columns",
        "Pipeline/Steps", "Pipeline/Steps/PruneTrees", "Pipeline/Steps/Train", "Pipeline/Steps/FineTune", "Pipeline/Steps/Prune", "Pipeline/Steps/AutoPrune",
        "Pipeline/Steps/PruneOneShot", "Pipeline/Steps/Distill", "Pipeline/Steps/Quantize", "Pipeline/Steps/Factorize", "Pipeline/Steps/LoadNetwork",
        "Pipeline/Steps/Sensitivity",
        "Pipeline/Files", "Pipeline/Steps/Evaluate", "Pipeline/Steps/Diagnose", "Pipeline/Reports",
    ];

    /// <summary>What only a source generator completes.</summary>
    private static readonly string[] s_generated = ["CS8795", "CS0534", "CS0117", "CS7036", "CS0170"];

    private static readonly string s_source = Path.Combine(Path.GetDirectoryName(Repository.Find())!, "src", "MLNet.Pruning");
    private static readonly Lazy<CSharpCompilation> s_compilation = new(Compile);

    [TestMethod]
    public void Every_folder_refers_only_to_those_below_it()
    {
        var layer = s_layers.Index().ToDictionary(entry => entry.Item, entry => entry.Index);
        var upward = new SortedSet<string>(StringComparer.Ordinal);
        var references = 0;
        foreach (var tree in s_compilation.Value.SyntaxTrees.Where(tree => tree.FilePath.Length > 0))
        {
            var from = Folder(tree.FilePath);
            Assert.IsTrue(layer.ContainsKey(from), $"'{from}' has no place among the layers.");
            var model = s_compilation.Value.GetSemanticModel(tree);
            foreach (var name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
            {
                if (model.GetSymbolInfo(name).Symbol is { } symbol && Target(symbol) is { } to && to != from)
                {
                    references++;
                    if (layer[to] > layer[from])
                    {
                        upward.Add($"{Path.GetRelativePath(s_source, tree.FilePath)} ({from}) refers up to {name} ({to})");
                    }
                }
            }
        }

        // A model that resolves nothing would find nothing wrong either.
        Assert.IsGreaterThan(5000, references);
        Assert.IsEmpty(upward, string.Join(Environment.NewLine, upward));
    }

    [TestMethod]
    public void Internal_types_have_the_namespace_of_their_folder_and_public_ones_that_of_the_library()
    {
        foreach (var tree in s_compilation.Value.SyntaxTrees.Where(tree => tree.FilePath.Length > 0))
        {
            var model = s_compilation.Value.GetSemanticModel(tree);
            foreach (var declaration in tree.GetRoot().DescendantNodes().OfType<MemberDeclarationSyntax>()
                .Where(member => member.Parent is BaseNamespaceDeclarationSyntax))
            {
                var type = (INamedTypeSymbol)model.GetDeclaredSymbol(declaration)!;
                var found = type.ContainingNamespace.ToDisplayString();
                if (type.DeclaredAccessibility != Accessibility.Public)
                {
                    Assert.AreEqual($"MLNet.Pruning.{Folder(tree.FilePath).Replace('/', '.')}", found, type.Name);
                }
                else
                {
                    Assert.AreEqual(found == "Microsoft.ML" && type.IsStatic ? "Microsoft.ML" : "MLNet.Pruning", found, type.Name);
                }
            }
        }
    }

    private static string Folder(string path) => Path.GetDirectoryName(Path.GetRelativePath(s_source, path))!.Replace('\\', '/');

    /// <summary>The folder of what a name stands for; null for what is not the library's. A type in several files is where the file of its name is.</summary>
    private static string? Target(ISymbol symbol)
    {
        if (symbol is INamespaceSymbol)
        {
            return null;
        }

        symbol = (symbol as IMethodSymbol)?.ReducedFrom ?? symbol;
        var files = symbol.OriginalDefinition.DeclaringSyntaxReferences.Select(reference => reference.SyntaxTree.FilePath).Where(path => path.Length > 0)
            .ToArray();
        if (files.Length > 0)
        {
            return Folder(files.FirstOrDefault(path => Path.GetFileNameWithoutExtension(path) == symbol.Name) ?? files[0]);
        }

        // The classes of the ONNX format are made by protoc, and so not among the sources.
        return symbol.ContainingNamespace?.ToDisplayString() == "MLNet.Pruning.Networks.Format" && symbol.ContainingAssembly?.Name == "MLNet.Pruning"
            ? "Networks/Format" : null;
    }

    private static CSharpCompilation Compile()
    {
        var options = new CSharpParseOptions(LanguageVersion.Preview);
        var output = new[] { "bin", "obj" }.Select(folder => Path.Combine(s_source, folder) + Path.DirectorySeparatorChar).ToArray();
        var trees = Directory.GetFiles(s_source, "*.cs", SearchOption.AllDirectories)
            .Where(path => !output.Any(folder => path.StartsWith(folder, StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal).Select(path => CSharpSyntaxTree.ParseText(File.ReadAllText(path), options, path));
        string[] usual = ["System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Threading", "System.Threading.Tasks"];
        var own = XDocument.Load(Path.Combine(s_source, "MLNet.Pruning.csproj")).Descendants("Using").Select(element => (string)element.Attribute("Include")!);
        var usings = CSharpSyntaxTree.ParseText(string.Concat(usual.Concat(own).Select(name => $"global using {name};")), options);
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));
        // Under the name of an assembly that sees the library's internals, what protoc made is found in the built library.
        var compilation = CSharpCompilation.Create("MLNet.Pruning.Tests", [usings, .. trees], references,
            new(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));
        var errors = compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error && !s_generated.Contains(diagnostic.Id));
        Assert.IsEmpty(errors, string.Join(Environment.NewLine, errors.Take(5)));
        return compilation;
    }
}
