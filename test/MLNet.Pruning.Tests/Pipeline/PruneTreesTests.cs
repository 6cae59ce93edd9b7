using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Data;
using MLNet.Pruning.Pipeline.Steps.PruneTrees;
using MLNet.Pruning.Tests.Compression.Trees;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.FastTree;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>PruneTrees in a chain: the columns and scores of the models it prunes, and both ways to keep what it gives.</summary>
[TestClass]
public class PruneTreesTests
{
    private static readonly TreeTables.Row[] s_rows = TreeTables.Make(400, seed: 3);

    private readonly MLContext _ml = new(1);

    public static IEnumerable<object[]> Kinds => [["boosted sides"], ["boosted numbers"], ["forest of sides"], ["forest of numbers"],
        ["light sides"], ["light numbers"]];

    private IDataView Rows => _ml.View(s_rows);

    [TestMethod]
    [DynamicData(nameof(Kinds))]
    public void Trees_that_are_read_score_as_the_model_does_on_missing_and_sparse_values_too(string kind)
    {
        var model = _ml.Fit(kind, Rows);
        var own = Unpruned(model);
        var missing = _ml.View(s_rows.Take(60).Select((row, i) =>
            new TreeTables.Row { Features = [.. row.Features.Select((value, f) => (i + f) % 3 == 0 ? float.NaN : f == 4 ? float.PositiveInfinity : value)] }));
        Close.AreEqual(model.Scores(Rows), own.Scores(Rows), 1e-6, kind);
        Close.AreEqual(model.Scores(missing), own.Scores(missing), 1e-6, kind);

        var sparse = _ml.Data.LoadFromEnumerable(s_rows.Take(60)
            .Select(row => new Sparse { Features = new VBuffer<float>(TreeTables.FeatureCount, 2, [row.Features[0], row.Features[3]], [0, 3]) }),
                Sparse.Definition);
        Close.AreEqual(model.Scores(sparse), own.Scores(sparse), 1e-6, kind);
    }

    [TestMethod]
    [DynamicData(nameof(Kinds))]
    public void Columns_are_those_of_the_model_pruned(string kind)
    {
        var trainer = _ml.Trainer(kind);
        var step = _ml.Transforms.PruneTrees(trainer, Budget.NodeFraction(0.3), labelColumnName: TreeTables.Label(kind));
        var pruned = step.Fit(Rows);
        SameColumns.Assert(((IEstimator<ITransformer>)trainer).Fit(Rows).GetOutputSchema(Rows.Schema), pruned.GetOutputSchema(Rows.Schema));
        Assert.IsLessThanOrEqualTo(0.3 * pruned.Report.Before.Nodes, pruned.Cost.Nodes);

        var shape = step.GetOutputSchema(SchemaShape(Rows.Schema));
        CollectionAssert.IsSubsetOf(pruned.GetOutputSchema(Rows.Schema).Select(column => column.Name).ToArray(), shape.Select(column => column.Name).ToArray());
        var evaluated = kind.EndsWith("sides") ? _ml.BinaryClassification.EvaluateNonCalibrated(pruned.Transform(Rows), "Side").AreaUnderRocCurve
            : _ml.Regression.Evaluate(pruned.Transform(Rows)).RSquared;
        Assert.IsGreaterThan(0.5, evaluated);
    }

    [TestMethod]
    [DynamicData(nameof(Kinds))]
    public void Saved_by_ML_NET_it_scores_the_same_in_a_process_without_this_package(string kind)
    {
        var model = _ml.Transforms.PruneTrees(_ml.Trainer(kind), Budget.Trees(10), labelColumnName: TreeTables.Label(kind)).Fit(Rows);
        var rows = _ml.Data.TakeRows(Rows, 50);
        var loaded = LoaderProcess.Score(_ml, model.Compact(), rows);
        var scored = model.Transform(rows);
        Close.AreEqual([.. scored.GetColumn<float>("Score")], [.. loaded["Score"].Rows.Select(row => row[0])], 1e-5, "scores");
        Assert.AreEqual("Single", loaded["Score"].Type);
        Assert.AreEqual(kind.EndsWith("sides"), loaded.ContainsKey("PredictedLabel"));
        Assert.AreEqual(kind is "boosted sides" or "light sides", loaded.ContainsKey("Probability"));
        if (kind.EndsWith("sides"))
        {
            CollectionAssert.AreEqual(scored.GetColumn<bool>("PredictedLabel").Select(side => side ? 1f : 0).ToArray(),
                loaded["PredictedLabel"].Rows.Select(row => row[0]).ToArray());
        }

        if (kind is "boosted sides" or "light sides")
        {
            Close.AreEqual([.. scored.GetColumn<float>("Probability")], [.. loaded["Probability"].Rows.Select(row => row[0])], 1e-5, "probabilities");
        }
    }

