using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Compression.Pruning.Record;

/// <summary>A candidate as users write it: <c>fc1.weight[3,17]</c>, <c>conv2.weight[5]</c>, <c>conv2.weight[:,5]</c>. Dimensions left out are whole.</summary>
/// <param name="Name">Name of the parameter or of the layer.</param>
/// <param name="Indices">An index for each dimension; null where it is whole.</param>
internal sealed record CandidateName(string Name, IReadOnlyList<int?> Indices)
{
    /// <exception cref="ArgumentException">The text is something else.</exception>
    public static CandidateName Parse(string text)
    {
        var open = text.IndexOf('[');
        if (open < 0)
        {
            return new(text, []);
        }

        if (open == 0 || text[^1] != ']')
        {
            throw NoCandidate(text);
        }

        return new(text[..open], [.. text[(open + 1)..^1].Split(',').Select(part => part.Trim() is var index && index == ":" ? (int?)null
            : int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw NoCandidate(text))]);
    }

    /// <summary>The name of a candidate of a parameter; of a block the first and the last index of each dimension.</summary>
    public static string Of(CandidateTable table, int candidate)
    {
        var (low, high) = (table.Shape.ToArray(), table.Shape.Select(_ => -1).ToArray());
        foreach (var (run, start, length) in table.Layout.Count == table.Layout.Weights ? [(candidate, candidate, 1)] : table.Layout.Runs)
        {
            for (var i = start; run == candidate && i < start + length; i++)
            {
                for (int d = table.Shape.Count - 1, rest = i; d >= 0; rest /= table.Shape[d--])
                {
                    (low[d], high[d]) = (Math.Min(low[d], rest % table.Shape[d]), Math.Max(high[d], rest % table.Shape[d]));
                }
            }
        }

        string[] parts = [.. table.Shape.Select((size, d) =>
            low[d] == 0 && high[d] == size - 1 && size > 1 ? ":" : IndexRanges.Format([.. Enumerable.Range(low[d], high[d] - low[d] + 1)]))];
        return $"{table.Name}[{string.Join(",", parts.Take(1 + Array.FindLastIndex(parts, part => part != ":")))}]";
    }

    /// <summary>The number of the candidate; null where the name is none of the table's.</summary>
    /// <exception cref="ArgumentException">The name is, but its indices are those of no candidate.</exception>
    public int? Find(CandidateTable table)
    {
        if (table.Names is not null)
        {
            return null;
        }

        if (table.Slices.Count == 0)
        {
            return Name == table.Name || Name == table.Layer ? Weight(table) : null;
        }

        if (Name == table.Layer && Indices is [{ } number])
        {
            return number < table.Shape[0] ? number : throw Outside(table.Name, 0, table.Shape[0], number);
        }

        // Of a weight, rows belong to one width and columns to another: the dimension that is given says which.
        var given = Enumerable.Range(0, Indices.Count).Where(d => Indices[d] is not null).ToArray();
        if (given.Length != 1 && table.Slices.Any(slices => slices.Parameter == Name))
        {
            throw new ArgumentException($"'{Name}' was pruned in slices along one dimension: give one index, as in '{Name}[5]' or '{Name}[:,5]'.");
        }

        if (given.Length != 1 || table.Slices.FirstOrDefault(slices => slices.Parameter == Name && slices.Dimension == given[0]) is not { } found)
        {
            return null;
        }

        var index = Indices[given[0]]!.Value;
        return index >= found.Groups.Length ? throw Outside(Name, given[0], found.Groups.Length, index)
            : found.Groups[index] is >= 0 and var group ? group
            : throw new ArgumentException($"Index {index} of dimension {given[0]} of '{Name}' is part of no structure that could be removed.");
    }

    private int Weight(CandidateTable table)
    {
        if (Indices.Count > table.Shape.Count)
        {
            throw new ArgumentException($"'{Name}' has {table.Shape.Count} dimensions ({TensorInfo.Dimensions(table.Shape)}); {Indices.Count} indices were "
                + "given.");
        }

        var (first, last) = (0, 0);
        for (var d = 0; d < table.Shape.Count; d++)
        {
            var index = d < Indices.Count ? Indices[d] : null;
            if (index >= table.Shape[d])
            {
                throw Outside(Name, d, table.Shape[d], index.Value);
            }

            (first, last) = (first * table.Shape[d] + (index ?? 0), last * table.Shape[d] + (index ?? table.Shape[d] - 1));
        }

        return table.Layout.Of(first) is var candidate && candidate == table.Layout.Of(last) ? candidate
            : throw new ArgumentException($"'{Name}' ({TensorInfo.Dimensions(table.Shape)}) was pruned in smaller structures than that; one is called "
                + $"'{Of(table, candidate)}'.");
    }

    private static ArgumentException NoCandidate(string text)
        => new($"'{text}' names no weight or structure: write a parameter and indices from 0, as in 'fc1.weight[3,17]' or 'conv2.weight[5]'.");

    private static ArgumentException Outside(string name, int dimension, int size, int index)
        => new($"Dimension {dimension} of '{name}' has the indices 0 to {size - 1}; {index} was given.");
}
