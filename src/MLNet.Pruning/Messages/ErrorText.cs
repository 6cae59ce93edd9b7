using System.Text.RegularExpressions;

namespace MLNet.Pruning.Messages;

/// <summary>Messages about what others wrote, whose names and lists may be of any length.</summary>
internal static partial class ErrorText
{
    private const int Longest = 400;
    private const int LongestName = 80;

    /// <summary>The message in at most 400 characters: first what is longest without a space is shortened in its middle, then the message in its own.</summary>
    public static string Fit(string message)
    {
        if (message.Length <= Longest)
        {
            return message;
        }

        var shorter = LongName().Replace(message, match => Shorten(match.Value, LongestName));
        return Shorten(shorter, Longest);
    }

    private static string Shorten(string text, int length)
    {
        if (text.Length <= length)
        {
            return text;
        }

        // A character of two halves stays whole or goes.
        var (start, end) = (length / 2, text.Length - ((length - 1) / 2));
        return $"{text[..(char.IsHighSurrogate(text[start - 1]) ? start - 1 : start)]}…{text[(char.IsLowSurrogate(text[end]) ? end + 1 : end)..]}";
    }

    [GeneratedRegex(@"[^\s']{81,}|(?<=')[^']{81,}(?=')")]
    private static partial Regex LongName();
}
