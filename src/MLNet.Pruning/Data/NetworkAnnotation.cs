namespace MLNet.Pruning.Data;

/// <summary>A network as an annotation of a Score column.</summary>
internal static class NetworkAnnotation
{
    public const string Name = "NeuralNetwork";

    public static void Add(DataViewSchema.Annotations.Builder annotations, Func<ScoredNetwork>? state)
        => annotations.Add(Name, AnnotationType<ScoredNetwork>.Instance, (ref ScoredNetwork? value) => value = state?.Invoke());

    public static bool IsIn(SchemaShape.Column score) => score.Annotations?.Any(annotation => annotation.Name == Name) == true;

    /// <summary>The network in the annotation of the Score column; null where there is none.</summary>
    public static ScoredNetwork? Find(DataViewSchema schema)
    {
        ScoredNetwork? state = null;
        if (schema.GetColumnOrNull(ScoreColumns.Score)?.Annotations is { } annotations
            && annotations.Schema.GetColumnOrNull(Name) is { Type: AnnotationType<ScoredNetwork> })
        {
            annotations.GetValue(Name, ref state);
        }

        return state;
    }

    public static InvalidOperationException Missing(string step, bool hasScore) => new(
        $"{step} needs a neural network before it in the chain, but {(hasScore ? "the 'Score' column carries none" : "there is no 'Score' column")}: "
        + "append ml.MulticlassClassification.Trainers.NeuralNetwork(...), or that of BinaryClassification or Regression, first.");
}
