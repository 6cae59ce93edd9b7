using System.Runtime.CompilerServices;

namespace MLNet.Pruning;

/// <summary>Values of options as their setters take them: what is out of range is refused there, by the option's name.</summary>
internal static class Setting
{
    public static T Present<T>(T? value, [CallerMemberName] string name = "") where T : class
        => value ?? throw new ArgumentNullException(name);

    public static string Named(string value, [CallerMemberName] string name = "")
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

    public static double Positive(double value, [CallerMemberName] string name = "") => value > 0 && double.IsFinite(value) ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} is a finite number above 0.");

    public static double NotNegative(double value, [CallerMemberName] string name = "") => value >= 0 && double.IsFinite(value) ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name} is a finite number of at least 0.");

    public static T Defined<T>(T value, [CallerMemberName] string name = "") where T : struct, Enum => Enum.IsDefined(value) ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{typeof(T).Name} has no such value.");
}
