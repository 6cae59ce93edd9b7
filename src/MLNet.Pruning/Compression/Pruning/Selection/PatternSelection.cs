using System.Numerics;
using System.Runtime.Intrinsics;
using MLNet.Pruning.Structure.Granularities;
using MLNet.Pruning.Threading;

namespace MLNet.Pruning.Compression.Pruning.Selection;

/// <summary>Finds the most important n of every m consecutive inputs, without sorting.</summary>
/// <remarks>
/// Groups are compared side by side in vectors: a weight stays if fewer than n of its group are worth more. Cost: m / 8 vector comparisons
/// and one reading a weight, one bit a weight for the masks. Of equal weights those first in storage go, so the result does not depend on
/// the number of threads.
/// </remarks>
internal sealed class PatternSelection(
    IReadOnlyList<PoolMember> pool, ImportanceScores importance, (int Kept, int Size) pattern, CancellationToken cancellation) : CandidateSelection
{
    private const int BitsPerWord = 64;
    private const int PartLength = 1 << 19;
    private const int Lanes = 512;
    private static readonly int s_width = Vector256<float>.Count;

    private readonly int _size = pattern.Size;

    public override long Total => pool.Sum(member => (long)member.Parameter.Count);

    /// <summary>Weights that the pattern asks for and that are dropped; more in one group than the pattern asks for do not make up for another.</summary>
    public override long Dropped => pool.Sum(member => member.Mask is null ? 0
        : Enumerable.Range(0, Groups(member)).Sum(group => (long)DroppedIn(member, group)));

    public override IReadOnlyList<float[]> Scores() => ScoreWeights(pool, importance, cancellation);

    public override WeightMask[] Drop(long drop)
    {
        // Whole inputs of every group, those dropped before included: the last step's are the pattern's, those before round down.
        var each = (int)((Dropped + drop) / (Total / _size));
        return [.. pool.Select(member => each == 0 && member.Mask is { } mask ? mask : Select(member, _size - each))];
    }

    /// <exception cref="NotSupportedException">Always: the pattern is the amount.</exception>
    public override long CountBelow(Amount amount) => throw new NotSupportedException($"A pattern is itself the amount, not {amount}.");

    /// <summary>Weights that follow each other in storage before the next input comes.</summary>
    private static int Stride(PoolMember member) => member.Parameter.Shape.Skip(member.Axes.Input + 1).Aggregate(1, (product, size) => product * size);

    /// <summary>Runs of m inputs; where inputs are not stored last a run holds a group for each position behind them.</summary>
    private int Groups(PoolMember member) => member.Parameter.Count / (_size * Stride(member));

    private int DroppedIn(PoolMember member, int group)
    {
        var (stride, sum) = (Stride(member), 0);
        for (var lane = 0; lane < stride; lane++)
        {
            var dropped = 0;
            for (var input = 0; input < _size; input++)
            {
                dropped += member.Mask![(group * _size + input) * stride + lane] ? 0 : 1;
            }

            sum += Math.Min(dropped, _size - pattern.Kept);
        }

        return sum;
    }

    private WeightMask Select(PoolMember member, int kept)
    {
        var words = WeightMask.Words64(member.Parameter.Count);
        var (stride, groups) = (Stride(member), Groups(member));
        // Parts of 64 runs begin at whole words of the mask.
        var runs = BitsPerWord * Math.Max(1, PartLength / BitsPerWord / (_size * stride));
        PartLoop.Run((groups + runs - 1) / runs, part =>
        {
            var (first, last) = (part * runs, (int)Math.Min(groups, (part + 1L) * runs));
            if (stride < s_width)
            {
                var together = Math.Max(1, Math.Min(Lanes, PartLength / _size) / stride);
                var scores = new float[together * _size * stride];
                var lanes = new float[_size * Padded(together * stride)];
                int[] offsets = [.. Enumerable.Range(0, together * stride).Select(lane => lane / stride * _size * stride + lane % stride)];
                for (var group = first; group < last; group += together)
                {
                    SelectAcross(member, kept, group * _size * stride, Math.Min(together, last - group) * stride, stride, scores, lanes, offsets, words);
                }
            }
            else
            {
                var lanes = new float[_size * Padded(Math.Min(stride, Lanes))];
                for (var group = first; group < last; group++)
                {
                    for (var lane = 0; lane < stride; lane += Lanes)
                    {
                        SelectAlong(member, kept, group * _size * stride + lane, Math.Min(Lanes, stride - lane), stride, lanes, words);
                    }
                }
            }
        }, cancellation);
        for (var i = 0; i < words.Length && member.Mask is { } before; i++)
        {
            words[i] &= before.Words[i];
        }

        return new(words, member.Parameter.Count);
    }

    private static int Padded(int lanes) => (lanes + s_width - 1) / s_width * s_width;

    /// <summary>Inputs stored last, or nearly so: consecutive groups become lanes, which begin at the offsets.</summary>
    private void SelectAcross(PoolMember member, int kept, int start, int count, int stride, float[] scores, float[] lanes, int[] offsets, ulong[] words)
    {
        var width = Padded(count);
        Score(member, start, scores.AsSpan(0, count * _size));
        for (var input = 0; input < _size; input++)
        {
            for (var lane = 0; lane < count; lane++)
            {
                lanes[input * width + lane] = scores[offsets[lane] + input * stride];
            }
        }

        for (var lane = 0; lane < count; lane += s_width)
        {
            var inside = Inside(count - lane);
            for (var input = 0; input < _size; input++)
            {
                for (var bits = Kept(lanes, width, lane, input, kept) & inside; bits != 0; bits &= bits - 1)
                {
                    Set(words, start + offsets[lane + BitOperations.TrailingZeroCount(bits)] + input * stride, 1);
                }
            }
        }
    }

    /// <summary>Inputs stored before something else: what lies behind them are lanes already.</summary>
    private void SelectAlong(PoolMember member, int kept, int start, int count, int stride, float[] lanes, ulong[] words)
    {
        var width = Padded(count);
        for (var input = 0; input < _size; input++)
        {
            Score(member, start + input * stride, lanes.AsSpan(input * width, count));
        }

        for (var lane = 0; lane < count; lane += s_width)
        {
            var inside = Inside(count - lane);
            for (var input = 0; input < _size; input++)
            {
                Set(words, start + input * stride + lane, Kept(lanes, width, lane, input, kept) & inside);
            }
        }
    }

    /// <summary>The lowest bits, of the lanes that are left.</summary>
    private static uint Inside(int left) => left < s_width ? (1u << left) - 1 : uint.MaxValue;

    private void Score(PoolMember member, int start, Span<float> scores)
    {
        cancellation.ThrowIfCancellationRequested();
        importance.ScoreWeights(member.Parameter, start, scores);
        if (ScoreKeys.ContainsNaN(scores))
        {
            throw new InvalidOperationException($"The importance of a weight of parameter '{member.Parameter.Name}' between {start} and "
                + $"{start + scores.Length - 1} is NaN.");
        }

        for (var i = 0; i < scores.Length && member.Mask is { } mask; i++)
        {
            scores[i] = mask[start + i] ? scores[i] : float.NegativeInfinity;
        }
    }

    /// <summary>Which of 8 lanes keep an input: those where fewer than so many inputs are worth more, or as much and come later.</summary>
    private uint Kept(float[] lanes, int width, int lane, int input, int kept)
    {
        var own = Vector256.Create<float>(lanes.AsSpan(input * width + lane));
        var better = Vector256<int>.Zero;
        for (var other = 0; other < _size; other++)
        {
            var score = Vector256.Create<float>(lanes.AsSpan(other * width + lane));
            if (other != input)
            {
                better += (other > input ? Vector256.GreaterThanOrEqual(score, own) : Vector256.GreaterThan(score, own)).AsInt32();
            }
        }

        return Vector256.GreaterThan(better, Vector256.Create(-kept)).ExtractMostSignificantBits();
    }

    private static void Set(ulong[] words, int index, ulong bits)
    {
        var (word, shift) = (index / BitsPerWord, index % BitsPerWord);
        words[word] |= bits << shift;
        if (shift > 0 && bits >> (BitsPerWord - shift) is > 0 and var rest)
        {
            words[word + 1] |= rest;
        }
    }
}
