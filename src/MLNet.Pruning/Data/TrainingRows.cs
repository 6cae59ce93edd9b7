namespace MLNet.Pruning.Data;

/// <summary>Reads what a network reads, and the label, of a data view once, streaming.</summary>
internal static class TrainingRows
{
    /// <summary>Reads all rows and holds back those to measure on.</summary>
    /// <param name="view">The rows.</param>
    /// <param name="network">The network they are for.</param>
    /// <param name="inputs">The columns it reads.</param>
    /// <param name="task">The task.</param>
    /// <param name="rules">The label, the validation fraction, and what to do with invalid rows.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="TrainingDataException">No rows, one class only, values that are not finite, or ids beyond a table.</exception>
    public static TrainingData Read(IDataView view, Network network, NetworkInputs inputs, LearningTask task, RowRules rules)
    {
        var columns = inputs.Bind(view.Schema, network);
        var label = Label(view.Schema, rules.Label, task, network.Output.RowSize);
        var weight = Weight(view.Schema, rules.Weight);
        var data = new TrainingData(network.RowSize, weight is not null);
        using (var cursor = view.GetRowCursor([.. columns, label, .. weight is { } column ? [column] : Array.Empty<DataViewSchema.Column>()]))
        {
            var readWeight = weight is { } weights ? Reader<float>(cursor, weights, value => value) : () => 1;
            var reader = new InputReader(cursor, columns, network, inputs);
            var readLabel = LabelReader(cursor, label);
            for (long i = 0; cursor.MoveNext(); i++)
            {
                rules.CancellationToken.ThrowIfCancellationRequested();
                var (target, counts) = (readLabel(), readWeight());
                var storage = data.Next();
                if ((reader.Read(storage, i) ?? Problem(storage, target, network, inputs, label.Name, i) ?? Problem(counts, rules.Weight, i))
                    is not { } problem)
                {
                    data.Add(target, counts);
                }
                else if (rules.SkipInvalidRows)
                {
                    data.LeaveOut(i);
                }
                else
                {
                    throw problem;
                }
            }
        }

        Check(data, task, label.Name, rules.AreMeasured);
        data.Split(rules.ValidationFraction, rules.SplitSeed);
        CheckWeights(data, rules.Weight);
        return data.TrainingRows.Length > 0 ? data
            : throw new TrainingDataException($"A validation fraction of {rules.ValidationFraction.ToString(CultureInfo.InvariantCulture)} leaves none of the "
                + $"{data.Rows} rows to train on.");
    }

    private static DataViewSchema.Column Label(DataViewSchema schema, string name, LearningTask task, int outputs)
    {
        var column = NetworkInputs.Find(schema, name, "label");
        var expected = TaskLabels.Of(column.Type) != task ? TaskLabels.Expected(task)
            : column.Type is KeyDataViewType key && key.Count != (ulong)outputs ? $"a key of {outputs} values, as many as the network has outputs"
            : null;
        return expected is null ? column : throw NetworkInputs.Mismatch(name, "label", expected, column.Type.ToString());
    }

    private static DataViewSchema.Column? Weight(DataViewSchema schema, string? name)
    {
        if (name is null)
        {
            return null;
        }

        var column = NetworkInputs.Find(schema, name, "weight");
        return column.Type == NumberDataViewType.Single ? column : throw NetworkInputs.Mismatch(name, "weight", "Single", column.Type.ToString());
    }

    /// <summary>Reads the index of the class, 1 or 0, or the number that a row has as its label; not a number where it is missing.</summary>
    public static Func<float> LabelReader(DataViewRowCursor cursor, DataViewSchema.Column label)
    {
        if (label.Type == BooleanDataViewType.Instance)
        {
            return Reader<bool>(cursor, label, value => value ? 1 : 0);
        }

        // Keys count from 1; 0 is a missing one.
        return label.Type.RawType switch
        {
            var type when type == typeof(uint) => Reader<uint>(cursor, label, key => key == 0 ? float.NaN : key - 1),
            var type when type == typeof(ushort) => Reader<ushort>(cursor, label, key => key == 0 ? float.NaN : key - 1),
            var type when type == typeof(byte) => Reader<byte>(cursor, label, key => key == 0 ? float.NaN : key - 1),
            var type when type == typeof(ulong) => Reader<ulong>(cursor, label, key => key == 0 ? float.NaN : key - 1),
            _ => Reader<float>(cursor, label, value => value),
        };
    }

    private static Func<float> Reader<T>(DataViewRowCursor cursor, DataViewSchema.Column column, Func<T, float> convert)
    {
        var getter = cursor.GetGetter<T>(column);
        return () =>
        {
            T value = default!;
            getter(ref value);
            return convert(value);
        };
    }

    private static TrainingDataException? Problem(ReadOnlySpan<float> row, float target, Network network, NetworkInputs inputs, string label, long i)
    {
        if (Problem(row, network.Inputs, inputs.Columns.Select(column => column.Name), i, "Clean the rows, or set SkipInvalidRows.") is { } problem)
        {
            return problem;
        }

        return float.IsFinite(target) ? null
            : new($"Row {i}: column '{label}' is {(float.IsNaN(target) ? "missing" : target)}; expected a "
                + $"{(float.IsNaN(target) ? "value" : "finite number")}. Clean the rows, or set SkipInvalidRows.", label, i);
    }

    /// <summary>The first value of a row that is not finite; null for none.</summary>
    /// <param name="row">Values of all tensors, one after another.</param>
    /// <param name="tensors">The tensors.</param>
    /// <param name="columns">Names of their columns.</param>
    /// <param name="i">Number of the row.</param>
    /// <param name="advice">What to do, for the message.</param>
    internal static TrainingDataException? Problem(ReadOnlySpan<float> row, ImmutableArray<TensorInfo> tensors, IEnumerable<string> columns, long i,
        string advice)
    {
        foreach (var (tensor, name) in tensors.Zip(columns))
        {
            var values = row[..tensor.RowSize];
            for (var slot = 0; slot < values.Length; slot++)
            {
                if (!float.IsFinite(values[slot]))
                {
                    return new($"Row {i}: value {slot} of column '{name}' is {values[slot]}; expected a finite number. {advice}", name, i);
                }
            }

            row = row[values.Length..];
        }

        return null;
    }

    private static TrainingDataException? Problem(float weight, string? name, long i) => weight >= 0 && float.IsFinite(weight) ? null
        : new($"Row {i}: column '{name}' is {weight}; expected a finite weight of at least 0. Clean the rows, or set SkipInvalidRows.", name, i);

    /// <summary>A mean over rows that count nothing is none.</summary>
    private static void CheckWeights(TrainingData data, string? name)
    {
        foreach (var (rows, what) in new[] { (data.TrainingRows, "train"), (data.ValidationRows, "measure") })
        {
            if (!rows.IsEmpty && data.Weight(rows.AsSpan()) == 0)
            {
                throw new TrainingDataException($"Column '{name}' is 0 in all {rows.Length} rows to {what} on; expected a weight above 0 in one of them.",
                    name);
            }
        }
    }

    private static void Check(TrainingData data, LearningTask task, string label, bool areMeasured)
    {
        if (data.Rows == 0)
        {
            throw new TrainingDataException($"There are no rows to {(areMeasured ? "measure" : "train")} on.");
        }

        if (!areMeasured && task.IsClassification && Enumerable.Range(1, data.Rows - 1).All(row => data.Target(row) == data.Target(0)))
        {
            throw new TrainingDataException($"All {data.Rows} rows have the same class in column '{label}': there is nothing to tell apart.", label);
        }
    }
}
