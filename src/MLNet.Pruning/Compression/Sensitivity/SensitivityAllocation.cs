using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Sensitivity;

/// <summary>Spreads what is kept so that every layer alone would raise the loss by the same.</summary>
internal sealed class SensitivityAllocation(SensitivityReport report)
{
    private const int Bisections = 60;

    /// <summary>Weights or structures that each layer keeps, not yet whole numbers, of the sum requested.</summary>
    /// <param name="members">The layers.</param>
    /// <param name="totals">Weights or structures of each.</param>
    /// <param name="remaining">Those not dropped yet; at most so many are kept.</param>
    /// <param name="keep">Weights or structures kept in all, at most as many as remain.</param>
    /// <exception cref="ArgumentException">A layer was not measured.</exception>
    public double[] Allocate(IReadOnlyList<PoolMember> members, IReadOnlyList<long> totals, IReadOnlyList<long> remaining, long keep)
    {
        var curves = members.Select(member => Curve.Of(report.Layers.FirstOrDefault(layer => layer.Parameter == member.Parameter.Name)
            ?? report.Layers.FirstOrDefault(layer => layer.Layer == member.Layer)
            ?? throw new ArgumentException($"The sensitivity of layer '{member.Layer}' (parameter {member.Parameter}), which is in scope, was not measured; "
                + $"measured are {string.Join(", ", report.Layers.Select(layer => layer.Layer))}."))).ToArray();
        var highest = curves.Max(curve => curve.Highest);

        // From all dense to what costs nothing, then by the rise allowed, then beyond what was measured to nothing at all.
        double Sparsity(Curve curve, double way) => way <= 1 ? way * curve.Tolerates(0) : way <= 2 ? curve.Tolerates((way - 1) * highest)
            : 1 - (3 - way) * (1 - curve.Tolerates(highest));
        double[] Kept(double way) => [.. curves.Select((curve, i) => Math.Min(remaining[i], (1 - Sparsity(curve, way)) * totals[i]))];
        var (low, high) = (0.0, 3.0);
        for (var i = 0; i < Bisections; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = Kept(middle).Sum() >= keep ? (middle, high) : (low, middle);
        }

        // Where a layer's loss does not rise over a stretch, what it tolerates jumps: the rest comes out of the jump.
        var (more, less) = (Kept(low), Kept(high));
        var share = more.Sum() > less.Sum() ? Math.Clamp((more.Sum() - keep) / (more.Sum() - less.Sum()), 0, 1) : 0;
        return [.. more.Zip(less, (one, other) => one + share * (other - one))];
    }

    /// <summary>The rise of the loss over the sparsity, which never falls.</summary>
    private sealed record Curve((double Sparsity, double Rise)[] Points)
    {
        public double Highest => Points[^1].Rise;

        public static Curve Of(LayerSensitivity layer)
        {
            var (highest, dense) = (0.0, layer.Points[0].Validation.Loss);
            return new([.. layer.Points.Select(point => (point.Sparsity,
                highest = Math.Max(highest, double.IsFinite(point.Validation.Loss) ? point.Validation.Loss - dense : double.MaxValue / 4)))]);
        }

        /// <summary>The greatest sparsity at which the loss rises by no more.</summary>
        public double Tolerates(double rise)
        {
            var next = Array.FindIndex(Points, point => point.Rise > rise);
            if (next < 0)
            {
                return Points[^1].Sparsity;
            }

            var ((from, low), (to, high)) = (Points[next - 1], Points[next]);
            return from + (to - from) * (rise - low) / (high - low);
        }
    }
}
