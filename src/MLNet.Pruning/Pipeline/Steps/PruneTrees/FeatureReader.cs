using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Data;

namespace MLNet.Pruning.Pipeline.Steps.PruneTrees;

/// <summary>Reads a feature column into rows as trees read them. Missing values stay: the trees know their way.</summary>
internal sealed class FeatureReader(DataViewRow row, DataViewSchema.Column column, TreeModel trees) : IRowReader
{
    private readonly ValueGetter<VBuffer<float>> _getter = row.GetGetter<VBuffer<float>>(column);
    private VBuffer<float> _features;

    /// <summary>The column in a schema.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is missing, or of another type or size than the trees read.</exception>
    public static ImmutableArray<DataViewSchema.Column> Bind(DataViewSchema schema, TreesState state)
    {
        var column = NetworkInputs.Find(schema, state.FeatureColumn);
        return column.Type is VectorDataViewType vector && vector.ItemType == NumberDataViewType.Single && vector.Size == state.Trees.FeatureCount ? [column]
            : throw NetworkInputs.Mismatch(state.FeatureColumn, "feature", $"Vector<Single, {state.Trees.FeatureCount}>, what the trees read",
                column.Type.ToString());
    }

    public TrainingDataException? Read(Span<float> values, long row)
    {
        _getter(ref _features);
        if (_features.Length != trees.FeatureCount)
        {
            return new($"Row {row}: column '{column.Name}' has {_features.Length} values, expected {trees.FeatureCount}.", column.Name, row);
        }

        if (_features.IsDense)
        {
            _features.GetValues().CopyTo(values);
        }
        else
        {
            _features.CopyTo(values[..trees.FeatureCount]);
        }

        trees.CompleteRow(values);
        return null;
    }
}
