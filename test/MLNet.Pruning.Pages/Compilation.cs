using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace MLNet.Pruning.Pages;

/// <summary>A program of a page, compiled into an assembly of its own.</summary>
internal static class Compilation
{
    private const string Usings = "global using System; global using System.Linq; global using System.IO; global using System.Collections.Generic;";

    private static readonly Lazy<MetadataReference[]> s_references = new(() =>
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path))]);

    /// <exception cref="InvalidOperationException">It does not compile.</exception>
    public static Assembly Of(string source)
    {
        var compilation = CSharpCompilation.Create($"Page{Guid.NewGuid():N}", [CSharpSyntaxTree.ParseText(Usings + source)], s_references.Value,
            new(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        using var image = new MemoryStream();
        var emitted = compilation.Emit(image);
        return emitted.Success ? Assembly.Load(image.ToArray())
            : throw new InvalidOperationException($"{string.Join(Environment.NewLine, emitted.Diagnostics)}{Environment.NewLine}{source}");
    }

    /// <summary>Runs it to its end.</summary>
    public static void Run(this Assembly program)
    {
        var main = program.EntryPoint!;
        main.Invoke(null, main.GetParameters().Length == 0 ? null : [Array.Empty<string>()]);
    }
}
