namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>What a method will hold at most, told before it begins, and refused where the machine has less.</summary>
internal static class MemoryBound
{
    /// <summary>Tells the log, and refuses what cannot be held.</summary>
    /// <param name="context">Where to tell it.</param>
    /// <param name="method">Name of what needs it.</param>
    /// <param name="bytes">How much, besides the network and its rows.</param>
    /// <exception cref="InvalidOperationException">The machine, or what the process is limited to, has less.</exception>
    public static void Check(ImportanceContext context, string method, long bytes)
    {
        var limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (bytes > limit)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{method} would hold {bytes / 1e6:N0} MB besides the network "
                + $"and its rows, and {limit / 1e6:N0} MB are there: leave out the layers with the most inputs by Scope.Except, or use what needs no moments "
                + $"of them, such as {nameof(Importance)}.{nameof(Importance.Wanda)}."));
        }

        context.Tell(string.Create(CultureInfo.InvariantCulture, $"{method} holds at most {bytes / 1e6:N1} MB besides the network and its rows."));
    }
}
