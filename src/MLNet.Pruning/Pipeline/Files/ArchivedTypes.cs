using MLNet.Pruning.Data;
using MLNet.Pruning.Files;

namespace MLNet.Pruning.Pipeline.Files;

/// <summary>Names of column types in model files.</summary>
internal static class ArchivedTypes
{
    /// <summary>Whether a type, or that of a vector's values, is a key or one that has a name here.</summary>
    public static bool IsKnown(DataViewType type) => (type is VectorDataViewType vector ? vector.ItemType : type) is KeyDataViewType or NumberDataViewType
        or TextDataViewType or BooleanDataViewType or DateTimeDataViewType or DateTimeOffsetDataViewType or TimeSpanDataViewType;

    public static string NameOf(DataViewType type) => type == TextDataViewType.Instance ? "Text" : type.RawType.Name;

    public static PrimitiveDataViewType TypeOf(string name) => name switch
    {
        "Text" => TextDataViewType.Instance,
        nameof(Single) => NumberDataViewType.Single,
        nameof(Double) => NumberDataViewType.Double,
        nameof(SByte) => NumberDataViewType.SByte,
        nameof(Byte) => NumberDataViewType.Byte,
        nameof(Int16) => NumberDataViewType.Int16,
        nameof(UInt16) => NumberDataViewType.UInt16,
        nameof(Int32) => NumberDataViewType.Int32,
        nameof(UInt32) => NumberDataViewType.UInt32,
        nameof(Int64) => NumberDataViewType.Int64,
        nameof(UInt64) => NumberDataViewType.UInt64,
        nameof(Boolean) => BooleanDataViewType.Instance,
        nameof(DateTime) => DateTimeDataViewType.Instance,
        nameof(DateTimeOffset) => DateTimeOffsetDataViewType.Instance,
        nameof(TimeSpan) => TimeSpanDataViewType.Instance,
        _ => throw new ArgumentException($"there is no type '{name}'"),
    };
}

/// <summary>Key values of a label in a model file.</summary>
internal sealed record ArchivedKeys(string Type, JsonElement Values)
{
    public static ArchivedKeys? Of(LabelKeys? keys) => keys is null ? null : new(ArchivedTypes.NameOf(keys.Type.ItemType), keys.ToJson());

    public LabelKeys ToKeys() => LabelKeys.FromJson(ArchivedTypes.TypeOf(Type), Values);

    public static LabelKeys Read(JsonPart json) => LabelKeys.FromJson(ArchivedTypes.TypeOf(json[nameof(Type)].Text()), json[nameof(Values)].Element);
}
