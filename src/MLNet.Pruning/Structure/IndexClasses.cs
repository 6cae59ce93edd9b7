namespace MLNet.Pruning.Structure;

/// <summary>
/// A union-find over the indices of dimensions: indices in one class go together. A class may be fixed, which carries a reason through
/// every later union. Cost: near constant an index.
/// </summary>
internal sealed class IndexClasses
{
    private readonly List<string> _reasons = [];
    private readonly Dictionary<string, int> _reasonNumbers = [];
    private const int MostUnbacked = 1 << 20;

    private int _unbacked;
    private int[] _parents = new int[1024];
    private int[] _fixed = new int[1024];

    public int Count { get; private set; }

    /// <summary>New classes, one an index.</summary>
    public int[] Add(int count)
    {
        var classes = new int[count];
        var needed = Count + count;
        if (needed > _parents.Length)
        {
            var size = Math.Max(needed, 2 * _parents.Length);
            Array.Resize(ref _parents, size);
            Array.Resize(ref _fixed, size);
        }

        for (var i = 0; i < count; i++)
        {
            classes[i] = _parents[Count] = Count;
            Count++;
        }

        return classes;
    }

    /// <summary>
    /// Whether so many more indices can be told apart that no parameter holds; they then count. A few bytes of a file ask for any number of them: there is room
    /// for a million.
    /// </summary>
    public bool HasRoom(long indices)
    {
        if (indices > MostUnbacked - _unbacked)
        {
            return false;
        }

        _unbacked += (int)indices;
        return true;
    }

    /// <summary>One class that cannot go, as many times.</summary>
    public int[] AddFixed(int count, string reason)
    {
        var one = Add(1)[0];
        Fix(one, reason);
        var classes = new int[count];
        Array.Fill(classes, one);
        return classes;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(int index)
    {
        while (_parents[index] != index)
        {
            index = _parents[index] = _parents[_parents[index]];
        }

        return index;
    }

    /// <summary>Puts two indices into one class; the lower one names it, so that it is the first in the graph.</summary>
    public void Tie(int a, int b)
    {
        (a, b) = (Find(a), Find(b));
        if (a == b)
        {
            return;
        }

        if (b < a)
        {
            (a, b) = (b, a);
        }

        _parents[b] = a;
        if (_fixed[a] == 0)
        {
            _fixed[a] = _fixed[b];
        }
    }

    public void Fix(int index, string reason)
    {
        index = Find(index);
        if (_fixed[index] != 0)
        {
            return;
        }

        if (!_reasonNumbers.TryGetValue(reason, out var number))
        {
            _reasons.Add(reason);
            _reasonNumbers[reason] = number = _reasons.Count;
        }

        _fixed[index] = number;
    }

    public bool IsFixed(int index) => _fixed[Find(index)] != 0;

    /// <summary>Why the class of an index cannot go; null where it can.</summary>
    public string? Reason(int index) => _fixed[Find(index)] is > 0 and var number ? _reasons[number - 1] : null;
}
