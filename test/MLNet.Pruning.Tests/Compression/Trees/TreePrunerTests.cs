using Microsoft.ML;

namespace MLNet.Pruning.Tests.Compression.Trees;

/// <summary>Budgets are reached or refused, by every method; metrics are ML.NET's.</summary>
[TestClass]
public class TreePrunerTests
{
    private static readonly TreeTables.Row[] s_rows = TreeTables.Make(500, seed: 2);

    private readonly MLContext _ml = new(1);

    private IDataView Rows => _ml.View(s_rows);

    public static IEnumerable<object[]> Methods => [.. Enum.GetValues<TreePruningMethod>()
        .Where(method => method is not (TreePruningMethod.Kappa or TreePruningMethod.MarginDistance)).Select(method => new object[] { method })];

    [TestMethod]
    [DynamicData(nameof(Methods))]
    public void Every_size_is_reached_by_every_method(TreePruningMethod method)
    {
        var model = _ml.Fit("boosted numbers", _ml.View(TreeTables.Make(600, seed: 4)), trees: 20);
        var before = _ml.Compression().Measure(model).Trees!;
        Assert.IsLessThanOrEqualTo(5, Prune(Budget.Trees(5)).Cost.Trees);
        Assert.IsLessThanOrEqualTo(70, Prune(Budget.Nodes(70)).Cost.Nodes);
        Assert.IsLessThanOrEqualTo(before.Nodes / 3, Prune(Budget.NodeFraction(1 / 3.0)).Cost.Nodes);
        Assert.IsLessThanOrEqualTo(2000, Prune(Budget.Bytes(2000)).Cost.Bytes);

        var near = Prune(Budget.MetricLoss(0.02));
        Assert.IsLessThan(before.Nodes, near.Cost.Nodes);
        Assert.IsGreaterThanOrEqualTo(near.Report.MetricBefore - 0.02, near.Report.MetricAfter);
        Assert.AreEqual(before, near.Report.Before);
        Assert.AreEqual("R2", near.Report.MetricName);
        StringAssert.Contains(near.Report.ToString(), "nodes");
        Assert.IsLessThanOrEqualTo(near.Cost.Nodes, Prune(Budget.MetricLoss(0.5)).Cost.Nodes);

        PrunedTreesTransformer Prune(Budget budget) => _ml.Transforms
            .PruneTrees(model, new TreePruningOptions { Budget = budget, Method = method, Seed = 1 }).Fit(Rows);
    }

    [TestMethod]
    [DataRow(TreePruningMethod.MarginDistance)]
    [DataRow(TreePruningMethod.Kappa)]
    public void Votes_prune_binary_forests_only(TreePruningMethod method)
    {
        var forest = _ml.Transforms.PruneTrees(_ml.Trainer("forest of sides"), Budget.Trees(6), method, "Side").Fit(Rows);
        Assert.IsInRange(1, 6, forest.Cost.Trees);
        Assert.IsGreaterThan(0.9, forest.Report.MetricAfter);
        foreach (var kind in new[] { "boosted sides", "forest of numbers" })
        {
            var error = Assert.ThrowsExactly<TreePruningException>(() =>
                _ml.Transforms.PruneTrees(_ml.Trainer(kind), Budget.Trees(6), method, TreeTables.Label(kind)).Fit(Rows));
            StringAssert.Contains(error.Message, "binary forest");
        }
    }

    [TestMethod]
    public void A_share_of_the_nodes_is_one_of_the_first_ensemble_however_often_it_is_pruned()
    {
        var path = Path.GetTempFileName();
        var model = _ml.Fit("boosted sides", Rows);
        var nodes = _ml.Compression().Measure(model).Trees!.Nodes;
        var half = Prune(model, 0.5);
        _ml.Compression().Save(half, Rows.Schema, path);
        foreach (var carried in new ITransformer[] { half, _ml.Compression().Load(path, out _) })
        {
            StringAssert.Contains(Assert.ThrowsExactly<TreePruningException>(() => Prune(carried, 0.5)).Message, $"{nodes} nodes before its first pruning");
            var quarter = Prune(carried, 0.25).Cost.Nodes;
            Assert.IsTrue(quarter <= nodes * 0.25 && quarter > nodes * 0.25 / 2, $"{quarter} of {nodes}");
        }

        File.Delete(path);
        PrunedTreesTransformer Prune(ITransformer trees, double share)
            => _ml.Transforms.PruneTrees(trees, Budget.NodeFraction(share), TreePruningMethod.CostComplexity, "Side").Fit(Rows);
    }

