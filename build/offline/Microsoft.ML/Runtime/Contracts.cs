using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Microsoft.ML.Runtime;

/// <summary>The kinds of exception that the checks of the real package throw.</summary>
internal static class Contracts
{
    public static void CheckNonEmpty([NotNull] string? value, [CallerArgumentExpression(nameof(value))] string? name = null)
    {
        if (string.IsNullOrEmpty(value))
        {
            throw new ArgumentNullException(name, $"'{name}' cannot be null or empty");
        }
    }

    public static void CheckNonWhiteSpace([NotNull] string? value, [CallerArgumentExpression(nameof(value))] string? name = null)
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            throw new ArgumentOutOfRangeException(name, $"'{name}' cannot be null or white space");
        }
    }

    public static void CheckParam([DoesNotReturnIf(false)] bool condition, string name, string message)
    {
        if (!condition)
        {
            throw new ArgumentOutOfRangeException(name, message);
        }
    }

    /// <summary>A column that a step needs is not in its input.</summary>
    public static ArgumentOutOfRangeException MissingColumn(string parameter, string role, string column, IEnumerable<string> present) =>
        new(parameter, $"Could not find {role} column '{column}'; the columns are {string.Join(", ", present)}");

    /// <summary>A column that a step needs has a type that it cannot use.</summary>
    public static ArgumentOutOfRangeException SchemaMismatch(string parameter, string role, string column, string expected, string actual) =>
        new(parameter, $"Schema mismatch for {role} column '{column}': expected {expected}, got {actual}");

    /// <summary>A getter was asked for with a type that is not the column's.</summary>
    public static InvalidOperationException WrongGetter(DataViewSchema.Column column, Type asked) =>
        new($"Invalid TValue in GetGetter: '{asked}' for column '{column.Name}', whose raw type is '{column.Type.RawType}'");

    /// <summary>A getter was asked for a column that the cursor was not opened with.</summary>
    public static ArgumentOutOfRangeException Inactive(DataViewSchema.Column column) =>
        new(nameof(column), $"Column '{column.Name}' is not active: the cursor was not asked for it");
}
