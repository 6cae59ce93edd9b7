using Microsoft.ML;

namespace MLNet.Pruning.Tests.Compression.Trees;

/// <summary>An ensemble that may keep more trees does no worse, by ML.NET's own metric on the rows that it is chosen by.</summary>
[TestClass]
public class MoreTreesTests
{
    private const int Trees = 16;

    private static readonly string[] s_kinds = ["boosted numbers", "boosted sides", "forest of numbers", "forest of sides"];

    private readonly MLContext _ml = new(1);

    public static IEnumerable<object[]> Cases =>
        from kind in s_kinds
        from method in Enum.GetValues<TreePruningMethod>()
        where kind == "forest of sides" || method is not (TreePruningMethod.Kappa or TreePruningMethod.MarginDistance)
        select new object[] { kind, method };

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void More_trees_are_never_worse(string kind, TreePruningMethod method)
    {
        var model = _ml.Fit(kind, _ml.View(TreeTables.Make(400, seed: 21)), Trees);
        var (training, validation) = (_ml.View(TreeTables.Make(200, seed: 22)), _ml.View(TreeTables.Make(150, seed: 23)));
        var full = Metric(model);
        var wholeTrees = method is not (TreePruningMethod.CostComplexity or TreePruningMethod.ReducedError or TreePruningMethod.LeafHits);
        foreach (var refit in new[] { false, true })
        {
            List<double> metrics = [];
            for (var count = 1; count < Trees; count++)
            {
                var options = new TreePruningOptions
                {
                    Budget = Budget.Trees(count),
                    Method = method,
                    RefitLeaves = refit,
                    LabelColumnName = TreeTables.Label(kind),
                    ValidationData = validation,
                };
                try
                {
                    var pruned = _ml.Transforms.PruneTrees(model, options).Fit(training);
                    Assert.IsLessThanOrEqualTo(count, pruned.Cost.Trees);
                    metrics.Add(Metric(pruned));
                }
                catch (TreePruningException) when (metrics.Count == 0 && !wholeTrees)
                {
                    // Trees without a subtree or a leaf that may go stay trees.
                }
            }

            for (var i = 1; i < metrics.Count; i++)
            {
                Assert.IsGreaterThanOrEqualTo(metrics[i - 1] - 1e-6, metrics[i], $"refit {refit}, size {i} after {metrics[i - 1]}");
            }

            if (wholeTrees)
            {
                Assert.IsGreaterThan(full - 0.02, metrics[^1], $"refit {refit}: all but one of the trees against {full} of all");
            }
        }

        double Metric(ITransformer fitted) => kind.EndsWith("sides")
            ? _ml.BinaryClassification.EvaluateNonCalibrated(fitted.Transform(validation), "Side").AreaUnderRocCurve
            : _ml.Regression.Evaluate(fitted.Transform(validation)).RSquared;
    }
}
