using MLNet.Pruning.Data;

namespace MLNet.Pruning.Pipeline.Steps.PruneTrees;

/// <summary>The columns of an ensemble of trees, described as those of FastTree and FastForest are.</summary>
internal static class TreeColumns
{
    /// <summary>The columns in the order they are appended.</summary>
    /// <param name="task">Binary or regression.</param>
    /// <param name="isCalibrated">Whether there is a Probability.</param>
    /// <param name="state">The trees to carry; null in schema shapes, which know types only.</param>
    /// <param name="input">The schema they are appended to; null for none.</param>
    public static DataViewSchema.DetachedColumn[] Describe(LearningTask task, bool isCalibrated, TreesState? state, DataViewSchema? input)
    {
        var set = input is null ? 1 : ScoreColumns.NextSet(input);
        var score = ScoreColumns.Annotations(task, set, ScoreColumns.Score);
        TreesAnnotation.Add(score, state);
        return ScoreColumns.Scalar(task, set, score, isCalibrated);
    }
}
