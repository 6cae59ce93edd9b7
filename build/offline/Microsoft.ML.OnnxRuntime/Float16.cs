namespace Microsoft.ML.OnnxRuntime;

/// <summary>A half, as IEEE 754 has it.</summary>
public struct Float16 : IEquatable<Float16>
{
    public readonly ushort value;

    public Float16(ushort v) => value = v;

    public static explicit operator Float16(float value) => new(BitConverter.HalfToUInt16Bits((Half)value));

    public static explicit operator float(Float16 value) => value.ToFloat();

    public static bool operator ==(Float16 left, Float16 right) => left.ToFloat() == right.ToFloat();

    public static bool operator !=(Float16 left, Float16 right) => !(left == right);

    public static bool IsNaN(Float16 value) => float.IsNaN(value.ToFloat());

    public float ToFloat() => (float)BitConverter.UInt16BitsToHalf(value);

    public bool Equals(Float16 other) => this == other || (IsNaN(this) && IsNaN(other));

    public override bool Equals(object? obj) => obj is Float16 other && Equals(other);

    public override int GetHashCode() => ToFloat().GetHashCode();

    public override string ToString() => ToFloat().ToString();
}

/// <summary>The upper half of a float.</summary>
public struct BFloat16 : IEquatable<BFloat16>
{
    public readonly ushort value;

    public BFloat16(ushort v) => value = v;

    public static explicit operator BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
        {
            return new BFloat16((ushort)((bits >> 16) | 0x40));
        }

        // To the nearest, ties to even.
        return new BFloat16((ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16));
    }

    public static explicit operator float(BFloat16 value) => value.ToFloat();

    public static bool operator ==(BFloat16 left, BFloat16 right) => left.ToFloat() == right.ToFloat();

    public static bool operator !=(BFloat16 left, BFloat16 right) => !(left == right);

    public static bool IsNaN(BFloat16 value) => float.IsNaN(value.ToFloat());

    public float ToFloat() => BitConverter.UInt32BitsToSingle((uint)value << 16);

    public bool Equals(BFloat16 other) => this == other || (IsNaN(this) && IsNaN(other));

    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    public override int GetHashCode() => ToFloat().GetHashCode();

    public override string ToString() => ToFloat().ToString();
}
