using Microsoft.Win32.SafeHandles;

namespace MLNet.Pruning.Data.Teachers;

/// <summary>Rows of numbers, in memory or, past a limit, in a temporary file that goes with them.</summary>
internal sealed class RowStore : IDisposable
{
    private readonly float[]? _values;
    private readonly SafeFileHandle? _file;
    private readonly int _width;

    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="memoryLimit">Bytes beyond which they go to a file.</param>
    /// <exception cref="IOException">The temporary file cannot be made.</exception>
    public RowStore(int rows, int width, long memoryLimit)
    {
        _width = width;
        var bytes = (long)rows * width * sizeof(float);
        if (bytes <= memoryLimit && bytes <= Array.MaxLength)
        {
            _values = new float[rows * width];
        }
        else
        {
            _file = File.OpenHandle(Path.Combine(Path.GetTempPath(), $"distillation-{Guid.NewGuid():n}.tmp"), FileMode.CreateNew, FileAccess.ReadWrite,
                FileShare.None, FileOptions.DeleteOnClose | FileOptions.RandomAccess, bytes);
        }
    }

    public void Write(int first, ReadOnlySpan<float> values)
    {
        if (_file is null)
        {
            values.CopyTo(_values.AsSpan(first * _width));
        }
        else
        {
            RandomAccess.Write(_file, MemoryMarshal.AsBytes(values), (long)first * _width * sizeof(float));
        }
    }

    public void Read(int row, Span<float> values)
    {
        if (_file is null)
        {
            _values.AsSpan(row * _width, _width).CopyTo(values);
            return;
        }

        var bytes = MemoryMarshal.AsBytes(values);
        for (var done = 0; done < bytes.Length;)
        {
            var read = RandomAccess.Read(_file, bytes[done..], (long)row * _width * sizeof(float) + done);
            done += read > 0 ? read : throw new IOException("The temporary file of the teacher's outputs is shorter than it was written.");
        }
    }

    public void Dispose() => _file?.Dispose();
}
