namespace MLNet.Pruning.Compression.Quantization;

/// <summary>The best of ranges that clip ever more of the largest magnitudes, by what quantising to them costs.</summary>
internal abstract class RangeSearch : QuantizationRange
{
    private const int Candidates = 128;

    internal sealed override (double Low, double High) Of(Histogram histogram, int levels, bool isSymmetric)
    {
        var magnitude = Math.Max(-histogram.Low, histogram.High);
        var (best, least) = ((histogram.Low, histogram.High), double.PositiveInfinity);
        // Fewer parts than integers would tell nothing of what rounding costs.
        var fewest = magnitude == 0 ? Candidates : Math.Ceiling(Candidates * levels * histogram.Width / magnitude);
        for (var i = Candidates; i >= fewest && magnitude > 0; i--)
        {
            var most = magnitude * i / Candidates;
            var range = isSymmetric ? (-most, most) : (Math.Max(histogram.Low, -most), Math.Min(histogram.High, most));
            if (Cost(histogram, new(range.Item1, range.Item2, levels)) is var cost && cost < least)
            {
                (best, least) = (range, cost);
            }
        }

        return best;
    }

    /// <summary>What is lost by quantising the values of a histogram; ranges are compared by it.</summary>
    protected abstract double Cost(Histogram histogram, Levels levels);

    /// <summary>The integers of a range.</summary>
    protected readonly struct Levels
    {
        private readonly double _scale;
        private readonly double _zero;
        private readonly int _last;

        public Levels(double low, double high, int count)
            => (_scale, _last, _zero) = ((high - low) / (count - 1), count - 1, Math.Round(-low / ((high - low) / (count - 1))));

        public int Of(double value) => (int)Math.Clamp(Math.Round(value / _scale) + _zero, 0, _last);

        public double Value(int level) => (level - _zero) * _scale;

        public int Count => _last + 1;

        /// <summary>Whether a value is beyond both ends by more than it is rounded by.</summary>
        public bool Clips(double value) => Math.Abs(value - Value(Of(value))) > _scale / 2;
    }
}

/// <summary>By the squared error.</summary>
internal sealed class MeanSquaredErrorRange : RangeSearch
{
    public override string ToString() => nameof(MeanSquaredError);

    protected override double Cost(Histogram histogram, Levels levels)
    {
        var counts = histogram.Counts;
        var sum = 0.0;
        for (var bin = 0; bin < counts.Length; bin++)
        {
            var error = counts[bin] == 0 ? 0 : histogram.Centre(bin) - levels.Value(levels.Of(histogram.Centre(bin)));
            sum += counts[bin] * error * error;
        }

        return sum;
    }
}

/// <summary>By the divergence of the clipped values from their quantised form.</summary>
internal sealed class EntropyRange : RangeSearch
{
    /// <summary>Stands for no values where there are some, as the logarithm needs.</summary>
    private const double Least = 1e-10;

    public override string ToString() => nameof(Entropy);

    protected override double Cost(Histogram histogram, Levels levels)
    {
        var counts = histogram.Counts;
        Span<double> clipped = new double[counts.Length], mass = new double[levels.Count];
        Span<int> parts = new int[levels.Count];
        Span<int> level = new int[counts.Length];
        int first = -1, last = -1;
        for (var bin = 0; bin < counts.Length; bin++)
        {
            level[bin] = levels.Clips(histogram.Centre(bin)) ? -1 : levels.Of(histogram.Centre(bin));
            if (level[bin] >= 0)
            {
                (first, last) = (first < 0 ? bin : first, bin);
                clipped[bin] = counts[bin];
                mass[level[bin]] += counts[bin];
                parts[level[bin]] += counts[bin] > 0 ? 1 : 0;
            }
        }

        if (first < 0)
        {
            return double.PositiveInfinity;
        }

        // What is clipped lies at the ends; its quantised form has no idea of it.
        long total = 0;
        for (var bin = 0; bin < counts.Length; bin++)
        {
            total += counts[bin];
            clipped[bin < first ? first : Math.Min(bin, last)] += bin < first || bin > last ? counts[bin] : 0;
        }

        var kept = 0.0;
        foreach (var part in mass)
        {
            kept += part;
        }

        var divergence = 0.0;
        for (var bin = first; bin <= last && kept > 0; bin++)
        {
            if (clipped[bin] > 0)
            {
                var (p, q) = (clipped[bin] / total, counts[bin] > 0 ? mass[level[bin]] / parts[level[bin]] / kept : 0);
                divergence += p * Math.Log(p / Math.Max(q, Least));
            }
        }

        return kept > 0 ? divergence : double.PositiveInfinity;
    }
}
