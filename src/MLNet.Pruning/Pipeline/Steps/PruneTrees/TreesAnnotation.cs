using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Data;

namespace MLNet.Pruning.Pipeline.Steps.PruneTrees;

/// <summary>An ensemble of trees, and the column it reads, as an annotation of a Score column.</summary>
internal static class TreesAnnotation
{
    public const string Name = "DecisionTrees";

    public static void Add(DataViewSchema.Annotations.Builder annotations, TreesState? state)
        => annotations.Add(Name, AnnotationType<TreesState>.Instance, (ref TreesState? value) => value = state);

    /// <summary>The ensemble in the annotation of the Score column; null for none.</summary>
    public static TreesState? Find(DataViewSchema schema)
    {
        TreesState? state = null;
        if (schema.GetColumnOrNull(ScoreColumns.Score)?.Annotations is { } annotations
            && annotations.Schema.GetColumnOrNull(Name) is { Type: AnnotationType<TreesState> })
        {
            annotations.GetValue(Name, ref state);
        }

        return state;
    }
}

/// <summary>What flows down a chain: the trees, the column that they read, and the classes that they tell apart, where these have names.</summary>
internal sealed record TreesState(TreeModel Trees, string FeatureColumn, LabelKeys? Keys = null);
