namespace MLNet.Pruning.Data;

/// <summary>How the label column of each task is typed: a key of the classes, a truth value, or a number.</summary>
internal static class TaskLabels
{
    /// <summary>The task that a label's type tells; null where it tells none.</summary>
    public static LearningTask? Of(DataViewType type) => Of(type is KeyDataViewType, type);

    /// <summary>The task that a label's type tells; null where it tells none.</summary>
    /// <param name="isKey">Whether the column holds keys.</param>
    /// <param name="type">Type of its values.</param>
    public static LearningTask? Of(bool isKey, DataViewType type) => isKey ? LearningTask.Multiclass
        : type == BooleanDataViewType.Instance ? LearningTask.Binary
        : type == NumberDataViewType.Single ? LearningTask.Regression
        : null;

    /// <summary>What a label of the task is, for messages.</summary>
    public static string Expected(LearningTask task) => task.HasOutputPerClass ? "a key (append ml.Transforms.Conversion.MapValueToKey before the trainer)"
        : task.IsClassification ? "Boolean"
        : "Single";
}
