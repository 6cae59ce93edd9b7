using System.Numerics;

namespace Microsoft.ML.Data;

/// <summary>A 128-bit identity of a row, made of Murmur3 block steps: what matters is that no two rows share one.</summary>
public readonly struct DataViewRowId : IComparable<DataViewRowId>, IEquatable<DataViewRowId>
{
    public readonly ulong Low;

    public readonly ulong High;

    private const ulong C1 = 0x87c37b91114253d5;
    private const ulong C2 = 0x4cf5ad432745937f;

    public DataViewRowId(ulong low, ulong high)
    {
        Low = low;
        High = high;
    }

    public DataViewRowId Fork() => Mixed(Low, High, 1);

    public DataViewRowId Next() => Mixed(Low, High, 0);

    public DataViewRowId Combine(DataViewRowId other)
    {
        ulong k1 = BitOperations.RotateLeft(other.Low * C1, 31) * C2;
        ulong k2 = BitOperations.RotateLeft(other.High * C2, 33) * C1;
        return Mixed(Low ^ k1, High ^ k2, 0);
    }

    public int CompareTo(DataViewRowId other) =>
        High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);

    public bool Equals(DataViewRowId other) => Low == other.Low && High == other.High;

    public override bool Equals(object? obj) => obj is DataViewRowId other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Low, High);

    public override string ToString() => $"{High:x16}{Low:x16}";

    private static DataViewRowId Mixed(ulong low, ulong high, ulong salt)
    {
        low ^= BitOperations.RotateLeft(salt * C1, 31) * C2;
        low = ((BitOperations.RotateLeft(low, 27) + high) * 5) + 0x52dce729;
        high = ((BitOperations.RotateLeft(high, 31) + low) * 5) + 0x38495ab5;
        return new DataViewRowId(low, high);
    }
}
