using System.Runtime.InteropServices;

namespace TorchSharp.Interop;

internal enum ValueKind
{
    None = 0,
    Tensor = 1,
    Int = 2,
    Double = 3,
    Bool = 4,
    Ints = 5,
    Doubles = 6,
    Tensors = 7,
    OptionalTensors = 8,
    Text = 9,
    Device = 10,
    Generator = 11,
}

/// <summary>The layout of <c>ts_value</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeValue
{
    internal ValueKind Kind;
    internal int Length;
    internal long Bits;
}

/// <summary>An argument of an operator: a value, or the managed object that holds it.</summary>
internal readonly struct Argument
{
    private Argument(ValueKind kind, long bits, object? reference = null)
    {
        Kind = kind;
        Bits = bits;
        Reference = reference;
    }

    internal ValueKind Kind { get; }

    internal long Bits { get; }

    internal object? Reference { get; }

    public static implicit operator Argument(Tensor? tensor) => tensor is null ? default : new(ValueKind.Tensor, 0, tensor);

    public static implicit operator Argument(long value) => new(ValueKind.Int, value);

    public static implicit operator Argument(double value) => new(ValueKind.Double, BitConverter.DoubleToInt64Bits(value));

    public static implicit operator Argument(bool value) => new(ValueKind.Bool, value ? 1 : 0);

    public static implicit operator Argument(long? value) => value is { } some ? some : default(Argument);

    public static implicit operator Argument(double? value) => value is { } some ? some : default(Argument);

    public static implicit operator Argument(bool? value) => value is { } some ? some : default(Argument);

    // libtorch takes any number for an element type, and reads past its tables for one that is none.
    public static implicit operator Argument(ScalarType? value) => value switch
    {
        null => default(Argument),
        { } some when Enum.IsDefined(some) => new Argument(ValueKind.Int, (long)some),
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, "Expected the type of an element."),
    };

    public static implicit operator Argument(Scalar? value) => value is null ? default : new(value.Kind, value.Bits);

    public static implicit operator Argument(long[]? values) => values is null ? default : new(ValueKind.Ints, 0, values);

    public static implicit operator Argument(double[]? values) => values is null ? default : new(ValueKind.Doubles, 0, values);

    public static implicit operator Argument(string text) => new(ValueKind.Text, 0, text);

    public static implicit operator Argument(Device? device) => device is null ? default : new(ValueKind.Device, device.index, device);

    public static implicit operator Argument(Generator? generator)
        => generator is null ? default : new(ValueKind.Generator, 0, generator);

    internal static Argument List(IEnumerable<Tensor> tensors) => new(ValueKind.Tensors, 0, tensors.ToArray());

    internal static Argument OptionalList(Tensor?[] tensors) => new(ValueKind.OptionalTensors, 0, tensors);
}