    [TestMethod]
    public void A_quarter_of_a_boosted_ensemble_is_nearly_as_good_on_rows_that_nothing_saw()
    {
        var test = _ml.View(TreeTables.Make(2000, seed: 77));
        ITransformer? original = null;
        var trainer = _ml.Trainer("boosted sides", trees: 100).WithOnFitDelegate(fitted => original = fitted);
        var pruned = _ml.Transforms.PruneTrees(trainer, new TreePruningOptions { Budget = Budget.NodeFraction(0.25), LabelColumnName = "Side", Seed = 1 })
            .Fit(_ml.View(TreeTables.Make(5000, seed: 70)));
        double Auc(ITransformer model) => _ml.BinaryClassification.Evaluate(model.Transform(test), "Side").AreaUnderRocCurve;
        Assert.IsGreaterThan(Auc(original!) - 0.005, Auc(pruned));

        // Without the refit the leaves still are what the trees that are gone made of them.
        var plain = _ml.Transforms.PruneTrees(original!, new TreePruningOptions { Budget = Budget.NodeFraction(0.25), LabelColumnName = "Side", Seed = 1,
            RefitLeaves = false, Method = TreePruningMethod.CostComplexity })
            .Fit(_ml.View(TreeTables.Make(1000, seed: 71)));
        Assert.IsLessThanOrEqualTo(0.25 * plain.Report.Before.Nodes, plain.Cost.Nodes);
    }

    [TestMethod]
    [DataRow(TreePruningMethod.ForwardSelection)]
    [DataRow(TreePruningMethod.BackwardElimination)]
    [DataRow(TreePruningMethod.CostComplexity)]
    [DataRow(TreePruningMethod.ReducedError)]
    public void A_weight_of_two_is_the_row_twice(TreePruningMethod method)
    {
        var model = _ml.Fit("boosted sides", _ml.View(TreeTables.Make(400, seed: 12)), trees: 15);
        TreeTables.Row[] Weighted(int seed) => [.. TreeTables.Make(200, seed)
            .Select((row, i) => new TreeTables.Row { Features = row.Features, Side = row.Side, Weight = i % 3 + 1 })];
        TreeTables.Row[] Repeated(int seed) => [.. Weighted(seed).SelectMany(row => Enumerable.Repeat(row, (int)row.Weight))];
        PrunedTreesTransformer Prune(Func<int, TreeTables.Row[]> rows, string? weight) => _ml.Transforms.PruneTrees(model, new TreePruningOptions
        {
            Budget = Budget.Nodes(80),
            Method = method,
            LabelColumnName = "Side",
            ExampleWeightColumnName = weight,
            ValidationData = _ml.View(rows(14)),
        }).Fit(_ml.View(rows(13)));
        var (weighted, repeated, plain) = (Prune(Weighted, "Weight"), Prune(Repeated, null), Prune(Weighted, null));
        Close.AreEqual(repeated.Scores(Rows), weighted.Scores(Rows), 1e-5, "scores");
        CollectionAssert.AreNotEqual(plain.Scores(Rows), weighted.Scores(Rows));
    }

    [TestMethod]
    public void Metrics_are_those_of_ML_NET()
    {
        foreach (var kind in new[] { "boosted sides", "boosted numbers" })
        {
            var model = _ml.Fit(kind, _ml.View(TreeTables.Make(300, seed: 6)));
            var report = _ml.Transforms.PruneTrees(model, new TreePruningOptions { Budget = Budget.Trees(4), LabelColumnName = TreeTables.Label(kind),
                ValidationData = Rows }).Fit(_ml.View(TreeTables.Make(300, seed: 7))).Report;
            var expected = kind == "boosted sides" ? _ml.BinaryClassification.Evaluate(model.Transform(Rows), "Side").AreaUnderRocCurve
                : _ml.Regression.Evaluate(model.Transform(Rows)).RSquared;
            Assert.AreEqual(expected, report.MetricBefore, 1e-6);
        }
    }