    [TestMethod]
    [DynamicData(nameof(Kinds))]
    public void Saved_by_this_package_it_goes_on_as_if_it_had_never_left_memory(string kind)
    {
        var options = new TreePruningOptions { Budget = Budget.Trees(12), LabelColumnName = TreeTables.Label(kind), Seed = 4 };
        var model = _ml.Transforms.NormalizeMinMax("Features").Append(_ml.Transforms.PruneTrees(_ml.Trainer(kind), options))
            .Append(_ml.Transforms.CopyColumns("Answer", "Score")).Fit(Rows);
        var path = Path.GetTempFileName();
        _ml.Compression().Save(model, Rows.Schema, path);
        var loaded = _ml.Compression().Load(path, out var schema);
        File.Delete(path);
        CollectionAssert.AreEqual(Rows.Schema.Select(column => $"{column.Name} {column.Type}").ToArray(),
            schema.Select(column => $"{column.Name} {column.Type}").ToArray());
        CollectionAssert.AreEqual(model.Transform(Rows).GetColumn<float>("Answer").ToArray(), loaded.Transform(Rows).GetColumn<float>("Answer").ToArray());

        var (before, after) = (Trees(model), Trees(loaded));
        Assert.AreEqual(before.Report.ToString(), after.Report.ToString());
        Assert.AreEqual(before.Cost, _ml.Compression().Measure(loaded).Trees);
        var further = new TreePruningOptions { Budget = Budget.NodeFraction(0.2), Method = TreePruningMethod.CostComplexity,
            LabelColumnName = TreeTables.Label(kind), Seed = 4 };
        CollectionAssert.AreEqual(_ml.Transforms.PruneTrees(before, further).Fit(Rows).Scores(Rows),
            _ml.Transforms.PruneTrees(loaded, further).Fit(Rows).Scores(Rows));
    }

    [TestMethod]
    public void A_damaged_tree_in_a_file_is_named()
    {
        var tree = new DecisionTree([~0], [~1], [0], [1], [2, 3]);
        foreach (var broken in (Action[])[() => _ = new DecisionTree([0], [~1], [0], [1], [2, 3]), () => _ = new DecisionTree([~0], [~0], [0], [1], [2, 3]),
            () => _ = new DecisionTree([~0], [~7], [0], [1], [2, 3]), () => _ = new DecisionTree([~0], [~1], [0], [1], [2]),
            () => _ = new DecisionTree([5], [~1], [0], [1], [2, 3])])
        {
            Assert.ThrowsExactly<ArgumentException>(broken);
        }

        Assert.AreEqual(1, tree.LeafOf([2]));
    }

