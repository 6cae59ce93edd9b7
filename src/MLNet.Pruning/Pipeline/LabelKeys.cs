using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning;

/// <summary>The key values of a label column, of whatever type, remembered so that predictions carry them.</summary>
internal abstract class LabelKeys
{
    private const string KeyValues = "KeyValues";

    public abstract VectorDataViewType Type { get; }

    /// <summary>The key values of a column; null where it has none.</summary>
    public static LabelKeys? Of(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(KeyValues)?.Type is not VectorDataViewType { IsKnownSize: true } type)
        {
            return null;
        }

        var keys = (LabelKeys)Activator.CreateInstance(typeof(Values<>).MakeGenericType(type.ItemType.RawType), type)!;
        keys.Read(column.Annotations);
        return keys;
    }

    /// <summary>Key values of that type whose contents nobody asks for: schema shapes know types only.</summary>
    public static LabelKeys Placeholder(PrimitiveDataViewType itemType)
        => (LabelKeys)Activator.CreateInstance(typeof(Values<>).MakeGenericType(itemType.RawType), new VectorDataViewType(itemType, 2))!;

    public abstract void Add(DataViewSchema.Annotations.Builder annotations, string name);

    protected abstract void Read(DataViewSchema.Annotations annotations);

    private sealed class Values<T>(VectorDataViewType type) : LabelKeys
    {
        private VBuffer<T> _values;

        public override VectorDataViewType Type => type;

        public override void Add(DataViewSchema.Annotations.Builder annotations, string name)
            => annotations.Add(name, type, (ref VBuffer<T> value) => _values.CopyTo(ref value));

        protected override void Read(DataViewSchema.Annotations annotations) => annotations.GetValue(KeyValues, ref _values);
    }
}
