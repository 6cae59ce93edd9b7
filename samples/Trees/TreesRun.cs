using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Samples.Trees;

/// <summary>One split of a table: 200 trees of FastTree, and what pruning leaves of them.</summary>
internal sealed class TreesRun
{
    private readonly MLContext _ml;
    private readonly ITransformer _original;
    private readonly ITransformer _pruned;

    private TreesRun(MLContext ml, ITransformer original, ITransformer pruned, PrunedTreesTransformer trees, IDataView test)
    {
        (_ml, _original, _pruned, Trees) = (ml, original, pruned, trees);
        (OriginalAuc, PrunedAuc) = (Auc(original, test), Auc(pruned, test));
        Rows = ml.Data.Cache(test);
    }

    public PrunedTreesTransformer Trees { get; }

    /// <summary>Area under the ROC curve on the test rows, which no step has seen and which are read here once.</summary>
    public double OriginalAuc { get; }

    /// <summary>The same of the pruned trees.</summary>
    public double PrunedAuc { get; }

    public TreeCost Before => Trees.Pruning.Before;

    public TreeCost After => Trees.Pruning.After;

    private IDataView Rows { get; }

    /// <summary>Holds back a fifth of the rows for the test; of the others FastTree trains on four fifths, and pruning chooses on the last.</summary>
    public static TreesRun Fit(string table, int seed)
    {
        var ml = new MLContext(seed);
        var split = ml.Data.TrainTestSplit(Load(ml, table), testFraction: 0.2, seed: seed);
        ITransformer? original = null;
        PrunedTreesTransformer? trees = null;
        var trainer = ml.BinaryClassification.Trainers.FastTree(numberOfTrees: 200);
        var pipeline = ml.Transforms.PruneTrees(trainer.WithOnFitDelegate(fitted => original = fitted), new TreePruningOptions
        {
            Amount = TreeAmount.NodeFraction(0.2),
            Seed = seed,
        }).WithOnFitDelegate(fitted => trees = fitted);
        var model = pipeline.Fit(split.TrainSet);
        return new(ml, original!, model, trees!, split.TestSet);
    }

    /// <summary>Rows scored a second by both, in turns so that whatever else the machine does slows both; the medians.</summary>
    public (double Original, double Pruned) Throughput(int rounds)
    {
        // Enough rows that making cursors does not count.
        var many = _ml.Data.Cache(_ml.Data.LoadFromEnumerable(Enumerable.Repeat(Rows.GetColumn<float[]>("Features").ToArray(), 60).SelectMany(rows => rows).Select(row => new Row { Features = row }),
            SchemaOf(Rows.Schema)));
        Time(_original, many);
        Time(_pruned, many);
        var times = Enumerable.Range(0, rounds).Select(_ => (Original: Time(_original, many), Pruned: Time(_pruned, many))).ToArray();
        return (Median(times.Select(time => time.Original)), Median(times.Select(time => time.Pruned)));
    }

    private static double Time(ITransformer model, IDataView rows)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var count = model.Transform(rows).GetColumn<float>("Score").Count();
        return count / watch.Elapsed.TotalSeconds;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);

    private static SchemaDefinition SchemaOf(DataViewSchema schema)
    {
        var definition = SchemaDefinition.Create(typeof(Row));
        definition[nameof(Row.Features)].ColumnType = schema["Features"].Type;
        return definition;
    }

    private static IDataView Load(MLContext ml, string table)
    {
        var columns = table == "cancer" ? 30 : 64;
        var rows = ml.Data.LoadFromTextFile(Path.Combine(AppContext.BaseDirectory, table == "cancer" ? "breast_cancer.csv" : "optdigits.csv"),
            [new("Features", DataKind.Single, 0, columns - 1), new("Class", DataKind.Single, columns)], separatorChar: ',', hasHeader: table == "cancer");
        var labelled = ml.Transforms.CustomMapping<Class, Side>((from, to) => to.Label = (int)from.Value % 2 == 1, contractName: null).Fit(rows).Transform(rows);
        return ml.Data.Cache(labelled);
    }

    private double Auc(ITransformer model, IDataView rows) => _ml.BinaryClassification.EvaluateNonCalibrated(model.Transform(rows)).AreaUnderRocCurve;

    internal sealed class Class
    {
        [ColumnName("Class")]
        public float Value { get; set; }
    }

    internal sealed class Side
    {
        public bool Label { get; set; }
    }

    internal sealed class Row
    {
        public float[] Features { get; set; } = [];
    }
}
