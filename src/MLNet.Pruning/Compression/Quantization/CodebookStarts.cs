namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Evenly by size.</summary>
internal sealed class LinearStart : CodebookStart
{
    public override string ToString() => nameof(Linear);

    internal override double[] Draw(float[] weights, int count) => [.. Enumerable.Range(0, count)
        .Select(i => count == 1 ? ((double)weights[0] + weights[^1]) / 2 : weights[0] + ((double)weights[^1] - weights[0]) * i / (count - 1))];
}

/// <summary>Evenly by rank.</summary>
internal sealed class DensityStart : CodebookStart
{
    public override string ToString() => nameof(Density);

    internal override double[] Draw(float[] weights, int count)
        => [.. Enumerable.Range(0, count).Select(i => (double)weights[(int)((2L * i + 1) * weights.Length / (2L * count))])];
}

/// <summary>By chance.</summary>
internal sealed class RandomStart(int seed) : CodebookStart
{
    public override string ToString() => Notation.Call(nameof(Random), seed);

    internal override double[] Draw(float[] weights, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (double)weights[random.Next(weights.Length)]).Order()];
    }
}
