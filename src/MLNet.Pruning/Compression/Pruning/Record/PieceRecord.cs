using MLNet.Pruning.Messages;

namespace MLNet.Pruning.Compression.Pruning.Record;

/// <summary>What became of every piece that a pruning compared.</summary>
internal sealed class PieceRecord
{
    public List<PiecePool> Pools { get; init; } = [];

    private IEnumerable<(PiecePool Pool, PieceTable Table)> Tables => Pools.SelectMany(pool => pool.Tables.Select(table => (pool, table)));

    public static PieceRecord Of(IEnumerable<PieceRecord> parts) => new() { Pools = [.. parts.SelectMany(part => part.Pools)] };

    public void Close(int round, double sparsity, bool kept) => Pools.ForEach(pool => pool.Close(round, sparsity, kept));

    public IReadOnlyList<PieceTable> All() => [.. Tables.Select(pair => pair.Table)];

    /// <exception cref="ArgumentException">No such layer; the message names the nearest.</exception>
    public PieceTable Find(string layer)
    {
        ArgumentException.ThrowIfNullOrEmpty(layer);
        var found = All().FirstOrDefault(table => table.Name == layer) ?? All().FirstOrDefault(table => table.Layer == layer);
        return found ?? throw new ArgumentException($"No pieces of '{layer}' were compared.{NearestNames.Suggest(layer, All().SelectMany(table => new[] { table.Name, table.Layer }))}", nameof(layer));
    }

    /// <exception cref="ArgumentException">No such piece; the message says which there are.</exception>
    public PieceVerdict Why(string piece)
    {
        ArgumentException.ThrowIfNullOrEmpty(piece);
        foreach (var (pool, table) in Tables)
        {
            if (table.Names is { } names && names.ToList().IndexOf(piece) is >= 0 and var block)
            {
                return pool.Why(table, block, piece);
            }
        }

        var asked = PieceName.Parse(piece);
        foreach (var (pool, table) in Tables)
        {
            if (asked.Find(table) is { } index)
            {
                return pool.Why(table, index, table.Slices.Count > 0 ? piece : PieceName.Of(table, index));
            }
        }

        throw new ArgumentException($"No pieces of '{asked.Name}' were compared.{NearestNames.Suggest(asked.Name, All().SelectMany(Known))}", nameof(piece));
    }

    private static IEnumerable<string> Known(PieceTable table) => table.Names ?? table.Slices.Select(slices => slices.Parameter).Append(table.Name).Append(table.Layer);
}
