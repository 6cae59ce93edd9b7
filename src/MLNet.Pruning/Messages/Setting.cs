namespace MLNet.Pruning.Messages;

/// <summary>Values of options as their setters take them: what is out of range is refused there, by the option's name.</summary>
internal static class Setting
{
    public static T Present<T>(T? value, [CallerMemberName] string name = "") where T : class
        => value ?? throw new ArgumentNullException(name);

    public static string Named(string? value, [CallerMemberName] string name = "")
    {
        ArgumentException.ThrowIfNullOrEmpty(value, name);
        return value;
    }

    public static int AtLeast(int least, int value, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least, name);
        return value;
    }

    public static int? AtLeast(int least, int? value, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value ?? least, least, name);
        return value;
    }

    /// <summary>Training computes in 32-bit floats: what is larger than those can be is refused here.</summary>
    public static double Positive(double value, [CallerMemberName] string name = "") => value is > 0 and <= float.MaxValue ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} is a finite number above 0 that a 32-bit float can hold.");

    /// <inheritdoc cref="Positive"/>
    public static double NotNegative(double value, [CallerMemberName] string name = "") => value is >= 0 and <= float.MaxValue ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} is a finite number of at least 0 that a 32-bit float can hold.");

    /// <summary>Null, or a name that is not empty.</summary>
    public static string? NamedIfGiven(string? value, [CallerMemberName] string name = "")
    {
        if (value is not null)
        {
            ArgumentException.ThrowIfNullOrEmpty(value, name);
        }

        return value;
    }

    /// <summary>A list of which no item is null.</summary>
    public static IReadOnlyList<T> Complete<T>(IEnumerable<T>? items, [CallerArgumentExpression(nameof(items))] string name = "") where T : class
    {
        ArgumentNullException.ThrowIfNull(items, name);
        T[] copy = [.. items];
        var missing = Array.FindIndex(copy, item => item is null);
        return missing < 0 ? copy : throw new ArgumentNullException(name, $"Item {missing} is null.");
    }

    /// <summary>A share of at least 0 and below 1.</summary>
    public static double Share(double value, [CallerMemberName] string name = "") => value is >= 0 and < 1 ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} is a share in [0, 1).");

    public static T Defined<T>(T value, [CallerMemberName] string name = "") where T : struct, Enum => Enum.IsDefined(value) ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{typeof(T).Name} has no such value.");
}
