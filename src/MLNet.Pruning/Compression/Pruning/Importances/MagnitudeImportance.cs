using System.Numerics;
using MLNet.Pruning.Messages;
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
        foreach (var (slice, start, length) in SliceRuns.Of(parameter.Shape, dimension))
        {
            scores[slice] = Accumulate(scores[slice], parameter.Values.Slice(start, length));
        }

        if (p is not (0 or 1) && !double.IsInfinity(p))
        {
            foreach (ref var score in scores)
            {
                score = Math.Pow(score, 1 / p);
            }
        }
    }

    /// <summary>A norm depends on the values alone, so that pieces may be laid out as slices.</summary>
    internal override void ScorePieces(Parameter parameter, PieceLayout pieces, Span<double> scores)
    {
        if (pieces.Count > 0)
        {
            Slices(parameter.WithValues([pieces.Count, parameter.Count / pieces.Count], pieces.Gather(parameter.Values)), 0, scores);
        }
    }

    private double Accumulate(double sum, ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            double magnitude = Math.Abs(value);
            sum = p switch
            {
                1 => sum + magnitude,
                2 => sum + magnitude * magnitude,
                double.PositiveInfinity => Math.Max(sum, magnitude),
                double.NegativeInfinity => Math.Min(sum, magnitude),
                0 => sum + (magnitude > 0 ? 1 : 0),
                _ => sum + Math.Pow(magnitude, p),
            };
        }

        return sum;
    }
}
