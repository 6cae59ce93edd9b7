using System.Text;

namespace MLNet.Pruning.Messages;

/// <summary>The words and marks of a <see cref="Notation"/>. Texts come from files: their length and depth are bounded.</summary>
internal sealed class NotationReader
{
    private const int LongestText = 1 << 16;
    private const int MostDepth = 32;

    private readonly string _text;
    private int _at;
    private int _depth;

    public NotationReader(string text)
        => _text = text.Length <= LongestText ? text : throw new FormatException($"A choice of {text.Length:N0} characters; expected at most "
            + $"{LongestText:N0}.");

    /// <summary>Whether that mark comes next; moves behind it.</summary>
    public bool Take(char mark)
    {
        SkipSpaces();
        var found = _at < _text.Length && _text[_at] == mark;
        _at += found ? 1 : 0;
        return found;
    }

    /// <summary>By the names of parameters what they are where the text does not say; null for what they are in code.</summary>
    public IReadOnlyDictionary<string, object>? Defaults { get; init; }

    /// <summary>Moves behind the name of the type where a call is written as in code: <c>Importance.L1</c>.</summary>
    public void TakePrefix(string type)
    {
        var start = _at;
        if (!TakeWord(type) || !Take('.'))
        {
            _at = start;
        }
    }

    /// <summary>Whether a list ends here with that mark; else a comma comes before its next item.</summary>
    public bool TakeEnd(char mark)
    {
        if (Take(mark))
        {
            return true;
        }

        Expect(',');
        return false;
    }

    /// <summary>Moves behind a mark that has to come.</summary>
    public void Expect(char mark)
    {
        if (!Take(mark))
        {
            throw Wrong($"expected '{mark}'");
        }
    }

    /// <summary>Whether that word comes next; moves behind it.</summary>
    public bool TakeWord(string word)
    {
        SkipSpaces();
        var end = _at + word.Length;
        if (string.Compare(_text, _at, word, 0, word.Length, StringComparison.OrdinalIgnoreCase) != 0 || end < _text.Length && char.IsLetterOrDigit(_text[end]))
        {
            return false;
        }

        _at = end;
        return true;
    }

    public string Name()
    {
        SkipSpaces();
        var start = _at;
        while (_at < _text.Length && char.IsLetterOrDigit(_text[_at]))
        {
            _at++;
        }

        return _at > start ? _text[start.._at] : throw Wrong("expected a name");
    }

    public double Number()
    {
        SkipSpaces();
        var start = _at;
        while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] is '-' or '+' or '.' or '∞'))
        {
            _at++;
        }

        return double.TryParse(_text.AsSpan(start, _at - start), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number
            : throw Wrong("expected a number", start);
    }

    public string Text()
    {
        Expect('"');
        var text = new StringBuilder();
        for (; _at < _text.Length && _text[_at] != '"'; _at++)
        {
            if (_text[_at] == '\\' && _at + 1 < _text.Length)
            {
                _at++;
            }

            text.Append(_text[_at]);
        }

        Expect('"');
        return text.ToString();
    }

    /// <summary>One level deeper until it is disposed.</summary>
    public IDisposable Nest() => ++_depth <= MostDepth ? new Level(this) : throw Wrong($"more than {MostDepth} levels deep");

    /// <summary>Refuses what follows.</summary>
    public void End()
    {
        SkipSpaces();
        if (_at < _text.Length)
        {
            throw Wrong("expected the end");
        }
    }

    public FormatException Wrong(string problem, int? at = null) => new($"'{_text}' at character {(at ?? _at) + 1}: {problem}");

    private void SkipSpaces()
    {
        while (_at < _text.Length && _text[_at] == ' ')
        {
            _at++;
        }
    }

    private sealed class Level(NotationReader reader) : IDisposable
    {
        public void Dispose() => reader._depth--;
    }
}
