using Google.Protobuf;
using Microsoft.Win32.SafeHandles;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Threading;

namespace MLNet.Pruning.Networks.Onnx;

/// <summary>
/// The bytes of a model that is parsed: in memory, or in a file of which only what is asked for is read. The array is as long as the file, but takes memory
/// only for what was read: a system gives a process a page when it is first written to.
/// </summary>
internal sealed class ModelBytes
{
    private const int PageLength = 1 << 12;

    private readonly byte[] _bytes;
    private readonly SafeFileHandle? _file;
    private readonly bool[] _isRead = [];
    private readonly List<(int Start, Memory<byte> Bytes)> _values = [];

    /// <summary>Bytes in memory.</summary>
    public ModelBytes(byte[] bytes) => _bytes = bytes;

    /// <param name="file">An open file, which stays open as long as it is parsed.</param>
    /// <param name="length">Its length.</param>
    public ModelBytes(SafeFileHandle file, int length)
    {
        _file = file;
        _bytes = GC.AllocateUninitializedArray<byte>(length);
        _isRead = new bool[(int)(((long)length + PageLength - 1) / PageLength)];
    }

    /// <summary>How many they are.</summary>
    public int Length => _bytes.Length;

    /// <summary>An array as long as all of them, which has those from a start to an end, or to the last.</summary>
    /// <exception cref="OnnxFormatException">The file became shorter.</exception>
    public byte[] With(int start, int end)
    {
        end = Math.Min(end, Length);
        for (var page = start / PageLength; _file is not null && (long)page * PageLength < end; page++)
        {
            var from = page * PageLength;
            while ((long)page * PageLength < end && !_isRead[page])
            {
                _isRead[page++] = true;
            }

            Read(_file, from, _bytes.AsSpan(from, (int)Math.Min((long)page * PageLength, Length) - from));
        }

        return _bytes;
    }

    /// <summary>Those from a start to an end.</summary>
    public ReadOnlySpan<byte> Range(int start, int end) => With(start, end).AsSpan(start, end - start);

    /// <summary>Those of a tensor's values: where they are in memory, or an array of their own, which <see cref="ReadValues"/> fills from the file.</summary>
    /// <param name="start">Where they start.</param>
    /// <param name="length">How many they are.</param>
    /// <param name="areFloats">Whether a parameter may take the array over.</param>
    public ByteString Values(int start, int length, bool areFloats)
    {
        if (_file is null)
        {
            return UnsafeByteOperations.UnsafeWrap(_bytes.AsMemory(start, length));
        }

        Memory<byte> values = areFloats && length % sizeof(float) == 0 ? new FloatBytes(length / sizeof(float)).Memory
            : GC.AllocateUninitializedArray<byte>(length);
        _values.Add((start, values));
        return UnsafeByteOperations.UnsafeWrap(values);
    }

    /// <summary>Reads all values that were asked for, on all cores: to get memory for them takes longer than to copy them.</summary>
    /// <exception cref="OnnxFormatException">The file became shorter.</exception>
    public void ReadValues() => PartLoop.Run(_values.Count, i => Read(_file!, _values[i].Start, _values[i].Bytes.Span));

    private static void Read(SafeFileHandle file, long position, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            var read = RandomAccess.Read(file, destination, position);
            if (read == 0)
            {
                throw new OnnxFormatException("became shorter while it was read.");
            }

            destination = destination[read..];
            position += read;
        }
    }
}
