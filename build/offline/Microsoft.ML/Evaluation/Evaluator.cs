using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Reads the columns of predictions and counts them up. Only the names and types of columns matter.</summary>
internal static class Evaluator
{
    public static MulticlassTally Multiclass(IDataView data, string labelColumn, string scoreColumn, out string[] classNames)
    {
        var label = Column(data, "label", labelColumn);
        var score = Column(data, "score", scoreColumn);
        if (score.Type is not VectorDataViewType { Size: >= 2 } scores || scores.ItemType != NumberDataViewType.Single)
        {
            throw Contracts.SchemaMismatch("schema", "score", score.Name, "vector of two or more items of type Single", score.Type.ToString()!);
        }

        if (label.Type != NumberDataViewType.Single && label.Type is not KeyDataViewType)
        {
            throw Contracts.SchemaMismatch("schema", "label", label.Name, "Single or Key", label.Type.ToString()!);
        }

        classNames = SlotNames(score, scores.Size);
        var tally = new MulticlassTally(scores.Size);
        using var cursor = data.GetRowCursor([label, score]);
        var getLabel = LabelReader.GetGetter(cursor, label);
        var getScore = cursor.GetGetter<VBuffer<float>>(score);
        float target = 0;
        VBuffer<float> row = default;
        var dense = new float[scores.Size];
        while (cursor.MoveNext())
        {
            getLabel(ref target);
            // A label that no class can have, and a score that is no number, say nothing about the model.
            if (float.IsNaN(target) || target < 0 || target != (int)target)
            {
                continue;
            }

            getScore(ref row);
            if (row.Length != dense.Length)
            {
                throw new InvalidOperationException($"Column '{score.Name}' has {row.Length} scores in row {cursor.Position}, its type says {dense.Length}");
            }

            row.CopyTo(dense);
            if (Array.TrueForAll(dense, float.IsFinite))
            {
                tally.Add((int)target, dense);
            }
        }

        return tally;
    }

    public static BinaryTally Binary(
        IDataView data, string labelColumn, string scoreColumn, string? probabilityColumn, Random random, out string[] classNames)
    {
        var label = Column(data, "label", labelColumn);
        var score = Column(data, "score", scoreColumn);
        CheckSingle(score, "score");
        if (label.Type != NumberDataViewType.Single && label.Type != NumberDataViewType.Double
            && label.Type is not BooleanDataViewType && label.Type.KeyCount() != 2)
        {
            throw Contracts.SchemaMismatch(
                "schema", "label", label.Name, "Single, Double, Boolean, or a Key with cardinality 2", label.Type.ToString()!);
        }

        DataViewSchema.Column? probability = null;
        if (probabilityColumn is not null)
        {
            probability = Column(data, "probability", probabilityColumn);
            CheckSingle(probability.Value, "probability");
        }

        classNames = KeyValues.Of(label) is KeyValues<ReadOnlyMemory<char>> { Items.Length: 2 } names
            ? Array.ConvertAll(names.Items, name => name.ToString())
            : ["positive", "negative"];
        var tally = new BinaryTally(random);
        using var cursor = data.GetRowCursor(probability is null ? [label, score] : [label, score, probability.Value]);
        var getLabel = LabelReader.GetGetter(cursor, label);
        var getScore = cursor.GetGetter<float>(score);
        var getProbability = probability is null ? null : cursor.GetGetter<float>(probability.Value);
        float target = 0, output = 0, chance = float.NaN;
        while (cursor.MoveNext())
        {
            getLabel(ref target);
            getScore(ref output);
            if (!float.IsFinite(output) || float.IsNaN(target))
            {
                continue;
            }

            getProbability?.Invoke(ref chance);
            tally.Add(target > 0, output, chance);
        }

        return tally;
    }

    public static RegressionTally Regression(IDataView data, string labelColumn, string scoreColumn)
    {
        var label = Column(data, "label", labelColumn);
        var score = Column(data, "score", scoreColumn);
        CheckSingle(score, "score");
        CheckSingle(label, "label");
        var tally = new RegressionTally();
        using var cursor = data.GetRowCursor([label, score]);
        var getLabel = cursor.GetGetter<float>(label);
        var getScore = cursor.GetGetter<float>(score);
        float target = 0, output = 0;
        while (cursor.MoveNext())
        {
            getLabel(ref target);
            getScore(ref output);
            if (!float.IsNaN(target) && !float.IsNaN(output))
            {
                tally.Add(target, output);
            }
        }

        return tally;
    }

    /// <summary>A column that must be there, whether a metric is computed from it or not.</summary>
    public static DataViewSchema.Column Column(IDataView data, string role, string name) => data.Schema.GetColumnOrNull(name)
        ?? throw Contracts.MissingColumn("schema", role, name, data.Schema.Select(column => column.Name));

    private static void CheckSingle(DataViewSchema.Column column, string role)
    {
        if (column.Type != NumberDataViewType.Single)
        {
            throw Contracts.SchemaMismatch("schema", role, column.Name, "Single", column.Type.ToString()!);
        }
    }

    private static string[] SlotNames(DataViewSchema.Column score, int size)
    {
        if (!score.HasSlotNames())
        {
            return [.. Enumerable.Range(0, size).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture))];
        }

        VBuffer<ReadOnlyMemory<char>> names = default;
        score.GetSlotNames(ref names);
        return [.. names.DenseValues().Select(name => name.ToString())];
    }
}
