using System.Globalization;
using System.Numerics;

namespace Microsoft.ML.Data;

/// <summary>Reads a value from the text of a field; false where it is none.</summary>
internal delegate bool FieldParser<T>(ReadOnlyMemory<char> text, out T value);

internal static class FieldParsers
{
    /// <summary>A parser for the item type: empty text is the default, or NaN for reals where that is asked for.</summary>
    public static FieldParser<T> Of<T>(DataViewType item, bool missingRealsAsNaNs)
    {
        if (item is KeyDataViewType key)
        {
            return (FieldParser<T>)KeyParser(key);
        }

        Delegate parser = item.RawType switch
        {
            _ when item is TextDataViewType => (FieldParser<ReadOnlyMemory<char>>)Text,
            _ when item.RawType == typeof(float) => (FieldParser<float>)((ReadOnlyMemory<char> text, out float value) =>
                Real(text.Span, missingRealsAsNaNs, float.NaN, out value)),
            _ when item.RawType == typeof(double) => (FieldParser<double>)((ReadOnlyMemory<char> text, out double value) =>
                Real(text.Span, missingRealsAsNaNs, double.NaN, out value)),
            _ when item.RawType == typeof(bool) => (FieldParser<bool>)Boolean,
            _ when item.RawType == typeof(sbyte) => (FieldParser<sbyte>)Integer,
            _ when item.RawType == typeof(byte) => (FieldParser<byte>)Integer,
            _ when item.RawType == typeof(short) => (FieldParser<short>)Integer,
            _ when item.RawType == typeof(ushort) => (FieldParser<ushort>)Integer,
            _ when item.RawType == typeof(int) => (FieldParser<int>)Integer,
            _ when item.RawType == typeof(uint) => (FieldParser<uint>)Integer,
            _ when item.RawType == typeof(long) => (FieldParser<long>)Integer,
            _ when item.RawType == typeof(ulong) => (FieldParser<ulong>)Integer,
            _ when item.RawType == typeof(TimeSpan) => (FieldParser<TimeSpan>)((ReadOnlyMemory<char> text, out TimeSpan value) => Parsed(text, out value)),
            _ when item.RawType == typeof(DateTime) => (FieldParser<DateTime>)((ReadOnlyMemory<char> text, out DateTime value) => Parsed(text, out value)),
            _ => (FieldParser<DateTimeOffset>)((ReadOnlyMemory<char> text, out DateTimeOffset value) => Parsed(text, out value)),
        };
        return (FieldParser<T>)parser;
    }

    private static Delegate KeyParser(KeyDataViewType type) =>
        type.RawType == typeof(uint) ? (FieldParser<uint>)((ReadOnlyMemory<char> text, out uint value) => Key(text.Span, type.Count, out value))
        : type.RawType == typeof(byte) ? (FieldParser<byte>)((ReadOnlyMemory<char> text, out byte value) => Key(text.Span, type.Count, out value))
        : type.RawType == typeof(ushort) ? (FieldParser<ushort>)((ReadOnlyMemory<char> text, out ushort value) => Key(text.Span, type.Count, out value))
        : (FieldParser<ulong>)((ReadOnlyMemory<char> text, out ulong value) => Key(text.Span, type.Count, out value));

    // The line's buffer is used again for the next line, so text is copied out of it.
    private static bool Text(ReadOnlyMemory<char> text, out ReadOnlyMemory<char> value)
    {
        value = text.IsEmpty ? default : text.ToString().AsMemory();
        return true;
    }

    private static bool Real<T>(ReadOnlySpan<char> text, bool emptyAsNaN, T nan, out T value)
        where T : struct, IFloatingPointIeee754<T>
    {
        if (IsSmallInteger(text, out int integer))
        {
            value = T.CreateTruncating(integer);
            return true;
        }

        ReadOnlySpan<char> trimmed = text.Trim();
        if (trimmed.IsEmpty)
        {
            value = emptyAsNaN ? nan : default;
            return true;
        }

        if (T.TryParse(trimmed, NumberStyles.Float, CultureInfo.InvariantCulture, out value))
        {
            return true;
        }

        value = nan;
        return IsMissing(trimmed);
    }

    // Most fields of most files are such, and a float holds them exactly; the general parser takes several times as long.
    private static bool IsSmallInteger(ReadOnlySpan<char> text, out int value)
    {
        const int MostDigits = 7;
        value = 0;
        if (text.IsEmpty || text.Length > MostDigits)
        {
            return false;
        }

        foreach (char digit in text)
        {
            if (!char.IsAsciiDigit(digit))
            {
                return false;
            }

            value = (10 * value) + (digit - '0');
        }

        return true;
    }

    private static bool Integer<T>(ReadOnlyMemory<char> text, out T value)
        where T : struct, INumberBase<T>
    {
        ReadOnlySpan<char> trimmed = text.Span.Trim();
        value = default;
        return trimmed.IsEmpty || T.TryParse(trimmed, NumberStyles.Integer, CultureInfo.InvariantCulture, out value);
    }

    private static bool Parsed<T>(ReadOnlyMemory<char> text, out T value)
        where T : struct, ISpanParsable<T>
    {
        value = default;
        return text.IsEmpty || T.TryParse(text.Span, CultureInfo.InvariantCulture, out value);
    }

    // Files count keys from 0, data views from 1; what is out of range is missing.
    private static bool Key<T>(ReadOnlySpan<char> text, ulong count, out T value)
        where T : struct, INumberBase<T>
    {
        ReadOnlySpan<char> trimmed = text.Trim();
        ulong key = 0;
        bool isKey = trimmed.IsEmpty || IsMissing(trimmed);
        if (!isKey && ulong.TryParse(trimmed, NumberStyles.None, CultureInfo.InvariantCulture, out ulong parsed))
        {
            isKey = true;
            key = parsed < count ? parsed + 1 : 0;
        }

        value = T.CreateTruncating(key);
        return isKey;
    }

    private static bool Boolean(ReadOnlyMemory<char> text, out bool value)
    {
        ReadOnlySpan<char> span = text.Span.Trim();
        foreach (string yes in (ReadOnlySpan<string>)["1", "true", "t", "y", "yes", "+", "+1"])
        {
            if (span.Equals(yes, StringComparison.OrdinalIgnoreCase))
            {
                value = true;
                return true;
            }
        }

        value = false;
        foreach (string no in (ReadOnlySpan<string>)["0", "false", "f", "n", "no", "-", "-1", ""])
        {
            if (span.Equals(no, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsMissing(ReadOnlySpan<char> text) =>
        text is "?" || text.Equals("NA", StringComparison.OrdinalIgnoreCase)
        || text.Equals("N/A", StringComparison.OrdinalIgnoreCase) || text.Equals("NaN", StringComparison.OrdinalIgnoreCase);
}
