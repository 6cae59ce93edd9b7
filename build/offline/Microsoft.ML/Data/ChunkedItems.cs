namespace Microsoft.ML.Data;

/// <summary>Runs of items appended to arrays that are never moved; a run lies within one of them.</summary>
internal sealed class ChunkedItems<T>
{
    private const int FirstChunk = 1 << 10;
    private const int LargestChunk = 1 << 20;

    private readonly List<T[]> _chunks = [];
    private int _used;

    public ItemAddress Append(ReadOnlySpan<T> items)
    {
        if (_chunks.Count == 0 || items.Length > _chunks[^1].Length - _used)
        {
            int grown = _chunks.Count == 0 ? FirstChunk : Math.Min(LargestChunk, 2 * _chunks[^1].Length);
            _chunks.Add(new T[Math.Max(items.Length, grown)]);
            _used = 0;
        }

        items.CopyTo(_chunks[^1].AsSpan(_used));
        _used += items.Length;
        return new ItemAddress(_chunks.Count - 1, _used - items.Length);
    }

    public ReadOnlySpan<T> At(ItemAddress address, int count) => _chunks[address.Chunk].AsSpan(address.Offset, count);
}

internal readonly record struct ItemAddress(int Chunk, int Offset);
