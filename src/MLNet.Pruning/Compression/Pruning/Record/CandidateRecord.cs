namespace MLNet.Pruning.Compression.Pruning.Record;

/// <summary>What became of every candidate that a pruning compared.</summary>
internal sealed class CandidateRecord
{
    public List<CandidatePool> Pools { get; init; } = [];

    private IEnumerable<(CandidatePool Pool, CandidateTable Table)> Tables => Pools.SelectMany(pool => pool.Tables.Select(table => (pool, table)));

    public void Close(int round, double sparsity, bool kept) => Pools.ForEach(pool => pool.Close(round, sparsity, kept));

    public IReadOnlyList<CandidateTable> All() => [.. Tables.Select(pair => pair.Table)];

    /// <exception cref="ArgumentException">No such layer; the message names the nearest.</exception>
    public CandidateTable Find(string layer)
    {
        ArgumentException.ThrowIfNullOrEmpty(layer);
        var found = All().FirstOrDefault(table => table.Name == layer) ?? All().FirstOrDefault(table => table.Layer == layer);
        return found ?? throw new ArgumentException($"No weights or structures of '{layer}' were "
            + $"compared.{NearestNames.Suggest(layer, All().SelectMany(table => new[] { table.Name, table.Layer }))}", nameof(layer));
    }

    /// <exception cref="ArgumentException">No such candidate; the message says which there are.</exception>
    public PruningDecision Decision(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        foreach (var (pool, table) in Tables)
        {
            if (table.Names is { } names && names.ToList().IndexOf(name) is >= 0 and var block)
            {
                return pool.Decision(table, block, name);
            }
        }

        var asked = CandidateName.Parse(name);
        foreach (var (pool, table) in Tables)
        {
            if (asked.Find(table) is { } index)
            {
                return pool.Decision(table, index, table.Slices.Count > 0 ? name : CandidateName.Of(table, index));
            }
        }

        throw new ArgumentException($"No weights or structures of '{asked.Name}' were compared.{NearestNames.Suggest(asked.Name, All().SelectMany(Known))}",
            nameof(name));
    }

    private static IEnumerable<string> Known(CandidateTable table)
        => table.Names ?? table.Slices.Select(slices => slices.Parameter).Append(table.Name).Append(table.Layer);
}
