using System.Globalization;
using System.Xml.Linq;
using Microsoft.DotNet.Interactive.Formatting;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>What notebooks show of our types, by .NET Interactive's own formatter.</summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public class NotebookDisplayTests
{
    private static readonly MLContext s_ml = new(1);

    [TestMethod]
    public void Networks_groups_and_measures_are_tables_with_the_figures_that_they_have()
    {
        var network = Network.Mlp(6, 5, 3).Initialize(1);
        // What a file holds does not depend on how fast the machine is at the time.
        var diagnosis = s_ml.Compression().Diagnose(Network.Mlp(64, 50, 3).Initialize(1).With("fc1.weight", new float[64 * 50]),
            new DiagnosisOptions { Kinds = [FindingKind.ZerosStored] });
        foreach (var shown in new object[] { network, network.Groups(), s_ml.Compression().Measure(network), s_ml.Compression().Measure(network).Storage,
            diagnosis })
        {
            Assert.AreEqual("text/html", Formatter.GetPreferredMimeTypesFor(shown.GetType()).First(), shown.GetType().Name);
        }

        Assert.AreEqual(diagnosis.Findings.Single().Why, Row(diagnosis, "zeros are stored")[3]);
        Assert.AreEqual("35", Row(network, "fc1")[3]);
        Assert.AreEqual("53", Row(network, "total")[3]);
        Assert.AreEqual("5", Row(network.Groups(), "fc1")[2]);
        Assert.AreEqual("53", Row(s_ml.Compression().Measure(network), "total")[1]);
        Assert.AreEqual((53 * sizeof(float)).ToString(CultureInfo.InvariantCulture), Row(s_ml.Compression().Measure(network).Storage, "total")[1]);
    }

    [TestMethod]
    public void Reports_of_steps_sensitivities_and_chains_are_pictures_and_texts()
    {
        var data = Digits.Load(s_ml);
        var model = Digits.Prepare(s_ml).Append(s_ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options())).Append(s_ml.Transforms.Prune(0.5))
            .Fit(data);
        var sensitivity = Html(s_ml.Compression().Sensitivity(model, data, new() { Sparsities = [0.5] }));
        Assert.HasCount(1, sensitivity.Descendants().Where(element => element.Name.LocalName == "svg"));
        var report = model.LastTransformer.GetReport<PruningReport>();
        Assert.AreEqual("0.5000", Row(report, "1/1")[1]);
        Assert.HasCount(report.Histograms.Count, Html(report).Descendants("figure"));
        Assert.HasCount(1, Html(report.Histogram("fc1")).Descendants("figure"));
        Assert.AreEqual(report.Decision("fc1.weight[0,0]").ToString(), Html(report.Decision("fc1.weight[0,0]")).Descendants("p").Single().Value);
        var chain = s_ml.Compression().Report(model, new() { Latency = false });
        Assert.AreEqual("pruned (masked)", Row(chain, "pruned (masked)")[0]);
        StringAssert.Contains(Html(chain).Value, "By the step \"pruned (masked)\":");
    }

    [TestMethod]
    public void A_group_is_a_table_of_what_goes_with_it()
    {
        var group = Network.Mlp(6, 5, 3).Initialize(1).Groups()[2];
        CollectionAssert.AreEqual(group.Members.Select(member => member.ToString()).ToArray(),
            Html(group).Descendants("tbody").Single().Elements("tr").Select(row => row.Elements().First().Value).ToArray());
    }

    [TestMethod]
    public void A_pruning_of_trees_is_a_table()
    {
        var trees = s_ml.Transforms.PruneTrees(s_ml.Regression.Trainers.FastTree(numberOfTrees: 4, numberOfLeaves: 4), Budget.Trees(2))
            .Fit(Digits.Load(s_ml)).Report;
        CollectionAssert.AreEqual(new[] { "leaves", $"{trees.Before.Leaves}", $"{trees.After.Leaves}" }, Row(trees, "leaves"));
    }

    private static string[] Row(object shown, string first) => Html(shown).Descendants("tr").Select(row => row.Elements().Select(cell => cell.Value).ToArray())
        .Single(row => row[0] == first);

    private static XElement Html(object shown) => XElement.Parse(Formatter.ToDisplayString(shown, "text/html"));
}
