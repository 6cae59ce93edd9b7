using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>Computes the columns of a prediction: all of them from the one score of a row.</summary>
internal abstract class ScoreMapper<TScore> : RowMapper
{
    private readonly IScorer<TScore> _scorer;
    private readonly DataViewSchema.Column _feature;

    protected ScoreMapper(DataViewSchema schema, IScorer<TScore> scorer, string featureColumn)
        : base(schema)
    {
        _scorer = scorer;
        _feature = schema.GetColumnOrNull(featureColumn)
            ?? throw Contracts.MissingColumn("inputSchema", "feature", featureColumn, schema.Select(column => column.Name));
        if (_feature.Type is not VectorDataViewType { ItemType: NumberDataViewType item } vector
            || item != NumberDataViewType.Single || vector.Size != scorer.FeatureCount)
        {
            var expected = new VectorDataViewType(NumberDataViewType.Single, scorer.FeatureCount);
            throw new InvalidOperationException($"Incompatible type of the feature column '{featureColumn}': expected {expected}, got {_feature.Type}");
        }
    }

    public override IEnumerable<int> GetDependencies(int output) => [_feature.Index];

    public sealed override Delegate?[] MakeGetters(DataViewRow input, Func<int, bool> isActive)
    {
        var getters = new Delegate?[OutputColumns.Length];
        RowScore? score = null;
        for (int i = 0; i < getters.Length; i++)
        {
            if (isActive(i))
            {
                score ??= new RowScore(_scorer, input, _feature);
                getters[i] = MakeGetter(score, i);
            }
        }

        return getters;
    }

    protected sealed override Delegate MakeGetter(DataViewRow input, int output) => MakeGetter(new RowScore(_scorer, input, _feature), output);

    protected abstract Delegate MakeGetter(RowScore score, int output);

    /// <summary>The score of the row that a cursor is at, computed at most once.</summary>
    protected sealed class RowScore(IScorer<TScore> scorer, DataViewRow input, DataViewSchema.Column feature)
    {
        private readonly ValueGetter<VBuffer<float>> _getFeatures = input.GetGetter<VBuffer<float>>(feature);
        private VBuffer<float> _features;
        private TScore _score = default!;
        private long _position = long.MinValue;

        public ref readonly TScore Current
        {
            get
            {
                if (_position != input.Position)
                {
                    _getFeatures(ref _features);
                    if (_features.Length != scorer.FeatureCount)
                    {
                        throw new InvalidOperationException(
                            $"Column '{feature.Name}' has {_features.Length} slots in row {input.Position}, the model needs {scorer.FeatureCount}");
                    }

                    scorer.Score(in _features, ref _score);
                    _position = input.Position;
                }

                return ref _score;
            }
        }
    }
}