    [TestMethod]
    public void What_cannot_be_pruned_is_refused_with_the_reason()
    {
        var one = _ml.Fit("boosted numbers", Rows, trees: 1);
        StringAssert.Contains(Refused(one, Budget.Nodes(3)), "one tree only");
        StringAssert.Contains(Refused(_ml.Fit("boosted numbers", Rows, trees: 5), Budget.Trees(5)), "nothing left to prune");
        StringAssert.Contains(Refused(_ml.Fit("boosted numbers", Rows, trees: 5), Budget.Bytes(10)), "cannot be reached");
        StringAssert.Contains(Refused(_ml.Regression.Trainers.FastTree(numberOfTrees: 3, minimumExampleCountPerLeaf: 400).Fit(Rows), Budget.Trees(1)),
            "nothing left to prune");
        Assert.AreEqual(1, _ml.Transforms.PruneTrees(one, Budget.Nodes(3), TreePruningMethod.CostComplexity).Fit(Rows).Cost.Trees);

        var linear = _ml.Regression.Trainers.Sdca().Fit(Rows);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.PruneTrees(linear)).Message, "no trees in the model");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            _ml.Transforms.PruneTrees(_ml.Regression.Trainers.Sdca(), Budget.Trees(2)).Fit(Rows)).Message, "no trees in the model");
        var two = _ml.Regression.Trainers.FastTree().Append(_ml.Regression.Trainers.FastTree()).Fit(Rows);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.PruneTrees(two)).Message, "2 ensembles");

        string Refused(ITransformer model, Budget budget)
            => Assert.ThrowsExactly<TreePruningException>(() => _ml.Transforms.PruneTrees(model, budget).Fit(Rows)).Message;
    }

    [TestMethod]
    public void Rows_that_cannot_be_used_are_refused_with_the_reason()
    {
        var model = _ml.Fit("boosted sides", Rows);
        PrunedTreesTransformer Fit(IEnumerable<TreeTables.Row> rows, TreePruningOptions? options = null)
        {
            options ??= new();
            options = options with { LabelColumnName = "Side" };
            return _ml.Transforms.PruneTrees(model, options).Fit(_ml.View(rows));
        }

        StringAssert.Contains(Assert.ThrowsExactly<TrainingDataException>(() => Fit(s_rows.Take(2))).Message, "to choose on");
        StringAssert.Contains(Assert.ThrowsExactly<TrainingDataException>(() => Fit([])).Message, "to choose on");
        StringAssert.Contains(Assert.ThrowsExactly<TrainingDataException>(() => Fit(s_rows.Where(row => row.Side))).Message, "same value");
        StringAssert.Contains(Assert.ThrowsExactly<TrainingDataException>(() => Fit(s_rows, new() { ValidationData = _ml.View([]) })).Message, "no rows");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.PruneTrees(model, Budget.Trees(2), labelColumnName: "Nowhere").Fit(Rows));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.PruneTrees(model, Budget.Trees(2), labelColumnName: "Label").Fit(Rows));
        var broken = s_rows.Select((row, i) => new TreeTables.Row { Features = row.Features, Label = i == 9 ? float.NaN : row.Label });
        var numbers = _ml.Fit("boosted numbers", Rows);
        Assert.AreEqual("Label", Assert.ThrowsExactly<TrainingDataException>(() =>
            _ml.Transforms.PruneTrees(numbers, Budget.Trees(2)).Fit(_ml.View(broken))).Column);
        TreeTables.Row[] weightless = [.. s_rows.Select(row => new TreeTables.Row { Features = row.Features, Side = row.Side, Weight = -1 })];
        Assert.AreEqual("Weight", Assert.ThrowsExactly<TrainingDataException>(() => Fit(weightless, new() { ExampleWeightColumnName = "Weight" })).Column);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Fit(s_rows, new() { ExampleWeightColumnName = "Side" }));
        var cancelled = new CancellationToken(canceled: true);
        Assert.ThrowsExactly<OperationCanceledException>(() => Fit(s_rows, new() { CancellationToken = cancelled }));
    }

    [TestMethod]
    public void Options_out_of_range_are_refused_when_they_are_set()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Budget.Trees(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Budget.Nodes(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Budget.Bytes(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Budget.NodeFraction(1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Budget.NodeFraction(double.NaN));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Budget.MetricLoss(-0.1));
        var options = new TreePruningOptions();
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => options with { ValidationFraction = 0 });
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => options with { RefitRegularization = 0 });
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => options with { Method = (TreePruningMethod)99 });
        Assert.ThrowsExactly<ArgumentNullException>(() => options with { Budget = null! });
        Assert.ThrowsExactly<ArgumentException>(() => options with { LabelColumnName = "" });
    }
}
