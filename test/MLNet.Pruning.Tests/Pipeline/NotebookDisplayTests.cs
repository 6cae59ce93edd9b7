using System.Globalization;
using System.Xml.Linq;
using Microsoft.DotNet.Interactive.Formatting;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>What notebooks show of our types, by .NET Interactive's own formatter.</summary>
[TestClass]
public class NotebookDisplayTests
{
    private static readonly MLContext s_ml = new(1);

    [TestMethod]
    public void Networks_groups_and_measures_are_tables_with_the_figures_that_they_have()
    {
        var network = Network.Mlp(6, 5, 3).Initialize(1);
        foreach (var shown in new object[] { network, network.Groups(), s_ml.Compression().Measure(network), s_ml.Compression().Measure(network).Storage })
        {
            Assert.AreEqual("text/html", Formatter.GetPreferredMimeTypesFor(shown.GetType()).First(), shown.GetType().Name);
        }

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
        StringAssert.Contains(Html(model.LastTransformer.Report!).Value, "sparsity 0.5");
        Assert.AreEqual("pruned (masked)", Row(s_ml.Compression().Report(model, new() { Latency = false }), "pruned (masked)")[0]);
    }

    private static string[] Row(object shown, string first) => Html(shown).Descendants("tr").Select(row => row.Elements().Select(cell => cell.Value).ToArray())
        .Single(row => row[0] == first);

    private static XElement Html(object shown) => XElement.Parse(Formatter.ToDisplayString(shown, "text/html"));
}
