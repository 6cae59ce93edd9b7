namespace MLNet.Pruning.Evaluation;

/// <summary>The code of whole bits a symbol that takes least (Huffman 1952, "A Method for the Construction of Minimum-Redundancy Codes").</summary>
internal static class HuffmanCode
{
    /// <summary>Bits of all symbols together.</summary>
    /// <param name="counts">How often each occurs; above 0.</param>
    public static long Bits(IReadOnlyCollection<long> counts)
    {
        if (counts.Count == 1)
        {
            // A symbol takes a bit, even where there is no other.
            return counts.First();
        }

        var queue = new PriorityQueue<long, long>(counts.Select(count => (count, count)));
        var bits = 0L;
        while (queue.Count > 1)
        {
            // Each symbol below takes a bit more.
            var both = queue.Dequeue() + queue.Dequeue();
            bits += both;
            queue.Enqueue(both, both);
        }

        return bits;
    }
}
