using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

/// <summary>Collects the distinct values of a column; missing ones get no key.</summary>
internal abstract class VocabularyBuilder
{
    public static VocabularyBuilder Create(DataViewRow row, DataViewSchema.Column source, int limit) => GenericCall.Static<VocabularyBuilder>(
        typeof(VocabularyBuilder), nameof(CreateTyped), [source.Type.ItemType().RawType], row, source, limit);

    /// <summary>Takes in a row; false when no more values are wanted.</summary>
    public abstract bool AddRow();

    public abstract Vocabulary ToVocabulary(ValueToKeyMappingEstimator.KeyOrdinality order);

    private static VocabularyBuilder CreateTyped<T>(DataViewRow row, DataViewSchema.Column source, int limit)
        where T : notnull => new VocabularyBuilder<T>(row, source, limit);
}

internal sealed class VocabularyBuilder<T> : VocabularyBuilder
    where T : notnull
{
    private readonly DataViewSchema.Column _source;
    private readonly int _limit;
    private readonly Func<T, bool> _isMissing;
    private readonly Dictionary<T, int> _seen = TextComparer.Dictionary<T, int>();
    private readonly List<T> _values = [];
    private readonly ValueGetter<T>? _getItem;
    private readonly ValueGetter<VBuffer<T>>? _getVector;
    private VBuffer<T> _vector;

    public VocabularyBuilder(DataViewRow row, DataViewSchema.Column source, int limit)
    {
        _source = source;
        _limit = limit;
        _isMissing = MissingIn(source.Type.ItemType());
        if (source.Type is VectorDataViewType)
        {
            _getVector = row.GetGetter<VBuffer<T>>(source);
        }
        else
        {
            _getItem = row.GetGetter<T>(source);
        }
    }

    public override bool AddRow()
    {
        if (_getItem is not null)
        {
            T item = default!;
            _getItem(ref item);
            return Add(item);
        }

        _getVector!(ref _vector);
        // The zeros that a sparse vector leaves out are values like others, in their place.
        bool more = true;
        var items = _vector.GetValues();
        var indices = _vector.GetIndices();
        for (int i = 0; i < items.Length && more; i++)
        {
            if (!indices.IsEmpty && (i == 0 ? indices[0] > 0 : indices[i] > indices[i - 1] + 1))
            {
                more = Add(default!);
            }

            more = more && Add(items[i]);
        }

        return more && (_vector.IsDense || Add(default!));
    }

    public override Vocabulary ToVocabulary(ValueToKeyMappingEstimator.KeyOrdinality order)
    {
        if (order == ValueToKeyMappingEstimator.KeyOrdinality.ByValue)
        {
            _values.Sort(typeof(T) == typeof(ReadOnlyMemory<char>) ? (IComparer<T>)(object)TextComparer.Instance : Comparer<T>.Default);
        }

        return new Vocabulary<T>(new KeyValues<T>((PrimitiveDataViewType)_source.Type.ItemType(), [.. _values]));
    }

    private static Func<T, bool> MissingIn(DataViewType type) => type switch
    {
        TextDataViewType => static value => ((ReadOnlyMemory<char>)(object)value).IsEmpty,
        KeyDataViewType => static value => EqualityComparer<T>.Default.Equals(value, default),
        _ when typeof(T) == typeof(float) => static value => float.IsNaN((float)(object)value),
        _ when typeof(T) == typeof(double) => static value => double.IsNaN((double)(object)value),
        _ => static _ => false,
    };

    private bool Add(T value)
    {
        if (_values.Count >= _limit)
        {
            return false;
        }

        if (!_seen.ContainsKey(value) && !_isMissing(value))
        {
            // Texts may lie in a buffer that the next row overwrites.
            T kept = value is ReadOnlyMemory<char> text ? (T)(object)text.ToString().AsMemory() : value;
            _seen.Add(kept, _values.Count);
            _values.Add(kept);
        }

        return true;
    }
}
