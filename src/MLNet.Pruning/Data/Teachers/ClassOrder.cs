namespace MLNet.Pruning.Data.Teachers;

/// <summary>The order in which a teacher and a label count the same classes.</summary>
internal static class ClassOrder
{
    /// <summary>
    /// Where each class of the label is among the teacher's scores; null where they are in the same order, or one of the two does not name them.
    /// </summary>
    /// <exception cref="ArgumentException">They name different classes.</exception>
    public static int[]? Of(DataViewSchema.Column scores, LabelKeys? label, string labelName)
    {
        if (label is null || (LabelKeys.Of(scores, "TrainingLabelValues") ?? LabelKeys.Of(scores, "SlotNames")) is not { } teacher || IsSame(teacher, label)
            || teacher.Names.Contains(""))
        {
            return null;
        }

        var order = label.Names.Select(name => Array.IndexOf([.. teacher.Names], name)).ToArray();
        return order.Distinct().Count() == teacher.Names.Count && !order.Contains(-1) ? order : throw new ArgumentException(
            $"The teacher's column '{scores.Name}' scores the classes {string.Join(", ", teacher.Names)}, but the label '{labelName}' has the classes "
                + $"{string.Join(", ", label.Names)}.");
    }

    /// <summary>Whether two sets of classes are the same in the same order, as far as they are known.</summary>
    public static bool IsSame(LabelKeys? a, LabelKeys? b) => a is null || b is null || a.Names.SequenceEqual(b.Names);
}
