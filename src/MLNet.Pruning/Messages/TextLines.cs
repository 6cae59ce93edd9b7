namespace MLNet.Pruning.Messages;

/// <summary>Sentences in lines that a terminal shows whole.</summary>
internal static class TextLines
{
    private const int Width = 80;

    /// <summary>Names in a table are shortened to this, from their beginning: their end tells them apart.</summary>
    private const int LongestCell = 32;

    /// <summary>Breaks a text at its spaces into lines of at most 80 characters; a word alone may be longer.</summary>
    /// <param name="text">The text.</param>
    /// <param name="indent">What each line but the first begins with.</param>
    public static IEnumerable<string> Wrap(string text, string indent)
    {
        while (text.Length > Width)
        {
            var first = text.Length - text.TrimStart().Length;
            var end = text.LastIndexOf(' ', Width);
            end = end > first ? end : text.IndexOf(' ', Width);
            if (end < 0)
            {
                break;
            }

            yield return text[..end];
            text = indent + text[(end + 1)..];
        }

        yield return text;
    }

    /// <summary>A name in at most 32 characters.</summary>
    public static string Cut(string name) => name.Length <= LongestCell ? name : $"…{name[^(LongestCell - 1)..]}";
}
