using Google.Protobuf;
using Microsoft.Win32.SafeHandles;
using DataType = MLNet.Pruning.Networks.Format.TensorProto.Types.DataType;

namespace MLNet.Pruning.Networks.Format;

/// <summary>The little-endian bytes of a tensor's values, in the model or in an external file, read without a copy of the whole.</summary>
internal sealed class OnnxTensorBytes : IDisposable
{
    private readonly ByteString _raw;
    private readonly SafeFileHandle? _file;
    private readonly long _offset;
    private readonly string _place;

    private OnnxTensorBytes(ByteString raw, SafeFileHandle? file, long offset, string place) => (_raw, _file, _offset, _place) = (raw, file, offset, place);

    /// <summary>Opens the bytes of a tensor that <see cref="OnnxTensorSize.Check"/> let pass.</summary>
    public static OnnxTensorBytes Open(TensorProto tensor, string? folder, string place)
    {
        var bytes = OnnxTensorSize.Bytes(OnnxTensorSize.Count(tensor.Dims, place), OnnxTensorSize.Bits((DataType)tensor.DataType, place));
        // Nothing to read, nothing to open: a pipe in the folder would wait for its other end.
        if (!OnnxTensorSize.IsExternal(tensor) || bytes == 0)
        {
            return new(tensor.RawData, null, 0, place);
        }

        var (path, offset) = OnnxExternalData.Locate(tensor, bytes, folder, place);
        return new(ByteString.Empty, File.OpenHandle(path), offset, place);
    }

    /// <summary>Fills the destination with the bytes from the position on.</summary>
    public void Read(long position, Span<byte> destination)
    {
        if (_file is null)
        {
            _raw.Span.Slice((int)position, destination.Length).CopyTo(destination);
            return;
        }

        for (var done = 0; done < destination.Length;)
        {
            var read = RandomAccess.Read(_file, destination[done..], _offset + position + done);
            done += read > 0 ? read : throw new OnnxFormatException($"{_place} lies in an external file that became shorter while it was read.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();
}
