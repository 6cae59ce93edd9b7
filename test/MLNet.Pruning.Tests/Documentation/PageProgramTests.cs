using System.Text.RegularExpressions;
using MLNet.Pruning.Pages;
using Microsoft.CodeAnalysis.CSharp;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>The programs of the README and the pages compile and run, and print what stands below them.</summary>
[TestClass]
public partial class PageProgramTests
{
    public static IEnumerable<object[]> Pages => Markdown.Pages.Where(page => Programs(page).Length > 0).Select(page => new object[] { page });

    [TestMethod]
    [DynamicData(nameof(Pages))]
    public void Programs_compile_run_and_print_what_the_page_shows(string page)
    {
        // In the order of the page and in one folder: a later program may read what an earlier one wrote.
        var folder = Directory.CreateTempSubdirectory("page");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "data", "optdigits.csv"), Path.Combine(folder.FullName, "optdigits.csv"));
        foreach (var (program, expected) in Programs(page))
        {
            var printed = Run(program, folder.FullName);
            // What is trained has other figures on other machines.
            CollectionAssert.AreEqual(Shape(expected ?? printed), Shape(printed), printed);
            if (expected is not null && !program.Contains(".Fit("))
            {
                Assert.AreEqual(expected.TrimEnd(), printed.TrimEnd());
            }
        }

        folder.Delete(recursive: true);
    }

    /// <summary>
    /// Programs of a page, each with the text that follows it; but for the worked example whose figures are in a table: FiguresTests runs that.
    /// </summary>
    private static (string Program, string? Printed)[] Programs(string page)
    {
        var blocks = Markdown.Blocks(page);
        return [.. blocks.Index().Where(block => block.Item.Language == "csharp").Select(block => (block.Item.Text,
            block.Index + 1 < blocks.Length && blocks[block.Index + 1].Language == "text" ? blocks[block.Index + 1].Text : null))
            .Skip(FiguresTests.Has(page) ? 1 : 0)];
    }

    private static string Run(string program, string folder)
    {
        // Programs name files relative to where they run and print to their console; tests share one process, and so one current folder and one console.
        var source = FileName().Replace(program, name => SymbolDisplay.FormatLiteral(Path.Combine(folder, name.Groups[1].Value), quote: true))
            .Replace("Console.Write", "Printed.Text.Write");
        var assembly = Compilation.Of(source + "public static class Printed { public static readonly StringWriter Text = new(); }");
        assembly.Run();
        return assembly.GetType("Printed")!.GetField("Text")!.GetValue(null)!.ToString()!.ReplaceLineEndings("\n");
    }

    private static string[] Shape(string text) => Markdown.Shape(text);

    [GeneratedRegex(@"""([\w-]+\.(?:csv|onnx|zip|nnp|svg|html|md))""")]
    private static partial Regex FileName();
}
