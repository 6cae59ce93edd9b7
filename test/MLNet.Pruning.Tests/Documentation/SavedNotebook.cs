using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace MLNet.Pruning.Tests.Documentation;

/// <summary>What a notebook's cells gave: as it is saved, or as a kernel has just answered.</summary>
internal sealed partial class SavedNotebook
{
    /// <summary>By how much an accuracy may differ: other processors add up in another order, and training goes on from there.</summary>
    private const double Accuracy = 0.05;

    private readonly JsonNode _root;

    public SavedNotebook(string path) => _root = JsonNode.Parse(File.ReadAllText(path))!;

    public JsonNode Root => _root;

    /// <summary>Cells of code.</summary>
    public IReadOnlyList<JsonNode> Code => [.. _root["cells"]!.AsArray().Where(cell => (string)cell!["cell_type"]! == "code").Select(cell => cell!)];

    /// <summary>What they gave, in order.</summary>
    public IReadOnlyList<CellOutput> Outputs => [.. Code.Select(cell => new CellOutput(
        string.Concat(cell["outputs"]!.AsArray().Where(output => (string)output!["output_type"]! == "stream").Select(output => Text(output!["text"]!))),
        cell["outputs"]!.AsArray().Where(output => (string)output!["output_type"]! == "execute_result").Select(output => output!["data"]!["text/html"])
            .Select(html => html is null ? null : Text(html)).SingleOrDefault()))];

    public static string Text(JsonNode text) => text is JsonArray lines ? string.Concat(lines.Select(line => (string)line!)) : (string)text!;

    /// <summary>
    /// Holds that cells gave what is saved. Those with the tag "exact", where nothing is trained, to the letter; those with the tag "measured", which tell of
    /// the machine, in kind. All others tell of training, whose last bits differ from processor to processor: the same tables and pictures with the same
    /// headings, as many lines, and the same accuracies but for a few rows.
    /// </summary>
    public void AssertGave(string name, IReadOnlyList<CellOutput> found)
    {
        Assert.HasCount(Code.Count, found, name);
        foreach (var (cell, saved, output) in Code.Zip(Outputs, found))
        {
            var message = $"{name}: {Text(cell["source"]!)}\n{output.Printed}\n{output.Html}";
            var tags = cell["metadata"]!["tags"]?.AsArray().Select(tag => (string)tag!) ?? [];
            Assert.AreEqual(saved.Html is null, output.Html is null, message);
            if (tags.Contains("exact"))
            {
                Assert.AreEqual(saved.Printed, output.Printed, message);
                Assert.AreEqual(saved.Html, output.Html, message);
                continue;
            }

            Assert.HasCount(saved.Printed.Count(c => c == '\n'), output.Printed.Where(c => c == '\n'), message);
            if (saved.Html is not null)
            {
                CollectionAssert.AreEqual(Named(saved.Html, "th"), Named(output.Html!, "th"), message);
                Assert.HasCount(Named(saved.Html, "figure").Length, Named(output.Html!, "figure"), message);
            }

            if (!tags.Contains("measured"))
            {
                foreach (var (was, now) in Accuracies(saved).Zip(Accuracies(output)))
                {
                    Assert.AreEqual(was, now, Accuracy, message);
                }
            }
        }
    }

    private static string[] Named(string html, string name) => [.. XElement.Parse(html).Descendants().Where(element => element.Name.LocalName == name)
        .Select(element => name == "th" ? element.Value : "")];

    private static double[] Accuracies(CellOutput output) => [.. AfterAccuracy().Matches(output.Printed + output.Html)
        .Select(match => double.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture))];

    [GeneratedRegex(@"(?:accuracy|AUC|area under the curve)(?:</?td[^>]*>|[a-z: ])*(\d\.\d+)")]
    private static partial Regex AfterAccuracy();
}

/// <summary>What a cell gave.</summary>
/// <param name="Printed">What it wrote.</param>
/// <param name="Html">What its last expression is shown as; null for nothing.</param>
internal sealed record CellOutput(string Printed, string? Html);
