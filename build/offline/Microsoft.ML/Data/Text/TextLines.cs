namespace Microsoft.ML.Data;

/// <summary>
/// The lines of files one after the other, without headers, comments and empty lines. A line is valid until the next
/// is read: the buffer is used again.
/// </summary>
internal sealed class TextLines(IMultiStreamSource source, bool hasHeader) : IDisposable
{
    private char[] _buffer = new char[1 << 14];
    private TextReader? _reader;
    private int _file = -1;
    private int _start;
    private int _end;
    private bool _atFileStart;

    /// <summary>The number of the line in its file, from one.</summary>
    public long Number { get; private set; }

    public ReadOnlyMemory<char> Current { get; private set; }

    /// <summary>The header of the file being read, where there is one; valid as a line is.</summary>
    public ReadOnlyMemory<char> Header { get; private set; }

    public bool MoveNext()
    {
        while (true)
        {
            if (_reader is null && !OpenNext())
            {
                return false;
            }

            if (!ReadLine())
            {
                _reader!.Dispose();
                _reader = null;
                continue;
            }

            ReadOnlySpan<char> line = Current.Span;
            if (line.IsEmpty || line.StartsWith("//") || (_atFileStart && line[0] == '#'))
            {
                continue;
            }

            if (_atFileStart && hasHeader)
            {
                _atFileStart = false;
                Header = Current.ToArray();
                continue;
            }

            _atFileStart = false;
            return true;
        }
    }

    public void Dispose() => _reader?.Dispose();

    private bool OpenNext()
    {
        if (_file + 1 >= source.Count)
        {
            return false;
        }

        _reader = source.OpenTextReader(++_file);
        _start = _end = 0;
        _atFileStart = true;
        Number = 0;
        return true;
    }

    private bool ReadLine()
    {
        int searched = _start;
        while (true)
        {
            int length = _buffer.AsSpan(searched, _end - searched).IndexOf('\n');
            if (length >= 0)
            {
                int lineEnd = searched + length;
                SetCurrent(lineEnd);
                _start = lineEnd + 1;
                return true;
            }

            searched = _end - _start;
            if (!Fill())
            {
                bool hasRest = _end > _start;
                SetCurrent(_end);
                _start = _end;
                return hasRest;
            }
        }
    }

    private void SetCurrent(int end)
    {
        if (end > _start && _buffer[end - 1] == '\r')
        {
            end--;
        }

        Current = _buffer.AsMemory(_start, end - _start);
        Number++;
    }

    // Moves the unread part to the front and reads more behind it.
    private bool Fill()
    {
        int kept = _end - _start;
        if (kept == _buffer.Length)
        {
            Array.Resize(ref _buffer, 2 * kept);
        }
        else
        {
            _buffer.AsSpan(_start, kept).CopyTo(_buffer);
        }

        _start = 0;
        int read = _reader!.Read(_buffer, kept, _buffer.Length - kept);
        _end = kept + read;
        return read > 0;
    }
}
