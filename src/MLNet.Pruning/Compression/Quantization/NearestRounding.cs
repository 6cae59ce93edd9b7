namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Each weight by itself.</summary>
internal sealed class NearestRounding : WeightRounding
{
    public override string ToString() => nameof(Nearest);

    internal override long[] Round(WeightToRound weight, QuantizationStep step)
    {
        var integers = new long[weight.Parameter.Count];
        var scales = weight.Grid.Grid.ScalesOf(weight.Parameter.Shape);
        for (var i = 0; i < integers.Length; i++)
        {
            integers[i] = weight.Grid.Nearest(weight.Parameter.Values[i], scales(i));
        }

        return integers;
    }
}
