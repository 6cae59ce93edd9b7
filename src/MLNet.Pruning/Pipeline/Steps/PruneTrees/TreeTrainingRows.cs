using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Data;
using MLNet.Pruning.Data.Teachers;

namespace MLNet.Pruning.Pipeline.Steps.PruneTrees;

/// <summary>Splits the rows that trees are pruned with, and reads them.</summary>
internal static class TreeTrainingRows
{
    /// <summary>The rows to train on and those to choose on, which are drawn by the seed where they are not given.</summary>
    /// <exception cref="TrainingDataException">There are none of either.</exception>
    public static (IDataView Training, IDataView Validation) Split(IDataView input, TreePruningOptions options, int seed)
    {
        if (options.ValidationData is { } given)
        {
            return (input, given);
        }

        var count = 0;
        using (var cursor = input.GetRowCursor([]))
        {
            while (cursor.MoveNext())
            {
                options.CancellationToken.ThrowIfCancellationRequested();
                count++;
            }
        }

        var validation = (int)Math.Round(options.ValidationFraction * count);
        if (validation == 0 || validation == count)
        {
            throw new TrainingDataException(string.Create(CultureInfo.InvariantCulture,
                $"A validation fraction of {options.ValidationFraction} leaves {validation} of the {count} rows to choose on and {count - validation} to "
                    + $"train on; both need some."));
        }

        var isValidation = new bool[count];
        int[] order = [.. Enumerable.Range(0, count)];
        new Random(seed).Shuffle(order);
        foreach (var row in order[..validation])
        {
            isValidation[row] = true;
        }

        return (new RowSubset(input, row => !isValidation[row]), new RowSubset(input, row => isValidation[row]));
    }

    /// <exception cref="TrainingDataException">There are no rows, a label is missing, or all labels are the same.</exception>
    public static TreeRows Read(IDataView view, TreesState state, TreePruningOptions options)
    {
        var trees = state.Trees;
        var feature = FeatureReader.Bind(view.Schema, state)[0];
        var label = NetworkInputs.Find(view.Schema, options.LabelColumnName, "label");
        var expected = TaskLabels.Of(label.Type) != trees.Task ? TaskLabels.Expected(trees.Task)
            : label.Type is KeyDataViewType key && key.Count != (ulong)trees.Outputs ? $"a key of {trees.Outputs} values, as many as the trees tell apart"
            : null;
        if (expected is not null)
        {
            throw NetworkInputs.Mismatch(label.Name, "label", expected, label.Type.ToString());
        }

        if (LabelKeys.Of(label) is { } own && !ClassOrder.IsSame(state.Keys, own))
        {
            throw new ArgumentException($"The trees tell apart the classes {string.Join(", ", state.Keys!.Names)}, but the label '{label.Name}' has the "
                + $"classes {string.Join(", ", own.Names)}: expected the same in the same order.");
        }

        var weight = options.ExampleWeightColumnName is { } name ? NetworkInputs.Find(view.Schema, name, "weight") : (DataViewSchema.Column?)null;
        if (weight is { } weighting && weighting.Type != NumberDataViewType.Single)
        {
            throw NetworkInputs.Mismatch(weighting.Name, "weight", "Single", weighting.Type.ToString());
        }

        List<float> values = [], labels = [], weights = [];
        DataViewSchema.Column[] columns = weight is { } needed ? [feature, label, needed] : [feature, label];
        using (var cursor = view.GetRowCursor(columns))
        {
            var reader = new FeatureReader(cursor, feature, trees);
            var readLabel = TrainingRows.LabelReader(cursor, label);
            var readWeight = weight is { } column ? TrainingRows.LabelReader(cursor, column) : null;
            var row = new float[trees.Width];
            while (cursor.MoveNext())
            {
                options.CancellationToken.ThrowIfCancellationRequested();
                if (reader.Read(row, labels.Count) is { } problem)
                {
                    throw problem;
                }

                var target = readLabel();
                labels.Add(float.IsFinite(target) ? target
                    : throw new TrainingDataException($"Row {labels.Count}: column '{label.Name}' is {(float.IsNaN(target) ? "missing" : target)}; expected a "
                        + "finite number.", label.Name, labels.Count));
                values.AddRange(row);
                if (readWeight is not null)
                {
                    var importance = readWeight();
                    weights.Add(importance >= 0 && float.IsFinite(importance) ? importance
                        : throw new TrainingDataException($"Row {weights.Count}: column '{options.ExampleWeightColumnName}' is {importance}; expected a "
                            + "finite number of at least 0.", options.ExampleWeightColumnName, weights.Count));
                }
            }
        }

        if (labels.Distinct().Take(2).Count() < 2)
        {
            throw new TrainingDataException(labels.Count == 0 ? "There are no rows to prune trees with."
                : $"All {labels.Count} rows have the same value in column '{label.Name}': there is nothing to tell apart.", label.Name);
        }

        return new([.. values], trees.Width, [.. labels], weight is null ? null : [.. weights]) { CancellationToken = options.CancellationToken };
    }
}
