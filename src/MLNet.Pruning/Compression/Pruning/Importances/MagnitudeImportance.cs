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

    public override void ScoreWeights(Parameter parameter, int start, Span<float> scores)
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

    public override void ScoreSlices(Parameter parameter, int dimension, Span<double> scores)
    {
        scores.Fill(_p == double.NegativeInfinity ? double.PositiveInfinity : 0);
        foreach (var (slice, start, length) in SliceRuns.Of(parameter.Shape, dimension))
        {
            scores[slice] = Accumulate(scores[slice], parameter.Values.Slice(start, length));
        }

        if (_p is not (0 or 1) && !double.IsInfinity(_p))
        {
            foreach (ref var score in scores)
            {
                score = Math.Pow(score, 1 / _p);
            }
        }
    }

    public override string ToString() => _p is 1 or 2 ? $"Importance.L{_p}" : FormattableString.Invariant($"Importance.Magnitude({_p})");

    /// <summary>A norm depends on the values alone, so that pieces may be laid out as slices.</summary>
    internal override void ScorePieces(Parameter parameter, PieceLayout pieces, Span<double> scores)
    {
        if (pieces.Count > 0)
        {
            ScoreSlices(parameter.WithValues([pieces.Count, parameter.Count / pieces.Count], pieces.Gather(parameter.Values)), 0, scores);
        }
    }

    private double Accumulate(double sum, ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            double magnitude = Math.Abs(value);
            sum = _p switch
            {
                1 => sum + magnitude,
                2 => sum + magnitude * magnitude,
                double.PositiveInfinity => Math.Max(sum, magnitude),
                double.NegativeInfinity => Math.Min(sum, magnitude),
                0 => sum + (magnitude > 0 ? 1 : 0),
                _ => sum + Math.Pow(magnitude, _p),
            };
        }

        return sum;
    }
}