    [TestMethod]
    public void A_second_step_prunes_what_the_first_left_and_Compact_keeps_the_last()
    {
        var model = _ml.Transforms.NormalizeMinMax("Features")
            .Append(_ml.Transforms.PruneTrees(_ml.Trainer("boosted sides"), Budget.Trees(10), labelColumnName: "Side"))
            .Append(_ml.Transforms.PruneTrees(Budget.Nodes(60), TreePruningMethod.CostComplexity, "Side")).Fit(Rows);
        PrunedTreesTransformer[] steps = [.. model.OfType<PrunedTreesTransformer>()];
        Assert.HasCount(2, steps);
        Assert.AreEqual(steps[0].Cost, steps[1].Report.Before);
        Assert.IsLessThanOrEqualTo(60, steps[1].Cost.Nodes);

        var compact = model.Compact();
        Assert.AreSame(steps[1], ((IEnumerable<ITransformer>)compact).OfType<PrunedTreesTransformer>().Single());
        CollectionAssert.AreEqual(model.Scores(Rows), compact.Scores(Rows));
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Transforms.PruneTrees(Budget.Trees(3)).Fit(Rows));
        StringAssert.Contains(error.Message, "PruneTrees without a trainer");
        Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Transforms.PruneTrees(Budget.Trees(3)).GetOutputSchema(SchemaShape(Rows.Schema)));
    }

    [TestMethod]
    public void Compact_keeps_a_network_whose_probability_a_forest_does_not_hide()
    {
        var network = _ml.BinaryClassification.Trainers.NeuralNetwork(Network.Mlp(TreeTables.FeatureCount, 4, 1), "Side", epochs: 1);
        var forest = network.Append(_ml.Transforms.PruneTrees(_ml.Trainer("forest of sides"), Budget.Trees(5), labelColumnName: "Side")).Fit(Rows);
        Assert.HasCount(2, ((IEnumerable<ITransformer>)forest.Compact()).ToArray());
        var boosted = network.Append(_ml.Transforms.PruneTrees(_ml.Trainer("boosted sides"), Budget.Trees(5), labelColumnName: "Side")).Fit(Rows);
        Assert.IsInstanceOfType<PrunedTreesTransformer>(boosted.Compact());
    }

    [TestMethod]
    public void A_model_that_scores_otherwise_than_its_trees_tell_is_refused()
    {
        var model = _ml.Regression.Trainers.FastTree(numberOfTrees: 4).Fit(Rows);
        var shifted = new Shifted(_ml, model);
        var error = Assert.ThrowsExactly<NotSupportedException>(() => _ml.Transforms.PruneTrees((ITransformer)shifted, Budget.Trees(2)).Fit(Rows));
        StringAssert.Contains(error.Message, "the sum of its trees is");
    }

    [TestMethod]
    public void A_prediction_engine_and_cursors_of_several_columns_give_the_same_scores()
    {
        var model = _ml.Transforms.PruneTrees(_ml.Trainer("boosted numbers"), Budget.Trees(8)).Fit(Rows);
        using var engine = _ml.Model.CreatePredictionEngine<TreeTables.Row, TreeTables.Prediction>(model);
        CollectionAssert.AreEqual(model.Scores(Rows), s_rows.Select(row => engine.Predict(row).Score).ToArray());
        var cached = _ml.Data.Cache(model.Transform(Rows));
        CollectionAssert.AreEqual(s_rows.Select(row => row.Label).ToArray(), cached.GetColumn<float>("Label").ToArray());
        CollectionAssert.AreEqual(model.Scores(Rows), cached.GetColumn<float>("Score").ToArray());
    }

    [TestMethod]
    public void The_trainer_does_not_see_the_rows_to_choose_on()
    {
        var seen = new CountingTrainer(_ml.Trainer("boosted numbers"));
        var model = _ml.Transforms.PruneTrees(seen, new TreePruningOptions { Budget = Budget.Trees(5), ValidationFraction = 0.3, Seed = 7 }).Fit(Rows);
        Assert.AreEqual((280, 120), (model.Report.TrainingRows, model.Report.ValidationRows));
        Assert.AreEqual(280, seen.Labels.Length);

        var held = TreeTables.Make(90, seed: 8);
        var all = new CountingTrainer(_ml.Trainer("boosted numbers"));
        var given = _ml.Transforms.PruneTrees(all, new TreePruningOptions { Budget = Budget.Trees(5), ValidationData = _ml.View(held) }).Fit(Rows);
        Assert.AreEqual((400, 90), (given.Report.TrainingRows, given.Report.ValidationRows));
        CollectionAssert.AreEqual(s_rows.Select(row => row.Label).ToArray(), all.Labels);
        var own = _ml.Regression.Evaluate(given.Transform(_ml.View(held))).RSquared;
        Assert.AreEqual(own, given.Report.MetricAfter, 1e-6);
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_trees()
    {
        float[] Fit(int seed) => _ml.Transforms.PruneTrees(_ml.Trainer("boosted sides"),
            new TreePruningOptions { Budget = Budget.Trees(5), LabelColumnName = "Side", Seed = seed }).Fit(Rows).Scores(Rows);
        CollectionAssert.AreEqual(Fit(2), Fit(2));
        CollectionAssert.AreNotEqual(Fit(2), Fit(3));
    }

    [TestMethod]
    public void ML_NETs_own_ensembles_are_measured_too()
    {
        var model = _ml.Regression.Trainers.FastTree(numberOfTrees: 9, numberOfLeaves: 5).Fit(Rows);
        var cost = _ml.Compression().Measure(model);
        var trees = model.Model.TrainedTreeEnsemble.Trees;
        Assert.AreEqual((9, trees.Sum(tree => tree.NumberOfNodes), trees.Sum(tree => tree.NumberOfLeaves)),
            (cost.Trees!.Trees, cost.Trees.Nodes, cost.Trees.Leaves));
        Assert.AreEqual(16L * cost.Trees.Nodes + 8L * cost.Trees.Leaves, cost.Total.DenseBytes);
        Assert.ThrowsExactly<ArgumentException>(() => _ml.Compression().Measure(_ml.Transforms.NormalizeMinMax("Features").Fit(Rows)));
    }

    private static PrunedTreesTransformer Unpruned(ITransformer model)
    {
        var state = TreeReader.Read(model).State;
        return new(state, new DataViewSchema.Builder().ToSchema(), new(default, state.Trees.Cost, state.Trees.Cost, "", 0, 0, 0, 0));
    }

    private static PrunedTreesTransformer Trees(ITransformer model) => ((IEnumerable<ITransformer>)model).OfType<PrunedTreesTransformer>().Single();

    private static SchemaShape SchemaShape(DataViewSchema schema)
    {
        var capture = new Capture();
        new EstimatorChain<ITransformer>().Append(capture).Fit(new SchemaOnlyView(schema));
        return capture.Shape!;
    }

    private sealed class Capture : IEstimator<ITransformer>
    {
        public SchemaShape? Shape { get; private set; }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => Shape = inputSchema;

        public ITransformer Fit(IDataView input) => new TransformerChain<ITransformer>();
    }

    /// <summary>A trainer that notes the labels it is given.</summary>
    private sealed class CountingTrainer(IEstimator<ISingleFeaturePredictionTransformer<object>> trainer)
        : IEstimator<ISingleFeaturePredictionTransformer<object>>
    {
        public float[] Labels { get; private set; } = [];

        public ISingleFeaturePredictionTransformer<object> Fit(IDataView input)
        {
            Labels = [.. input.GetColumn<float>("Label")];
            return trainer.Fit(input);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => trainer.GetOutputSchema(inputSchema);
    }

    /// <summary>A model that adds something to what its trees say.</summary>
    private sealed class Shifted(MLContext ml, RegressionPredictionTransformer<FastTreeRegressionModelParameters> model)
        : ISingleFeaturePredictionTransformer<FastTreeRegressionModelParameters>
    {
        public string FeatureColumnName => model.FeatureColumnName;

        public DataViewType FeatureColumnType => model.FeatureColumnType;

        public FastTreeRegressionModelParameters Model => model.Model;

        public bool IsRowToRowMapper => true;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => model.GetOutputSchema(inputSchema);

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotSupportedException();

        public IDataView Transform(IDataView input)
        {
            var scored = model.Transform(input);
            return ml.Transforms.CustomMapping<TreeTables.Prediction, TreeTables.Prediction>((from, to) => to.Score = from.Score + 0.01f, contractName: null)
                .Fit(scored).Transform(scored);
        }

        public void Save(ModelSaveContext ctx) => throw new NotSupportedException();
    }

    internal sealed class Sparse
    {
        public static SchemaDefinition Definition
        {
            get
            {
                var definition = SchemaDefinition.Create(typeof(Sparse));
                definition[nameof(Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, TreeTables.FeatureCount);
                return definition;
            }
        }

        public VBuffer<float> Features { get; set; }
    }
}
