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

    public TreeCost Before => Trees.Report.Before;

    public TreeCost After => Trees.Report.After;

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
            Budget = Budget.NodeFraction(0.2),
            Seed = seed,
        }).WithOnFitDelegate(fitted => trees = fitted);
        var model = pipeline.Fit(split.TrainSet);
        return new(ml, original!, model, trees!, split.TestSet);
    }

    /// <summary>Rows scored a second by the trees and by what is left of them.</summary>
    public (double Original, double Pruned) RowsPerSecond() => Throughput.Compare(_ml, Rows, repeats: 60, _original.Transform, _pruned.Transform);

    private static IDataView Load(MLContext ml, string table)
    {
        var columns = table == "cancer" ? 30 : 64;
        var rows = ml.Data.LoadFromTextFile(Path.Combine(AppContext.BaseDirectory, table == "cancer" ? "breast_cancer.csv" : "optdigits.csv"),
            [new("Features", DataKind.Single, 0, columns - 1), new("Class", DataKind.Single, columns)], separatorChar: ',', hasHeader: table == "cancer");
        var labelled = ml.Transforms.CustomMapping<Class, Side>((from, to) => to.Label = (int)from.Value % 2 == 1, contractName: null).Fit(rows)
            .Transform(rows);
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
}
