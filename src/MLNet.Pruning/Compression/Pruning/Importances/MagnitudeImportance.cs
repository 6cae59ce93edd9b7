using System.Numerics;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Absolute value of weights, Lp norm of slices; sums run in double precision.</summary>
internal sealed class MagnitudeImportance : Importance
{
    private readonly double _p;

    public MagnitudeImportance(double p)
    {
        if (double.IsNaN(p))
        {
            throw new ArgumentOutOfRangeException(nameof(p), p, "The order of the norm is a number or an infinity.");
        }

        _p = p;
    }

    protected override ImportanceScores MeasureCore(ImportanceContext context) => new MagnitudeScores(_p, $"{nameof(Importance)}.{this}");

    public override string ToString() => _p == 1 ? nameof(L1) : _p == 2 ? nameof(L2) : Notation.Call(nameof(Magnitude), _p);
}

/// <summary>What <see cref="MagnitudeImportance"/> measures: the values as they are.</summary>
/// <param name="p">Order of the norm.</param>
/// <param name="criterion">Name of the criterion.</param>
internal sealed class MagnitudeScores(double p, string criterion) : ImportanceScores
{
    public override string ToString() => criterion;

    private protected override void Weights(Parameter parameter, int start, Span<float> scores)
    {
        var values = parameter.Values.Slice(start, scores.Length);
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Abs(new Vector<float>(values[i..])).CopyTo(scores[i..]);
        }

        for (; i < values.Length; i++)
        {
            scores[i] = MathF.Abs(values[i]);
        }
    }

    private protected override void Slices(Parameter parameter, int dimension, Span<double> scores)
    {
        scores.Fill(p == double.NegativeInfinity ? double.PositiveInfinity : 0);
        if (p is 1 or 2)
        {
            Sum(parameter, dimension, squares: p == 2, scores);
        }
        else
        {
            foreach (var (slice, start, length) in SliceRuns.Of(parameter.Shape, dimension))
            {
                scores[slice] = Accumulate(scores[slice], parameter.Values.Slice(start, length));
            }
        }

        if (p is not (0 or 1) && !double.IsInfinity(p))
        {
            foreach (ref var score in scores)
            {
                score = Math.Pow(score, 1 / p);
            }
        }
    }

    /// <summary>A norm depends on the values alone, so that weights or structures may be laid out as slices.</summary>
    internal override void ScoreStructures(Parameter parameter, StructureLayout structures, Span<double> scores)
    {
        if (structures.Count > 0)
        {
            Slices(parameter.WithValues([structures.Count, parameter.Count / structures.Count], structures.Gather(parameter.Values)), 0, scores);
        }
    }

    /// <summary>
    /// Sums of magnitudes or squares, of several slices side by side: each addition waits for the one before it in its slice, and in the same order gives the
    /// same bits.
    /// </summary>
    private static void Sum(Parameter parameter, int dimension, bool squares, Span<double> scores)
    {
        var length = parameter.Shape.Skip(dimension + 1).Aggregate(1, (product, size) => product * size);
        for (var values = parameter.Values; !values.IsEmpty; values = values[(scores.Length * length)..])
        {
            var slice = length == 1 ? AddOne(values[..scores.Length], squares, scores) : AddFour(values, length, squares, scores);
            for (; slice < scores.Length; slice++)
            {
                var sum = scores[slice];
                foreach (var value in values.Slice(slice * length, length))
                {
                    sum += Power(value, squares);
                }

                scores[slice] = sum;
            }
        }
    }

    /// <summary>Adds a value to each of as many slices as fill vectors, and says how many these are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int AddOne(ReadOnlySpan<float> values, bool squares, Span<double> scores)
    {
        var slice = 0;
        for (; slice <= scores.Length - Vector<float>.Count; slice += Vector<float>.Count)
        {
            Vector.Widen(Vector.Abs(new Vector<float>(values[slice..])), out var low, out var high);
            var first = scores[slice..];
            var second = scores[(slice + Vector<double>.Count)..];
            (new Vector<double>(first) + (squares ? low * low : low)).CopyTo(first);
            (new Vector<double>(second) + (squares ? high * high : high)).CopyTo(second);
        }

        return slice;
    }

    /// <summary>Adds a run of values to each of as many slices as go by four, and says how many these are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int AddFour(ReadOnlySpan<float> values, int length, bool squares, Span<double> scores)
    {
        var slice = 0;
        for (; slice <= scores.Length - 4; slice += 4)
        {
            var (a, b, c, d) = (scores[slice], scores[slice + 1], scores[slice + 2], scores[slice + 3]);
            var first = values.Slice(slice * length, length);
            var second = values.Slice((slice + 1) * length, length);
            var third = values.Slice((slice + 2) * length, length);
            var fourth = values.Slice((slice + 3) * length, length);
            for (var i = 0; i < first.Length; i++)
            {
                a += Power(first[i], squares);
                b += Power(second[i], squares);
                c += Power(third[i], squares);
                d += Power(fourth[i], squares);
            }

            (scores[slice], scores[slice + 1], scores[slice + 2], scores[slice + 3]) = (a, b, c, d);
        }

        return slice;
    }

    private static double Power(float value, bool squares)
    {
        double magnitude = Math.Abs(value);
        return squares ? magnitude * magnitude : magnitude;
    }

    private double Accumulate(double sum, ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            double magnitude = Math.Abs(value);
            sum = p switch
            {
                double.PositiveInfinity => Math.Max(sum, magnitude),
                double.NegativeInfinity => Math.Min(sum, magnitude),
                0 => sum + (magnitude > 0 ? 1 : 0),
                _ => sum + Math.Pow(magnitude, p),
            };
        }

        return sum;
    }
}
