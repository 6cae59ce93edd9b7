namespace MLNet.Pruning.Messages;

/// <summary>Names none of which is given twice.</summary>
/// <param name="taken">Those that are given already.</param>
internal sealed class UniqueNames(IEnumerable<string> taken)
{
    private readonly HashSet<string> _taken = [.. taken];

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
}
