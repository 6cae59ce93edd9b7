using TorchSharp;

namespace MLNet.Pruning.Extensions;

[TestClass]
public class GroupCriterionTests
{
    private const int Units = 6;

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void A_criterion_from_activations_removes_the_neurons_that_are_least_often_on(bool asUnits)
    {
        var network = Network.Mlp(Chain.Width, Units, 1).Initialize(12);
        // Rows on which each neuron puts out more than zero, counted by hand.
        var on = Enumerable.Range(0, Units).Select(unit => Chain.Rows.Count(row => Chain.Dense(network, "fc1", Chain.Wide(row))[unit] > 0)).ToArray();
        var kept = Enumerable.Range(0, Units).OrderByDescending(unit => on[unit]).Take(3).Order().ToArray();
        Assert.AreNotEqual(on.Order().ElementAt(2), on.Order().ElementAt(3), "no tie between what goes and what stays");

        var importance = new HowOftenOn(asUnits);
        var model = Chain.Prune(network, new() { Amount = Amount.Count(3), Importance = importance, Granularity = Granularity.Neuron, Alignment = 1,
            Scope = Scope.Network.Only("fc1"), Recovery = Recovery.None });
        Assert.AreEqual(3, model.Network["fc1.weight"].Shape[0]);
        CollectionAssert.AreEqual(kept.SelectMany(unit => network["fc1.weight"].Values.Slice(unit * Chain.Width, Chain.Width).ToArray()).ToArray(),
            model.Network["fc1.weight"].Values.ToArray());
        CollectionAssert.AreEqual(kept.Select(unit => network["fc2.weight"].Values[unit]).ToArray(), model.Network["fc2.weight"].Values.ToArray());
    }

    [TestMethod]
    public void A_tensor_that_a_node_has_nothing_to_do_with_is_refused_by_name()
    {
        var message = Assert.ThrowsExactly<ArgumentException>(() =>
            Chain.Prune(Network.Mlp(Chain.Width, Units, 1).Initialize(1), new() { Importance = new Astray() })).Message;
        StringAssert.Contains(message, "'fc1' neither reads nor writes 'elsewhere'");
    }

    [TestMethod]
    public void Without_rows_it_says_what_is_missing()
    {
        var network = Network.Mlp(Chain.Width, Units, 1).Initialize(12);
        var message = Assert.ThrowsExactly<InvalidOperationException>(() => network.Prune(Amount.Count(3), new HowOftenOn(true), Granularity.Neuron)).Message;
        StringAssert.StartsWith(message, "HowOftenOn is measured on calibration rows");
    }

    /// <summary>Share of the rows on which a neuron of fc1 puts out more than zero.</summary>
    /// <param name="asUnits">Whether they are handed over as scores of units or of groups.</param>
    private sealed class HowOftenOn(bool asUnits) : Importance
    {
        protected override ImportanceScores MeasureCore(ImportanceContext context)
        {
            using var run = context.Start(nameof(HowOftenOn), rows: 1000);
            var on = new double[context.Network["fc1.weight"].Shape[0]];
            using var noGradients = torch.no_grad();
            run.ForEachBatch((rows, _, _) => run.Forward(rows, (node, find) =>
            {
                if (node.Name == "fc1")
                {
                    var counts = find(node.Outputs[0]).gt(0).to(torch.float64).sum([0]).cpu().data<double>().ToArray();
                    for (var unit = 0; unit < on.Length; unit++)
                    {
                        on[unit] += counts[unit] / run.Count;
                    }
                }
            }), size: 7);
            return asUnits ? ImportanceScores.OfUnits(nameof(HowOftenOn), new Dictionary<string, (int, double[])> { ["fc1.weight"] = (0, on) })
                : ImportanceScores.OfGroups(nameof(HowOftenOn), group => on[group.Number]);
        }
    }

    /// <summary>Asks for a tensor that is not there.</summary>
    private sealed class Astray : Importance
    {
        protected override ImportanceScores MeasureCore(ImportanceContext context)
        {
            using var run = context.Start(nameof(Astray), rows: 1);
            run.ForEachBatch((rows, _, _) => run.Forward(rows, (_, find) => find("elsewhere")));
            return ImportanceScores.OfGroups(nameof(Astray), _ => 0);
        }
    }
}
