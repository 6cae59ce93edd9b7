using System.Globalization;
using System.Text.RegularExpressions;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>The tables of pages are those that <c>build/pages.sh</c> makes of their worked examples and of the options' documentation.</summary>
[TestClass]
public partial class FiguresTests
{
    // On other processors training ends elsewhere: with as many errors by a quarter, and other units gone, whose numbers the file keeps.
    private const double Errors = 0.25;
    private const double Bytes = 0.01;

    // What these pages search by validation rows comes out otherwise there too.
    private const double Searched = 0.2;
    private static readonly string[] s_searched = ["docs/steps/auto-prune.md", "docs/trees.md"];

    /// <summary>Whether the first example of a page has figures in a table.</summary>
    public static bool Has(string page) => Tables(Markdown.Read(page)).Any(line => Heading().IsMatch(line));

    [TestMethod]
    public void Figures_and_options_are_those_that_the_examples_and_the_documentation_give()
    {
        var (exitCode, output, errors) = ChildProcess.Run(ChildProcess.Built("test/MLNet.Pruning.Pages", "--no-times"));
        Assert.AreEqual(0, exitCode, errors);
        var sections = output.ReplaceLineEndings("\n").Split("# ", StringSplitOptions.RemoveEmptyEntries).ToDictionary(
            section => $"docs/{section.Split('\n')[0]}", section => Tables(section).ToArray());
        CollectionAssert.AreEquivalent(Markdown.Pages.Where(page => Has(page) || Tables(Markdown.Read(page)).Any(line => line.Contains("Options` | default |")))
            .ToArray(), sections.Keys);
        foreach (var (page, rows) in sections)
        {
            var written = Tables(Markdown.Read(page)).ToHashSet();
            var headings = Array.Empty<string>();
            foreach (var row in rows)
            {
                if (row.StartsWith("| |"))
                {
                    headings = Cells(row);
                }

                // Figures are compared one by one, all other lines as they are.
                var own = Model().Match(row) is { Success: true } model ? written.Single(line => line.StartsWith(model.Value)) : row;
                Assert.IsTrue(written.Contains(own), $"{page} has no line {row}: build/pages.sh --write");
                foreach (var (heading, was, found) in headings.Zip(Cells(own), Cells(row)).Where(cell => own != row && cell.Third != "NA").Skip(1))
                {
                    Assert.AreEqual(Number(was), Number(found), heading switch
                    {
                        "accuracy, %" => 1 + (Errors * (100 - Number(was))),
                        _ when s_searched.Contains(page) => Searched * Number(was),
                        "bytes" => Bytes * Number(was),
                        _ => 0,
                    }, $"{page}: {heading} of {row}");
                }
            }
        }
    }

    private static IEnumerable<string> Tables(string text) => text.Split('\n').Where(line => line.StartsWith('|'));

    private static string[] Cells(string row) => [.. row.Split('|')[1..^1].Select(cell => cell.Trim())];

    private static double Number(string cell) => double.Parse(cell.TrimEnd('x'), CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\| \| (bytes|trees) \|")]
    private static partial Regex Heading();

    [GeneratedRegex(@"^\| `[a-z]\w*` \|")]
    private static partial Regex Model();
}
