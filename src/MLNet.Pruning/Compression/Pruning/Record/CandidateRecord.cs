using MLNet.Pruning.Messages;

namespace MLNet.Pruning.Compression.Pruning.Record;

/// <summary>What became of every piece that a pruning compared.</summary>
internal sealed class CandidateRecord
{
    public List<CandidatePool> Pools { get; init; } = [];

    private IEnumerable<(CandidatePool Pool, CandidateTable Table)> Tables => Pools.SelectMany(pool => pool.Tables.Select(table => (pool, table)));

    public static CandidateRecord Of(IEnumerable<CandidateRecord> parts) => new() { Pools = [.. parts.SelectMany(part => part.Pools)] };

    public void Close(int round, double sparsity, bool kept) => Pools.ForEach(pool => pool.Close(round, sparsity, kept));

    public IReadOnlyList<CandidateTable> All() => [.. Tables.Select(pair => pair.Table)];

    /// <exception cref="ArgumentException">No such layer; the message names the nearest.</exception>
    public CandidateTable Find(string layer)
    {
        ArgumentException.ThrowIfNullOrEmpty(layer);
        var found = All().FirstOrDefault(table => table.Name == layer) ?? All().FirstOrDefault(table => table.Layer == layer);
        return found ?? throw new ArgumentException($"No pieces of '{layer}' were compared.{NearestNames.Suggest(layer, All().SelectMany(table => new[] { table.Name, table.Layer }))}", nameof(layer));
    }

    /// <exception cref="ArgumentException">No such piece; the message says which there are.</exception>
    public PruningDecision Decision(string piece)
    {
        ArgumentException.ThrowIfNullOrEmpty(piece);
        foreach (var (pool, table) in Tables)
        {
            if (table.Names is { } names && names.ToList().IndexOf(piece) is >= 0 and var block)
            {
                return pool.Decision(table, block, piece);
            }
        }

        var asked = CandidateName.Parse(piece);
        foreach (var (pool, table) in Tables)
        {
            if (asked.Find(table) is { } index)
            {
                return pool.Decision(table, index, table.Slices.Count > 0 ? piece : CandidateName.Of(table, index));
            }
        }

        throw new ArgumentException($"No pieces of '{asked.Name}' were compared.{NearestNames.Suggest(asked.Name, All().SelectMany(Known))}", nameof(piece));
    }

    private static IEnumerable<string> Known(CandidateTable table) => table.Names ?? table.Slices.Select(slices => slices.Parameter).Append(table.Name).Append(table.Layer);
}
