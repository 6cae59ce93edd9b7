namespace MLNet.Pruning.Data.Teachers;

/// <summary>A teacher's scores of the rows that a student is trained on, read once and kept, as logits.</summary>
internal sealed class TeacherScores : IDisposable
{
    /// <summary>Probabilities are taken as no nearer to 0 and 1, where logits end.</summary>
    private const double Smallest = 1e-6;

    /// <summary>How far from 1 probabilities may sum.</summary>
    private const double Rounding = 1e-3;

    private readonly RowStore _rows;

    /// <exception cref="ArgumentException">A column is of the wrong type or size, or names other classes, or the rows are not as many.</exception>
    /// <exception cref="TrainingDataException">A value is not finite, or a probability not in [0, 1].</exception>
    public TeacherScores(IDataView view, DataViewSchema.Column score, DataViewSchema.Column? probability, TeacherStep step)
    {
        var column = probability ?? score;
        var width = Width(column, step, probability is not null);
        var order = step.Task.HasOutputPerClass ? ClassOrder.Of(column, step.Keys, step.Label) : null;
        Outputs = step.Task.HasOutputPerClass ? width : 1;
        _rows = new(step.Data.Rows, width, step.MemoryLimit);
        try
        {
            var areProbabilities = Fill(view, column, width, step, probability is not null);
            if (areProbabilities || order is not null || width > Outputs)
            {
                Convert(step.Data.Rows, width, areProbabilities, order);
            }
        }
        catch
        {
            _rows.Dispose();
            throw;
        }
    }

    /// <summary>Number of logits of a row.</summary>
    public int Outputs { get; }

    /// <summary>Reads a row's logits.</summary>
    public void Read(int row, Span<float> logits) => _rows.Read(row, logits);

    public void Dispose() => _rows.Dispose();

    private static int Width(DataViewSchema.Column column, TeacherStep step, bool isProbability)
    {
        var (width, expected) = step.View.Schema[step.Label].Type switch
        {
            KeyDataViewType key => ((int)key.Count, $"Vector<Single, {key.Count}>, one score for each class of '{step.Label}'"),
            BooleanDataViewType when !isProbability && column.Type is VectorDataViewType { Size: 2 } => (2, ""),
            BooleanDataViewType when !isProbability => (1, "Single, or Vector<Single, 2> of both classes"),
            _ => (1, "Single"),
        };
        var (type, size) = column.Type is VectorDataViewType vector ? ((DataViewType)vector.ItemType, vector.Size) : (column.Type, 1);
        return type == NumberDataViewType.Single && size == width ? width
            : throw NetworkInputs.Mismatch(column.Name, "teacher's score", expected, column.Type.ToString());
    }

    /// <summary>Keeps the rows as they are; true where they are probabilities.</summary>
    private bool Fill(IDataView view, DataViewSchema.Column column, int width, TeacherStep step, bool areSides)
    {
        var data = step.Data;
        var expected = data.Rows + data.LeftOut.Count;
        var (position, row, left, kept) = (0, 0, 0, 0);
        var rows = Math.Min(step.BatchSize, data.Rows);
        var block = new float[width * rows];
        var areDistributions = step.Task.IsClassification && width > 1;
        using var cursor = view.GetRowCursor([column]);
        var read = Reader(cursor, column);
        for (; cursor.MoveNext(); position++)
        {
            step.CancellationToken.ThrowIfCancellationRequested();
            if (left < data.LeftOut.Count && data.LeftOut[left] == position)
            {
                left++;
            }
            else if (row < data.Rows)
            {
                var target = block.AsSpan((row++ - kept) * width, width);
                read(target);
                if (target.IndexOfAnyExceptInRange(float.MinValue, float.MaxValue) is >= 0 and var slot)
                {
                    throw new TrainingDataException($"Row {position}: value {slot} of the teacher's column '{column.Name}' is {target[slot]}; expected a "
                        + "finite number.", column.Name, position);
                }

                if (areSides && target[0] is < 0 or > 1)
                {
                    throw new TrainingDataException($"Row {position}: the teacher's probability '{column.Name}' is {target[0]}; expected one in [0, 1].",
                        column.Name, position);
                }

                areDistributions = areDistributions && IsDistribution(target);
                if (row - kept == rows || row == data.Rows)
                {
                    _rows.Write(kept, block.AsSpan(0, (row - kept) * width));
                    kept = row;
                }
            }
        }

        return position == expected ? areSides || areDistributions
            : throw new ArgumentException($"The teacher gives {position} rows of scores for {expected} rows; it has to score each of them, in their order.");
    }

    /// <summary>Makes logits of the rows, which stand first in them.</summary>
    private void Convert(int rows, int width, bool areProbabilities, int[]? order)
    {
        var (values, logits) = (new float[width], new float[width]);
        for (var row = 0; row < rows; row++)
        {
            _rows.Read(row, values);
            if (areProbabilities)
            {
                foreach (ref var value in values.AsSpan())
                {
                    value = (float)(width == 1 ? LogOdds(value) : Math.Log(Math.Max(value, Smallest)));
                }
            }

            for (var i = 0; i < Outputs; i++)
            {
                logits[i] = width > Outputs ? values[1] - values[0] : values[order?[i] ?? i];
            }

            _rows.Write(row, logits);
        }
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

    private static bool IsDistribution(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (var value in values)
        {
            if (value < 0)
            {
                return false;
            }

            sum += value;
        }

        return Math.Abs(sum - 1) <= Rounding;
    }

    private static double LogOdds(double probability)
    {
        var clamped = Math.Clamp(probability, Smallest, 1 - Smallest);
        return Math.Log(clamped / (1 - clamped));
    }
}
