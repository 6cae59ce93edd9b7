using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>The training rows in memory, without those whose features, label or weight are missing or not finite.</summary>
internal sealed class TrainingSet
{
    private TrainingSet(VBuffer<float>[] features, float[] labels, float[]? weights, int featureCount)
    {
        Features = features;
        Labels = labels;
        Weights = weights;
        FeatureCount = featureCount;
        WeightSum = weights is null ? labels.Length : weights.Sum(weight => (double)weight);
    }

    public VBuffer<float>[] Features { get; }

    public float[] Labels { get; }

    public float[]? Weights { get; }

    public int FeatureCount { get; }

    public double WeightSum { get; }

    public int Count => Labels.Length;

    public double WeightAt(int row) => Weights is null ? 1 : Weights[row];

    public static TrainingSet Read(IDataView data, string featureColumn, string labelColumn, string? weightColumn, IChannel channel)
    {
        var feature = data.Schema[featureColumn];
        var label = data.Schema[labelColumn];
        var weight = string.IsNullOrEmpty(weightColumn) ? (DataViewSchema.Column?)null : data.Schema[weightColumn];
        int featureCount = ((VectorDataViewType)feature.Type).Size;

        var features = new List<VBuffer<float>>();
        var labels = new List<float>();
        var weights = weight is null ? null : new List<float>();
        long skipped = 0;
        DataViewSchema.Column[] columns = weight is null ? [feature, label] : [feature, label, weight.Value];
        using (var cursor = data.GetRowCursor(columns))
        {
            var getFeatures = cursor.GetGetter<VBuffer<float>>(feature);
            var getLabel = LabelReader.GetGetter(cursor, label);
            var getWeight = weight is null ? null : cursor.GetGetter<float>(weight.Value);
            VBuffer<float> row = default;
            float target = 0, importance = 1;
            while (cursor.MoveNext())
            {
                getLabel(ref target);
                getWeight?.Invoke(ref importance);
                getFeatures(ref row);
                if (!float.IsFinite(target) || !(importance > 0 && float.IsFinite(importance)) || !AreFinite(row.GetValues()))
                {
                    skipped++;
                    continue;
                }

                if (row.Length != featureCount)
                {
                    throw new InvalidOperationException(
                        $"Column '{featureColumn}' has {row.Length} slots in row {cursor.Position}, its type says {featureCount}");
                }

                // The row's arrays go into the list; the next row gets new ones.
                features.Add(row);
                row = default;
                labels.Add(target);
                weights?.Add(importance);
            }
        }

        if (labels.Count == 0)
        {
            throw new InvalidOperationException("No valid training instances found, all instances have missing features.");
        }

        if (skipped > 0)
        {
            channel.Warning(MessageSensitivity.None, "Skipped {0} instances with missing features/label/weight during training", skipped);
        }

        return new TrainingSet([.. features], [.. labels], weights?.ToArray(), featureCount);
    }

    private static bool AreFinite(ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
            {
                return false;
            }
        }

        return true;
    }
}
