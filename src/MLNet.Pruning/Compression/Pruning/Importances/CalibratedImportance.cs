namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>A criterion that has to see the network, and mostly rows, before it can score: it is measured anew before each step of pruning.</summary>
/// <param name="maker">What makes it, and with which arguments.</param>
/// <param name="arguments">None where it is a property.</param>
internal abstract class CalibratedImportance(string maker, params object?[] arguments) : Importance
{
    /// <summary>Calibration rows unless asked otherwise.</summary>
    public const int DefaultRows = 256;

    /// <summary>As users write it, without arguments.</summary>
    public string Name => $"{nameof(Importance)}.{maker}";

    /// <summary>Whether it is measured on rows: their number is the first argument of all that are.</summary>
    public bool NeedsRows { get; } = arguments is [int, ..];

    public override string ToString() => Notation.Call(maker, arguments);

    protected static int Rows(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        return rows;
    }
}
