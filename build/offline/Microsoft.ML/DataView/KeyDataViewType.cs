namespace Microsoft.ML.Data;

/// <summary>Values 1..Count stand for the keys, 0 for a missing one.</summary>
public sealed class KeyDataViewType : PrimitiveDataViewType
{
    public KeyDataViewType(Type type, ulong count)
        : base(type)
    {
        ulong limit = Limit(type);
        if (limit == 0)
        {
            throw new ArgumentOutOfRangeException(nameof(type), $"A key is a Byte, UInt16, UInt32 or UInt64, not a {type}");
        }

        if (count == 0)
        {
            throw new ArgumentOutOfRangeException(nameof(count), "The cardinality of a KeyDataViewType must be strictly positive");
        }

        if (count > limit)
        {
            throw new ArgumentOutOfRangeException(nameof(count), $"The cardinality {count} of a KeyDataViewType exceeds {type.Name}.MaxValue, {limit}");
        }

        Count = count;
    }

    public KeyDataViewType(Type type, int count)
        : this(type, count > 0 ? (ulong)count : 0)
    {
    }

    public ulong Count { get; }

    public static bool IsValidDataType(Type type) => Limit(type ?? throw new ArgumentNullException(nameof(type))) != 0;

    public override bool Equals(DataViewType? other) =>
        other is KeyDataViewType key && RawType == key.RawType && Count == key.Count;

    public override bool Equals(object? other) => other is DataViewType type && Equals(type);

    public override int GetHashCode() => HashCode.Combine(RawType, Count);

    public override string ToString() => $"Key<{RawType.Name}, 0-{Count - 1}>";

    private static ulong Limit(Type type) =>
        type == typeof(uint) ? uint.MaxValue
        : type == typeof(byte) ? byte.MaxValue
        : type == typeof(ushort) ? ushort.MaxValue
        : type == typeof(ulong) ? ulong.MaxValue
        : 0;
}
