using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>
/// How many of the thresholds that splits hold a column against its number in a row lies beyond: once that is known, a split is a comparison of two bytes.
/// A column of more thresholds than a byte counts is several parts. Ranks start from <see cref="Lowest"/>. Immutable.
/// </summary>
internal sealed unsafe class FeatureRanks
{
    /// <summary>The rank of a number that lies beyond no threshold.</summary>
    public const sbyte Lowest = sbyte.MinValue;

    /// <summary>What no rank reaches in part 0, whose rank is always the lowest.</summary>
    public const sbyte Never = sbyte.MaxValue;

    private const int MostThresholds = byte.MaxValue;

    private readonly Part[] _parts;

    // A part's thresholds, ascending, then infinity up to a multiple of 16, at least one; and of each 16 of them the last, likewise.
    private readonly Aligned<float> _thresholds;
    private readonly Aligned<float> _lasts;
    private readonly Dictionary<(int Column, float Threshold), (int Part, sbyte Cut)> _places = [];

    public FeatureRanks(TreeModel model)
    {
        var parts = new List<Part>();
        List<float> thresholds = [], lasts = [];
        foreach (var column in model.Ensembles.SelectMany(ensemble => ensemble.Trees).SelectMany(tree => tree.Features.Zip(tree.Thresholds))
            .Where(split => !float.IsNaN(split.Second)).GroupBy(split => split.First, split => split.Second).OrderBy(column => column.Key))
        {
            foreach (var part in column.Distinct().Order().Chunk(MostThresholds))
            {
                parts.Add(new(column.Key, thresholds.Count, part.Length));
                foreach (var (i, threshold) in part.Index())
                {
                    _places.Add((column.Key, threshold), (parts.Count, (sbyte)(Lowest + i + 1)));
                }

                var padded = part.Concat(Enumerable.Repeat(float.PositiveInfinity, 16 - part.Length % 16)).ToArray();
                thresholds.AddRange(padded);
                lasts.AddRange(Enumerable.Range(0, 16).Select(i => 16 * i + 15 < padded.Length ? padded[16 * i + 15] : float.PositiveInfinity));
            }
        }

        (_parts, _thresholds, _lasts) = ([.. parts], new(thresholds), new(lasts));
    }

    /// <summary>Ranks of a row: one a part, counted from 1.</summary>
    public int Count => _parts.Length + 1;

    /// <summary>
    /// The part that a split looks at, and the rank from which on it sends a row to the right. What is compared with no number goes right always.
    /// </summary>
    public (int Part, sbyte Cut) Find(int column, float threshold) => float.IsNaN(threshold) ? (0, Lowest) : _places[(column, threshold)];

    /// <summary>Ranks rows.</summary>
    /// <param name="rows">The rows, one after another.</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="ranks">Receives the ranks of part 0, then those of part 1, ...</param>
    /// <param name="stride">How far the ranks of a part lie from those of the next one, at least <paramref name="count"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Rank<TVector, TLanes>(ReadOnlySpan<float> rows, int width, int count, sbyte* ranks, int stride) where TLanes : ILanes<TVector>
    {
        // Once for all that is read below: a part's column lies within the width.
        ArgumentOutOfRangeException.ThrowIfLessThan(rows.Length, checked(width * count));
        new Span<sbyte>(ranks, count).Fill(Lowest);
        fixed (float* first = rows)
        fixed (Part* parts = _parts)
        {
            var lasts = _lasts.Pointer;
            for (var part = parts; part < parts + _parts.Length; part++, lasts += 16)
            {
                var value = first + part->Column;
                var thresholds = _thresholds.Pointer + part->Start;
                var missing = part->Count;
                ranks += stride;
                for (var row = 0; row < count; row++, value += width)
                {
                    var rank = missing < 16 ? 0 : 16 * TLanes.CountBelow(*value, lasts);
                    rank += TLanes.CountBelow(*value, thresholds + rank);
                    ranks[row] = (sbyte)(Lowest + (float.IsNaN(*value) ? missing : rank));
                }
            }
        }
    }

    /// <param name="Column">The column.</param>
    /// <param name="Start">Its first threshold.</param>
    /// <param name="Count">Its thresholds; a missing value lies beyond all of them.</param>
    private readonly record struct Part(int Column, int Start, int Count);
}
