using System.Globalization;
using Spectre.Console;

namespace MLNet.Pruning.Cli;

/// <summary>Texts and numbers in tables.</summary>
internal static class Cells
{
    /// <summary>Names come from files: what would steer the terminal is shown as '?'.</summary>
    public static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));

    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    public static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    public static string Percent(double? share) => share?.ToString("P1", CultureInfo.InvariantCulture) ?? "";

    /// <summary>"64 x 3 x 7 x 7"; open sizes by name.</summary>
    public static string Shape(IEnumerable<object>? sizes) => sizes is null ? "?" : string.Join(" x ", sizes);

    /// <summary>A table whose first column, and those that begin with '&lt;', are aligned to the left.</summary>
    public static FittingTable Columns(params ReadOnlySpan<string> names) => new(names);

    public static void Line(this IAnsiConsole console, string text) => console.WriteLine(Plain(text));
}
