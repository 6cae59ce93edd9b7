namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>A criterion that has to see the network, and mostly rows, before it can score: it is measured anew before each step of pruning.</summary>
/// <param name="name">As users write it.</param>
internal abstract class CalibratedImportance(string name) : Importance
{
    /// <summary>Calibration rows unless asked otherwise.</summary>
    public const int DefaultRows = 256;

    public string Name => name;

    public override string ToString() => name;

    protected static int Rows(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        return rows;
    }
}
