using System.Globalization;
using System.Numerics;
using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

/// <summary>
/// Conversions between item types: signed among signed and unsigned among unsigned numbers, numbers and texts to Single,
/// Double, Boolean and text, Boolean to signed numbers, texts to all of them.
/// </summary>
internal static class StandardConversions
{
    private static readonly Type[] Signed = [typeof(sbyte), typeof(short), typeof(int), typeof(long)];
    private static readonly Type[] Unsigned = [typeof(byte), typeof(ushort), typeof(uint), typeof(ulong)];
    private static readonly Type[] Real = [typeof(float), typeof(double)];

    public static bool CanConvert(Type source, Type destination)
    {
        if (destination == typeof(ReadOnlyMemory<char>))
        {
            return source == destination || source == typeof(bool) || IsNumber(source)
                || source == typeof(DateTime) || source == typeof(DateTimeOffset) || source == typeof(TimeSpan);
        }

        if (source == typeof(ReadOnlyMemory<char>))
        {
            return destination == typeof(bool) || IsNumber(destination);
        }

        if (destination == typeof(bool))
        {
            return source == typeof(bool) || IsNumber(source);
        }

        return source == typeof(bool) ? Signed.Contains(destination) || Real.Contains(destination)
            : Real.Contains(destination) ? IsNumber(source)
            : (Signed.Contains(source) && Signed.Contains(destination)) || (Unsigned.Contains(source) && Unsigned.Contains(destination));
    }

    public static ItemMapper<TSource, TDestination> Get<TSource, TDestination>()
    {
        Type source = typeof(TSource), destination = typeof(TDestination);
        if (!CanConvert(source, destination))
        {
            throw new NotSupportedException($"There is no conversion from {source} to {destination}");
        }

        return (ItemMapper<TSource, TDestination>)Make(source, destination);
    }

    private static Delegate Make(Type source, Type destination)
    {
        if (source == destination)
        {
            return Call(nameof(Same), source);
        }

        if (destination == typeof(ReadOnlyMemory<char>))
        {
            return Call(nameof(ToText), source);
        }

        if (source == typeof(ReadOnlyMemory<char>))
        {
            return destination == typeof(bool) ? (ItemMapper<ReadOnlyMemory<char>, bool>)ParseFlag
                : Real.Contains(destination) ? Call(nameof(ParseReal), destination)
                : Signed.Contains(destination) ? Call(nameof(ParseSigned), destination)
                : Call(nameof(ParseUnsigned), destination);
        }

        return destination == typeof(bool) ? Call(nameof(ToFlag), source)
            : source == typeof(bool) ? Call(nameof(FromFlag), destination)
            : Call(nameof(Number), source, destination);
    }

    private static bool IsNumber(Type type) => Signed.Contains(type) || Unsigned.Contains(type) || Real.Contains(type);

    private static Delegate Call(string method, params Type[] types) => GenericCall.Static<Delegate>(typeof(StandardConversions), method, types);

    private static ItemMapper<T, T> Same<T>() => static (in T source, ref T destination) => destination = source;

    private static ItemMapper<TSource, TDestination> Number<TSource, TDestination>()
        where TSource : INumberBase<TSource>
        where TDestination : INumberBase<TDestination> =>
        static (in TSource source, ref TDestination destination) => destination = TDestination.CreateTruncating(source);

    private static ItemMapper<T, bool> ToFlag<T>()
        where T : INumberBase<T> => static (in T source, ref bool destination) => destination = !T.IsZero(source);

    private static ItemMapper<bool, T> FromFlag<T>()
        where T : INumberBase<T> => static (in bool source, ref T destination) => destination = source ? T.One : T.Zero;

    private static ItemMapper<T, ReadOnlyMemory<char>> ToText<T>()
    {
        string? format = typeof(T) == typeof(float) ? "G7" : typeof(T) == typeof(double) ? "G17"
            : typeof(T) == typeof(TimeSpan) ? "c" : typeof(T) == typeof(DateTime) || typeof(T) == typeof(DateTimeOffset) ? "o" : null;
        return (in T source, ref ReadOnlyMemory<char> destination) => destination =
            (source is IFormattable value ? value.ToString(format, CultureInfo.InvariantCulture) : source!.ToString()).AsMemory();
    }

    // Empty text and text that is no number are missing values.
    private static ItemMapper<ReadOnlyMemory<char>, T> ParseReal<T>()
        where T : IBinaryFloatingPointIeee754<T> => static (in ReadOnlyMemory<char> source, ref T destination) => destination =
            T.TryParse(source.Span, NumberStyles.Float, CultureInfo.InvariantCulture, out T? value) ? value : T.NaN;

    private static ItemMapper<ReadOnlyMemory<char>, T> ParseSigned<T>()
        where T : IBinaryInteger<T> => static (in ReadOnlyMemory<char> source, ref T destination) => destination =
            source.IsEmpty ? T.Zero
            : T.TryParse(source.Span, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T? value) ? value
            : throw new InvalidOperationException($"Value '{source}' could not be parsed from text to {typeof(T).Name}.");

    private static ItemMapper<ReadOnlyMemory<char>, T> ParseUnsigned<T>()
        where T : IBinaryInteger<T> => static (in ReadOnlyMemory<char> source, ref T destination) => destination =
            T.TryParse(source.Span, NumberStyles.None, CultureInfo.InvariantCulture, out T? value) ? value : T.Zero;

    private static void ParseFlag(in ReadOnlyMemory<char> source, ref bool destination) =>
        destination = source.ToString().ToLowerInvariant() is "t" or "true" or "y" or "yes" or "1" or "+" or "+1";
}
