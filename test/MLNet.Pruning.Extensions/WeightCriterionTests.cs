namespace MLNet.Pruning.Extensions;

[TestClass]
public class WeightCriterionTests
{
    [TestMethod]
    public void A_criterion_from_gradients_drops_what_the_closed_form_says()
    {
        var network = Network.Mlp(Chain.Width, 1).Initialize(5);
        // The gradient of the mean squared error of a linear function: 2 (f(x) - y) x, the mean over rows.
        var worth = Enumerable.Range(0, Chain.Width).Select(i => Math.Abs(network["fc1.weight"].Values[i]
            * Chain.Rows.Average(row => 2 * (Chain.Dense(network, "fc1", Chain.Wide(row))[0] - Chain.Label(row)) * row[i]))).ToArray();
        var least = Enumerable.Range(0, Chain.Width).OrderBy(i => worth[i]).Take(2).ToArray();
        Assert.IsGreaterThan(1e-3, worth.Order().Skip(2).First() - worth.Order().Skip(1).First());

        var model = Chain.Prune(network, new()
        {
            Amount = Amount.Count(2), Importance = new GradientTimesWeight(1000), Recovery = Recovery.None,
        });
        CollectionAssert.AreEquivalent(least, Enumerable.Range(0, Chain.Width).Where(i => !model.Masks["fc1.weight"][i]).ToArray());
        foreach (var i in Enumerable.Range(0, Chain.Width))
        {
            Assert.AreEqual(least.Contains(i) ? 0 : network["fc1.weight"].Values[i], model.Network["fc1.weight"].Values[i]);
        }
    }

    [TestMethod]
    public void A_criterion_from_values_alone_is_streamed_and_needs_no_rows()
    {
        var network = Network.Mlp(6, 5, 3).Initialize(2);
        var values = network["fc1.weight"].Values.ToArray();
        var largest = values.OrderDescending().Take(12).ToHashSet();
        var pruned = network.Prune(Amount.Count(12), new Smallest(), scope: Scope.Network.Only("fc1"));
        for (var i = 0; i < values.Length; i++)
        {
            Assert.AreEqual(!largest.Contains(values[i]), pruned.Masks["fc1.weight"][i]);
        }
    }

    /// <summary>Size of the gradient of the loss times the weight.</summary>
    private sealed class GradientTimesWeight(int rows) : Importance
    {
        public override string ToString() => nameof(GradientTimesWeight);

        protected override ImportanceScores MeasureCore(ImportanceContext context)
        {
            using var run = context.Start(ToString(), rows);
            run.Differentiate();
            return ImportanceScores.OfWeights(ToString(), run.Combine((weight, gradient) => MathF.Abs(weight * gradient)), context.Masks);
        }
    }

    /// <summary>Keeps the smallest weights, by sign and all.</summary>
    private sealed class Smallest : Importance
    {
        protected override ImportanceScores MeasureCore(ImportanceContext context) => ImportanceScores.OfWeights(nameof(Smallest), (parameter, start, scores) =>
        {
            for (var i = 0; i < scores.Length; i++)
            {
                scores[i] = -parameter.Values[start + i];
            }
        });
    }
}
