using MLNet.Pruning.Tests.Compression.Trees;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Evaluation;

[TestClass]
public class BudgetTests
{
    [TestMethod]
    public void Limits_add_up_and_print_as_the_calls_that_made_them()
    {
        var budget = Budget.MetricLoss(0.01) + Budget.Latency(2.5, batch: 8) + Budget.Bytes(1000);
        Assert.AreEqual("Latency(2.5, 8) + Bytes(1000) + MetricLoss(0.01)", budget.ToString());
        Assert.AreEqual(8, budget.Time!.Batch);
        Assert.AreEqual("Trees(3) + NodeFraction(0.5)", (Budget.Trees(3) + Budget.NodeFraction(0.5)).ToString());
        Assert.AreEqual("LatencyFraction(0.25, 1)", Budget.LatencyFraction(0.25).ToString());
    }

    [TestMethod]
    public void Two_limits_on_the_same_are_refused_by_its_name()
    {
        Refused("both limit bytes", () => Budget.Bytes(1) + Budget.Bytes(2));
        Refused("both limit the loss of metric", () => Budget.MetricLoss(0.1) + (Budget.Bytes(1) + Budget.MetricLoss(0.2)));
        Refused("both limit milliseconds", () => Budget.Latency(5) + Budget.LatencyFraction(0.5));
        Refused("both limit nodes", () => Budget.Nodes(5) + Budget.NodeFraction(0.5));
    }

    [TestMethod]
    public void A_step_refuses_a_limit_on_what_it_does_not_count()
    {
        foreach (var budget in new[] { Budget.Trees(2), Budget.Nodes(9), Budget.NodeFraction(0.5) })
        {
            Refused("AutoPrune cannot keep to a limit on", () => new AutoPruneOptions { Budget = Budget.Parameters(5) + budget });
        }

        foreach (var budget in new[] { Budget.Parameters(2), Budget.MultiplyAdds(9), Budget.Latency(1) })
        {
            Refused("PruneTrees cannot keep to a limit on", () => new TreePruningOptions { Budget = budget + Budget.Trees(3) });
        }

        Refused("AutoPrune minimises one of Bytes", () => new AutoPruneOptions { Budget = Budget.MetricLoss(0.1), Minimize = CostMeasure.Trees });
    }

    [TestMethod]
    public void Trees_keep_to_several_limits_at_once()
    {
        var ml = new MLContext(1);
        var rows = ml.View(TreeTables.Make(600, seed: 4));
        var model = ml.Fit("boosted numbers", rows, trees: 20);
        var step = Prune(Budget.Trees(12) + Budget.Nodes(60));
        Assert.IsLessThanOrEqualTo(12, step.Cost.Trees);
        Assert.IsLessThanOrEqualTo(60, step.Cost.Nodes);
        var near = Prune(Budget.MetricLoss(0.02));
        var size = near.Cost.Nodes;
        Assert.AreEqual(near.Cost, Prune(Budget.MetricLoss(0.02) + Budget.Nodes(size)).Cost);
        var error = Assert.ThrowsExactly<TreePruningException>(() => Prune(Budget.MetricLoss(0.02) + Budget.Nodes(size - 1)));
        StringAssert.Contains(error.Message, "cannot be reached: the smallest ensemble found within the loss of metric has");

        PrunedTreesTransformer Prune(Budget budget) => ml.Transforms.PruneTrees(model, new TreePruningOptions { Budget = budget, Seed = 1 })
            .Fit(ml.View(TreeTables.Make(400, seed: 2)));
    }

    private static void Refused(string problem, Func<object> make)
    {
        try
        {
            make();
        }
        catch (ArgumentException e)
        {
            StringAssert.Contains(e.Message, problem);
            return;
        }

        Assert.Fail($"Nothing was refused; expected: {problem}");
    }
}
