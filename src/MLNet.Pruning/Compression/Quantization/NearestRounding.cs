namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Each weight by itself.</summary>
internal sealed class NearestRounding : WeightRounding
{
    public override string ToString() => nameof(Nearest);

    internal override long[] Round(WeightToRound weight, QuantizationStep step)
    {
        var integers = new long[weight.Parameter.Count];
        foreach (var (channel, start, length) in WeightGrids.Channels(weight.Parameter, weight.Grid.Grid.Axis))
        {
            for (var i = start; i < start + length; i++)
            {
                integers[i] = weight.Grid.Nearest(weight.Parameter.Values[i], channel);
            }
        }

        return integers;
    }
}
