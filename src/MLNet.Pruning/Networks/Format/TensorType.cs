namespace MLNet.Pruning;

/// <summary>Type of a tensor's elements; the numbers are those of the ONNX standard.</summary>
public enum TensorType
{
    /// <summary>Not known, or not a tensor of numbers.</summary>
    Unknown = 0,

    /// <summary>32-bit floats.</summary>
    Float = 1,

    /// <summary>Unsigned 8-bit integers.</summary>
    UInt8 = 2,

    /// <summary>Signed 8-bit integers.</summary>
    Int8 = 3,

    /// <summary>Unsigned 16-bit integers.</summary>
    UInt16 = 4,

    /// <summary>Signed 16-bit integers.</summary>
    Int16 = 5,

    /// <summary>Signed 32-bit integers.</summary>
    Int32 = 6,

    /// <summary>Signed 64-bit integers.</summary>
    Int64 = 7,

    /// <summary>Strings.</summary>
    String = 8,

    /// <summary>Truth values.</summary>
    Bool = 9,

    /// <summary>16-bit floats of IEEE 754.</summary>
    Float16 = 10,

    /// <summary>64-bit floats.</summary>
    Double = 11,

    /// <summary>Unsigned 32-bit integers.</summary>
    UInt32 = 12,

    /// <summary>Unsigned 64-bit integers.</summary>
    UInt64 = 13,

    /// <summary>16-bit floats with the exponent of 32-bit ones.</summary>
    BFloat16 = 16,

    /// <summary>Unsigned 4-bit integers, two a byte.</summary>
    UInt4 = 21,

    /// <summary>Signed 4-bit integers, two a byte.</summary>
    Int4 = 22,

    /// <summary>Unsigned 2-bit integers, four a byte.</summary>
    UInt2 = 25,

    /// <summary>Signed 2-bit integers, four a byte.</summary>
    Int2 = 26,
}
