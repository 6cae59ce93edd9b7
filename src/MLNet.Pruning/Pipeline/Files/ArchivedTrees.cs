using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Files;

namespace MLNet.Pruning.Pipeline.Files;

/// <summary>Pruned trees of a chain as an entry of a model file.</summary>
internal static class ArchivedTrees
{
    public static void Write(ModelArchive archive, string name, PrunedTreesTransformer transformer)
    {
        var ensemble = transformer.Ensemble;
        archive.AddJson(name + "trees.json", new State(transformer.FeatureColumnName, ensemble.Task, ensemble.FeatureCount, ensemble.Offset, ensemble.IsMean,
            ensemble.PositiveScore,
            ensemble.Calibration, [.. ensemble.Sets.Select(set => set.ToArray())],
            [.. ensemble.Trees.Select(tree => new Tree(tree.Left, tree.Right, tree.Features, tree.Thresholds, tree.LeafValues))], transformer.Report,
            ensemble.DenseNodes));
    }

    public static PrunedTreesTransformer Read(ModelArchive archive, string name, DataViewSchema inputSchema)
    {
        var state = archive.ReadJson<State>(name + "trees.json");
        return archive.Read(name + "trees.json", _ =>
        {
            var ensemble = new DecisionTreeEnsemble
            {
                Trees = [.. state.Trees.Select(tree => new DecisionTree(tree.Left, tree.Right, tree.Features, tree.Thresholds, tree.LeafValues))],
                Offset = state.Offset,
                FeatureCount = state.FeatureCount,
                Sets = [.. state.Sets.Select(set => set.ToImmutableArray())],
                IsMean = state.IsMean,
                PositiveScore = state.SideScore,
                Task = state.Task,
                Calibration = state.Calibration,
                DenseNodes = state.DenseNodes,
            };
            return ensemble.Problem() is { } problem ? throw new ArgumentException(problem)
                : ensemble.Task.HasOutputPerClass ? throw new ArgumentException("trees do not tell several classes apart")
                : new PrunedTreesTransformer(new(ensemble, state.FeatureColumn), inputSchema, state.Pruning);
        });
    }

    private sealed record State(string FeatureColumn, LearningTask Task, int FeatureCount, double Offset, bool IsMean, double SideScore,
        PlattScaling? Calibration,
        List<int[]> Sets, List<Tree> Trees, TreePruningReport Pruning, int? DenseNodes = null);

    private sealed record Tree(int[] Left, int[] Right, int[] Features, float[] Thresholds, double[] LeafValues);
}
