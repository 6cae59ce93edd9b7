namespace MLNet.Pruning.Messages;

/// <summary>Names none of which is given twice.</summary>
/// <param name="taken">Those that are given already.</param>
/// <param name="more">How many are to come, for a table of that size at once.</param>
internal sealed class UniqueNames(IEnumerable<string> taken, int more = 0)
{
    private readonly HashSet<string> _taken = More(taken.ToHashSet(), more);

    // Where to go on counting: from 2 for each of many equal names would take quadratic time.
    private readonly Dictionary<string, int> _last = [];

    /// <summary>The name itself, or with the first number from 2 that makes it unique.</summary>
    public string Next(string name)
    {
        var unique = name;
        while (!_taken.Add(unique))
        {
            _last[name] = _last.GetValueOrDefault(name, 1) + 1;
            unique = $"{name}_{_last[name]}";
        }

        return unique;
    }

    private static HashSet<string> More(HashSet<string> taken, int more)
    {
        taken.EnsureCapacity(taken.Count + more);
        return taken;
    }
}
