using System.Globalization;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>Schedules as the command line names them.</summary>
internal static class ScheduleNames
{
    public const string Expected = "oneshot, linear:n, geometric:n or cubic:n with a number of steps, or iterative:share with a share in (0, 1)";

    /// <summary>The schedule; null for a text that names none.</summary>
    public static Schedule? Parse(string text)
    {
        var parts = text.Split(':');
        return parts switch
        {
            ["oneshot"] => Schedule.OneShot,
            ["linear", var n] when Steps(n) is { } steps => Schedule.Linear(steps),
            ["geometric", var n] when Steps(n) is { } steps => Schedule.Geometric(steps),
            ["cubic", var n] when Steps(n) is { } steps => Schedule.Cubic(steps),
            ["iterative", var share] when double.TryParse(share, CultureInfo.InvariantCulture, out var value) && value is > 0 and < 1 => Schedule.Iterative(value),
            _ => null,
        };
    }

    private static int? Steps(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var steps) && steps >= 1 ? steps : null;
}
