using TorchSharp.Interop;

namespace TorchSharp;

public sealed class Scalar : IDisposable
{
    private readonly ValueKind _kind;
    private readonly long _bits;
    private bool _disposed;

    internal Scalar(double value, ScalarType type)
    {
        _kind = ValueKind.Double;
        _bits = BitConverter.DoubleToInt64Bits(value);
        Type = type;
    }

    internal Scalar(long value, ScalarType type)
    {
        _kind = ValueKind.Int;
        _bits = value;
        Type = type;
    }

    internal Scalar(bool value)
    {
        _kind = ValueKind.Bool;
        _bits = value ? 1 : 0;
        Type = ScalarType.Bool;
    }

    public ScalarType Type { get; }

    internal ValueKind Kind => _disposed ? throw new InvalidOperationException("Scalar invalid -- empty handle.") : _kind;

    internal long Bits => _bits;

    internal double Number => Kind == ValueKind.Double ? BitConverter.Int64BitsToDouble(_bits) : _bits;

    internal long Integer => Kind == ValueKind.Double ? checked((long)BitConverter.Int64BitsToDouble(_bits)) : _bits;

    public static implicit operator Scalar(byte value) => value.ToScalar();

    public static implicit operator Scalar(sbyte value) => value.ToScalar();

    public static implicit operator Scalar(short value) => value.ToScalar();

    public static implicit operator Scalar(int value) => value.ToScalar();

    public static implicit operator Scalar(long value) => value.ToScalar();

    public static implicit operator Scalar(float value) => value.ToScalar();

    public static implicit operator Scalar(double value) => value.ToScalar();

    public static implicit operator Scalar(bool value) => value.ToScalar();

    public void Dispose() => _disposed = true;
}

public static class ScalarExtensionMethods
{
    // libtorch's scalars know three kinds: integer, floating point and boolean.
    public static Scalar ToScalar(this byte value) => new(value, ScalarType.Int64);

    public static Scalar ToScalar(this sbyte value) => new(value, ScalarType.Int64);

    public static Scalar ToScalar(this short value) => new(value, ScalarType.Int64);

    public static Scalar ToScalar(this int value) => new(value, ScalarType.Int64);

    public static Scalar ToScalar(this long value) => new(value, ScalarType.Int64);

    public static Scalar ToScalar(this float value) => new(value, ScalarType.Float64);

    public static Scalar ToScalar(this double value) => new(value, ScalarType.Float64);

    public static Scalar ToScalar(this bool value) => new(value);

    public static float ToSingle(this Scalar value) => (float)value.Number;

    public static double ToDouble(this Scalar value) => value.Number;

    public static sbyte ToSByte(this Scalar value) => checked((sbyte)value.Integer);

    public static byte ToByte(this Scalar value) => checked((byte)value.Integer);

    public static short ToInt16(this Scalar value) => checked((short)value.Integer);

    public static int ToInt32(this Scalar value) => checked((int)value.Integer);

    public static long ToInt64(this Scalar value) => value.Integer;

    public static bool ToBoolean(this Scalar value) => value.Number != 0;
}
