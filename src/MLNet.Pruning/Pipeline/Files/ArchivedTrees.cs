using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Files;
using MLNet.Pruning.Pipeline.Steps.PruneTrees;

namespace MLNet.Pruning.Pipeline.Files;

/// <summary>Pruned trees of a chain as an entry of a model file.</summary>
internal static class ArchivedTrees
{
    public static void Write(ModelArchive archive, string name, PrunedTreesTransformer transformer)
    {
        var trees = transformer.Trees;
        var first = trees.Ensembles[0];
        archive.AddJson(name + "trees.json", new State(transformer.FeatureColumnName, first.Task, first.FeatureCount, first.Offset, first.IsMean,
            first.PositiveScore, first.Calibration, [.. first.Sets.Select(set => set.ToArray())], ToTrees(first), transformer.Report, first.DenseNodes,
            [.. first.Lows], trees.Classes is not { } classes ? null : new(classes, ArchivedKeys.Of(transformer.State.Keys),
                [.. trees.Ensembles.Skip(1).Select(one => new Ensemble(one.Offset, one.IsMean, one.PositiveScore, one.Calibration, ToTrees(one),
                    one.DenseNodes))])));
    }

    public static PrunedTreesTransformer Read(ModelArchive archive, string name, DataViewSchema inputSchema)
    {
        var state = archive.ReadJson<State>(name + "trees.json");
        return archive.Read(name + "trees.json", _ =>
        {
            var first = new DecisionTreeEnsemble
            {
                Trees = FromTrees(state.Trees),
                Offset = state.Offset,
                FeatureCount = state.FeatureCount,
                Sets = [.. state.Sets.Select(set => set.ToImmutableArray())],
                Lows = [.. state.Lows ?? []],
                IsMean = state.IsMean,
                PositiveScore = state.SideScore,
                Task = state.Task,
                Calibration = state.Calibration,
                DenseNodes = state.DenseNodes,
            };
            DecisionTreeEnsemble[] others = [.. (state.Classes?.Others ?? []).Select(one => first with
            {
                Trees = FromTrees(one.Trees),
                Offset = one.Offset,
                IsMean = one.IsMean,
                PositiveScore = one.SideScore,
                Calibration = one.Calibration,
                DenseNodes = one.DenseNodes,
            })];
            var trees = new TreeModel([first, .. others], state.Classes?.Scores);
            var problem = trees.Problem()
                ?? (first.Task.HasOutputPerClass ? "an ensemble of trees does not tell several classes apart" : null)
                ?? (trees.Classes == ClassScores.Probabilities && trees.Ensembles.Any(one => one.Calibration is null) ? "a class has no calibration" : null);
            return problem is not null ? throw new ArgumentException(problem)
                : new PrunedTreesTransformer(new(trees, state.FeatureColumn, state.Classes?.Keys?.ToKeys()), inputSchema, state.Pruning);
        });
    }

    private static List<Tree> ToTrees(DecisionTreeEnsemble ensemble)
        => [.. ensemble.Trees.Select(tree => new Tree(tree.Left, tree.Right, tree.Features, tree.Thresholds, tree.LeafValues))];

    private static ImmutableArray<DecisionTree> FromTrees(List<Tree> trees)
        => [.. trees.Select(tree => new DecisionTree(tree.Left, tree.Right, tree.Features, tree.Thresholds, tree.LeafValues))];

    /// <summary>The first or only ensemble, and what there is beside it of several classes.</summary>
    private sealed record State(string FeatureColumn, LearningTask Task, int FeatureCount, double Offset, bool IsMean, double SideScore,
        PlattScaling? Calibration, List<int[]> Sets, List<Tree> Trees, TreePruningReport Pruning, int? DenseNodes = null, List<int>? Lows = null,
        Classes? Classes = null);

    private sealed record Classes(ClassScores Scores, ArchivedKeys? Keys, List<Ensemble> Others);

    private sealed record Ensemble(double Offset, bool IsMean, double SideScore, PlattScaling? Calibration, List<Tree> Trees, int? DenseNodes);

    private sealed record Tree(int[] Left, int[] Right, int[] Features, float[] Thresholds, double[] LeafValues);
}
