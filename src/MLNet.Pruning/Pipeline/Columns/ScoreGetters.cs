using MLNet.Pruning.Data;
using MLNet.Pruning.Tasks;

namespace MLNet.Pruning.Pipeline.Columns;

/// <summary>Getters of a network's columns over the outputs of the row at hand.</summary>
internal static class ScoreGetters
{
    /// <param name="task">The task.</param>
    /// <param name="column">Number of the column among those the network appends.</param>
    /// <param name="outputs">Probabilities over the classes, the logit of the positive class, or the predicted value.</param>
    public static Delegate Create(LearningTask task, int column, IOutputs outputs)
        => !task.HasOutputPerClass ? Scalar(task, column, outputs, score => 1 / (1 + MathF.Exp(-score)))
        : column == 0 ? (ValueGetter<uint>)((ref uint value) => value = PredictedKey(outputs.Current))
        : (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
        {
            var current = outputs.Current;
            var editor = VBufferEditor.Create(ref value, current.Length);
            current.CopyTo(editor.Values);
            value = editor.Commit();
        });

    /// <summary>Those of a model that gives one score a row.</summary>
    /// <param name="task">The task, not multiclass.</param>
    /// <param name="column">Number of the column among those of <see cref="ScoreColumns.Scalar"/>.</param>
    /// <param name="outputs">The score.</param>
    /// <param name="probability">The probability that a score stands for.</param>
    public static Delegate Scalar(LearningTask task, int column, IOutputs outputs, Func<float, float> probability) => column switch
    {
        0 when task.IsClassification => (ValueGetter<bool>)((ref bool value) => value = outputs.Current[0] > 0),
        2 => (ValueGetter<float>)((ref float value) => value = probability(outputs.Current[0])),
        _ => (ValueGetter<float>)((ref float value) => value = outputs.Current[0]),
    };

    /// <summary>The getter in the type requested.</summary>
    /// <exception cref="InvalidOperationException">The column holds another type.</exception>
    public static ValueGetter<T> Typed<T>(Delegate getter, DataViewSchema.Column column) => getter as ValueGetter<T>
        ?? throw new InvalidOperationException($"Column '{column.Name}' holds {column.Type.RawType}, but a getter of {typeof(T)} was requested.");

    public static ArgumentOutOfRangeException Inactive(DataViewSchema.Column column)
        => new(nameof(column), column.Name, $"Column '{column.Name}' is not active: name it when the cursor is made.");

    /// <summary>Keys count from 1; 0, a missing one, where no output is a number.</summary>
    private static uint PredictedKey(ReadOnlySpan<float> outputs)
    {
        var best = PredictedClass.Of(outputs);
        return float.IsNaN(outputs[best]) ? 0 : (uint)best + 1;
    }
}
