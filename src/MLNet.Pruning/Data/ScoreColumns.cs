namespace MLNet.Pruning.Data;

/// <summary>The columns a network appends, described as ML.NET's own trainers describe theirs.</summary>
internal static class ScoreColumns
{
    public const string Score = "Score";
    public const string Probability = "Probability";
    public const string PredictedLabel = "PredictedLabel";

    private const string SetId = "ScoreColumnSetId";
    private static readonly KeyDataViewType s_setIdType = new(typeof(uint), int.MaxValue);

    /// <summary>The columns in the order they are appended.</summary>
    /// <param name="task">The task.</param>
    /// <param name="outputs">Outputs of the network.</param>
    /// <param name="keys">Key values of the label, where it has some.</param>
    /// <param name="state">Gives the network to carry; null in schema shapes, which know types only.</param>
    /// <param name="input">The schema they are appended to, which tells the next free id of a set of score columns.</param>
    public static DataViewSchema.DetachedColumn[] Describe(LearningTask task, int outputs, LabelKeys? keys, Func<ScoredNetwork>? state,
        DataViewSchema? input)
    {
        var set = input is null ? 1 : NextSet(input);
        var score = Annotations(task, set, Score);
        NetworkAnnotation.Add(score, state);
        return task.HasOutputPerClass ? OfClasses(task, set, score, outputs, keys) : Scalar(task, set, score, hasProbability: true);
    }

    /// <summary>The columns of a model that gives each class a score, in the order they are appended.</summary>
    /// <param name="task">The task, multiclass.</param>
    /// <param name="set">Id of this set of score columns.</param>
    /// <param name="score">What the score column carries.</param>
    /// <param name="classes">How many classes.</param>
    /// <param name="keys">Key values of the label, where it has some.</param>
    public static DataViewSchema.DetachedColumn[] OfClasses(LearningTask task, uint set, DataViewSchema.Annotations.Builder score, int classes, LabelKeys? keys)
    {
        var label = Annotations(task, set, PredictedLabel);
        if (keys is not null)
        {
            keys.Add(score, "TrainingLabelValues");
            if (keys.Type.ItemType == TextDataViewType.Instance)
            {
                keys.Add(score, "SlotNames");
            }

            keys.Add(label, "KeyValues");
        }

        return
        [
            new(PredictedLabel, new KeyDataViewType(typeof(uint), classes), label.ToAnnotations()),
            new(Score, new VectorDataViewType(NumberDataViewType.Single, classes), score.ToAnnotations()),
        ];
    }

    /// <summary>The columns of a model that gives one score a row, in the order they are appended.</summary>
    /// <param name="task">The task, not multiclass.</param>
    /// <param name="set">Id of this set of score columns.</param>
    /// <param name="score">What the score column carries.</param>
    /// <param name="hasProbability">Whether the score of a class stands for a probability.</param>
    public static DataViewSchema.DetachedColumn[] Scalar(LearningTask task, uint set, DataViewSchema.Annotations.Builder score, bool hasProbability)
    {
        DataViewSchema.DetachedColumn number = new(Score, NumberDataViewType.Single, score.ToAnnotations());
        if (!task.IsClassification)
        {
            return [number];
        }

        DataViewSchema.DetachedColumn label = new(PredictedLabel, BooleanDataViewType.Instance, Annotations(task, set, PredictedLabel).ToAnnotations());
        var probability = Annotations(task, set, Probability);
        probability.AddPrimitiveValue("IsNormalized", BooleanDataViewType.Instance, true);
        return hasProbability ? [label, number, new(Probability, NumberDataViewType.Single, probability.ToAnnotations())] : [label, number];
    }

    public static DataViewSchema.Annotations.Builder Annotations(LearningTask task, uint set, string valueKind)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.AddPrimitiveValue(SetId, s_setIdType, set);
        annotations.AddPrimitiveValue("ScoreColumnKind", TextDataViewType.Instance, task.ScoreColumnKind.AsMemory());
        annotations.AddPrimitiveValue("ScoreValueKind", TextDataViewType.Instance, valueKind.AsMemory());
        return annotations;
    }

    public static uint NextSet(DataViewSchema schema)
    {
        uint last = 0;
        foreach (var column in schema)
        {
            last = Math.Max(last, Set(column));
        }

        return last + 1;
    }

    /// <summary>Which set of score columns a column belongs to; 0 for none.</summary>
    public static uint Set(DataViewSchema.Column column)
    {
        uint set = 0;
        if (column.Annotations.Schema.GetColumnOrNull(SetId)?.Type is KeyDataViewType type && type.RawType == typeof(uint))
        {
            column.Annotations.GetValue(SetId, ref set);
        }

        return set;
    }
}
