using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>How a text file is divided into fields.</summary>
internal sealed class TextFormat
{
    private readonly bool _allowQuoting;
    private readonly bool _trimsLines;
    private readonly char[] _separators;
    private readonly bool _spaceSeparates;

    public TextFormat(TextLoader.Options options)
    {
        _separators = options.Separators is { Length: > 0 } separators
            ? Array.ConvertAll(separators, Checked)
            : throw new ArgumentOutOfRangeException(nameof(options), "Must specify a separator");
        Contracts.CheckParam(options.MaxRows is null or >= 0, nameof(options), "MaxRows must not be negative");
        _spaceSeparates = Array.IndexOf(_separators, ' ') >= 0;
        _allowQuoting = options.AllowQuoting;
        _trimsLines = options.TrimWhitespace;
        HasHeader = options.HasHeader;
        MissingRealsAsNaNs = options.MissingRealsAsNaNs;
        MaxRows = options.MaxRows ?? long.MaxValue;
    }

    public bool HasHeader { get; }

    public bool MissingRealsAsNaNs { get; }

    public long MaxRows { get; }

    /// <summary>Divides a line into fields, the first <paramref name="needed"/> of them.</summary>
    public void Split(ReadOnlyMemory<char> text, int needed, FieldList fields)
    {
        ReadOnlyMemory<char> line = _trimsLines ? text.TrimEnd() : text;
        ReadOnlySpan<char> span = line.Span;
        fields.Clear();
        int at = 0;
        while (fields.Count < needed)
        {
            while (!_spaceSeparates && at < span.Length && span[at] == ' ')
            {
                at++;
            }

            if (_allowQuoting && at < span.Length && span[at] == '"')
            {
                fields.Add(Unquoted(span, ref at).AsMemory());
            }
            else
            {
                int length = span[at..].IndexOfAny(_separators);
                length = length < 0 ? span.Length - at : length;
                fields.Add(line.Slice(at, length));
                at += length;
            }

            if (at >= span.Length)
            {
                return;
            }

            at++;
        }
    }

    private static char Checked(char separator) => separator is ' ' or '\t' || (separator > ' ' && !char.IsAsciiDigit(separator) && separator != '"')
        ? separator
        : throw new ArgumentOutOfRangeException("Separators", $"Illegal separator: '{separator}'");

    // A quote inside is doubled. What is badly quoted counts as empty, as in the real loader.
    private string Unquoted(ReadOnlySpan<char> line, ref int at)
    {
        int start = ++at;
        int end = -1;
        for (; at < line.Length; at++)
        {
            if (line[at] != '"')
            {
                continue;
            }

            if (at + 1 < line.Length && line[at + 1] == '"')
            {
                at++;
                continue;
            }

            end = at++;
            break;
        }

        bool isBad = end < 0;
        while (at < line.Length && Array.IndexOf(_separators, line[at]) < 0)
        {
            isBad |= line[at++] != ' ';
        }

        return isBad ? "" : line[start..end].ToString().Replace("\"\"", "\"");
    }
}

/// <summary>The fields of a line, in an array that is used again for the next one.</summary>
internal sealed class FieldList
{
    private ReadOnlyMemory<char>[] _fields = new ReadOnlyMemory<char>[64];

    public int Count { get; private set; }

    public ReadOnlyMemory<char> this[int index] => _fields[index];

    public void Clear() => Count = 0;

    public void Add(ReadOnlyMemory<char> field)
    {
        if (Count == _fields.Length)
        {
            Array.Resize(ref _fields, 2 * Count);
        }

        _fields[Count++] = field;
    }
}
