using MLNet.Pruning.Data;

namespace MLNet.Pruning.Pipeline.Steps.PruneTrees;

/// <summary>The columns of trees, described as those of FastTree, FastForest and LightGBM are.</summary>
internal static class TreeColumns
{
    /// <summary>The columns in the order they are appended.</summary>
    /// <param name="state">The trees to carry.</param>
    /// <param name="input">The schema they are appended to.</param>
    public static DataViewSchema.DetachedColumn[] Describe(TreesState state, DataViewSchema input)
        => Describe(state.Trees.Task, state.Trees.HasProbability, state.Trees.Outputs, state.Keys, state, ScoreColumns.NextSet(input));

    /// <summary>The columns for a schema's shape, which knows types only.</summary>
    /// <param name="task">The task.</param>
    /// <param name="hasProbability">Whether there is a Probability.</param>
    /// <param name="keys">Key values of the label's type; null for none.</param>
    public static DataViewSchema.DetachedColumn[] Describe(LearningTask task, bool hasProbability, LabelKeys? keys)
        => Describe(task, hasProbability, outputs: 2, keys, state: null, set: 1);

    private static DataViewSchema.DetachedColumn[] Describe(LearningTask task, bool hasProbability, int outputs, LabelKeys? keys, TreesState? state, uint set)
    {
        var score = ScoreColumns.Annotations(task, set, ScoreColumns.Score);
        TreesAnnotation.Add(score, state);
        return task.HasOutputPerClass ? ScoreColumns.OfClasses(task, set, score, outputs, keys) : ScoreColumns.Scalar(task, set, score, hasProbability);
    }
}
