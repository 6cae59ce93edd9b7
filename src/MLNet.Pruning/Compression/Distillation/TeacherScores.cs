using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning;

/// <summary>Reads a teacher's scores of the rows that a student is trained on, as logits.</summary>
internal static class TeacherScores
{
    /// <summary>Probabilities are taken as no nearer to 0 and 1, where logits end.</summary>
    private const double Smallest = 1e-6;

    /// <summary>How far from 1 probabilities may sum.</summary>
    private const double Rounding = 1e-3;

    /// <summary>The logits of the step's rows, one row after another.</summary>
    /// <exception cref="ArgumentException">A column is of the wrong type or size, or names other classes, or the rows are not as many.</exception>
    /// <exception cref="TrainingDataException">A value is not finite, or a probability not in [0, 1].</exception>
    public static (int Outputs, float[] Logits) Read(IDataView view, DataViewSchema.Column score, DataViewSchema.Column? probability, TeacherStep step)
    {
        var column = probability ?? score;
        var width = Width(column, step, probability is not null);
        int[]? order = step.Task == LearningTask.Multiclass ? ClassOrder.Of(column, step.Keys, step.Label) : null;
        var values = Values(view, column, width, step);
        if (step.Task == LearningTask.Regression)
        {
            return (1, values);
        }

        if (probability is not null)
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = values[i] is >= 0 and <= 1 ? (float)LogOdds(values[i]) : throw new TrainingDataException($"Value {i} of the teacher's probabilities '{column.Name}' is {values[i]}; expected one in [0, 1].", column.Name);
            }

            return (1, values);
        }

        if (width > 1 && AreDistributions(values, width))
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = (float)Math.Log(Math.Max(values[i], Smallest));
            }
        }

        return step.Task == LearningTask.Multiclass ? (width, order is null ? values : Permuted(values, order))
            : (1, width == 1 ? values : [.. Enumerable.Range(0, values.Length / 2).Select(row => values[2 * row + 1] - values[2 * row])]);
    }

    private static int Width(DataViewSchema.Column column, TeacherStep step, bool isProbability)
    {
        var (width, expected) = step.Task switch
        {
            LearningTask.Multiclass when step.View.Schema[step.Label].Type is KeyDataViewType key => ((int)key.Count, $"Vector<Single, {key.Count}>, one score for each class of '{step.Label}'"),
            LearningTask.Binary when !isProbability && column.Type is VectorDataViewType { Size: 2 } => (2, ""),
            LearningTask.Binary when !isProbability => (1, "Single, or Vector<Single, 2> of both sides"),
            _ => (1, "Single"),
        };
        var (type, size) = column.Type is VectorDataViewType vector ? ((DataViewType)vector.ItemType, vector.Size) : (column.Type, 1);
        return type == NumberDataViewType.Single && size == width ? width : throw NetworkInputs.Mismatch(column.Name, "teacher's score", expected, column.Type.ToString());
    }

    private static float[] Values(IDataView view, DataViewSchema.Column column, int width, TeacherStep step)
    {
        var data = step.Data;
        var values = new float[checked(data.Rows * width)];
        var expected = data.Rows + data.LeftOut.Count;
        var (position, row, left) = (0, 0, 0);
        using var cursor = view.GetRowCursor([column]);
        var read = Reader(cursor, column);
        for (; cursor.MoveNext(); position++)
        {
            if (left < data.LeftOut.Count && data.LeftOut[left] == position)
            {
                left++;
            }
            else if (row < data.Rows)
            {
                var target = values.AsSpan(row++ * width, width);
                read(target);
                if (target.IndexOfAnyExceptInRange(float.MinValue, float.MaxValue) is >= 0 and var slot)
                {
                    throw new TrainingDataException($"Row {position}: value {slot} of the teacher's column '{column.Name}' is {target[slot]}; expected a finite number.", column.Name, position);
                }
            }
        }

        return position == expected ? values : throw new ArgumentException($"The teacher gives {position} rows of scores for {expected} rows; it has to score each of them, in their order.");
    }

    private delegate void ReadRow(Span<float> values);

    private static ReadRow Reader(DataViewRowCursor cursor, DataViewSchema.Column column)
    {
        if (column.Type is VectorDataViewType)
        {
            var getVector = cursor.GetGetter<VBuffer<float>>(column);
            VBuffer<float> vector = default;
            return values =>
            {
                getVector(ref vector);
                vector.CopyTo(values);
            };
        }

        var get = cursor.GetGetter<float>(column);
        return values => get(ref values[0]);
    }

    private static bool AreDistributions(float[] values, int width)
    {
        for (var start = 0; start < values.Length; start += width)
        {
            double sum = 0;
            foreach (var value in values.AsSpan(start, width))
            {
                if (value < 0)
                {
                    return false;
                }

                sum += value;
            }

            if (Math.Abs(sum - 1) > Rounding)
            {
                return false;
            }
        }

        return true;
    }

    private static double LogOdds(double probability)
    {
        var clamped = Math.Clamp(probability, Smallest, 1 - Smallest);
        return Math.Log(clamped / (1 - clamped));
    }

    private static float[] Permuted(float[] values, int[] order)
    {
        var permuted = new float[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            permuted[i] = values[i - i % order.Length + order[i % order.Length]];
        }

        return permuted;
    }
}
