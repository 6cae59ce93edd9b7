using MLNet.Pruning.Data;
using Microsoft.ML;
using Microsoft.ML.Data;

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
        var column = new DataViewSchema.DetachedColumn(ScoreColumns.Score, NumberDataViewType.Single, score.ToAnnotations());
        if (task == LearningTask.Regression)
        {
            return [column];
        }

        var label = ScoreColumns.Annotations(task, set, ScoreColumns.PredictedLabel);
        var probability = ScoreColumns.Annotations(task, set, ScoreColumns.Probability);
        probability.AddPrimitiveValue("IsNormalized", BooleanDataViewType.Instance, true);
        DataViewSchema.DetachedColumn[] columns = [new(ScoreColumns.PredictedLabel, BooleanDataViewType.Instance, label.ToAnnotations()), column];
        return isCalibrated ? [.. columns, new(ScoreColumns.Probability, NumberDataViewType.Single, probability.ToAnnotations())] : columns;
    }
}
