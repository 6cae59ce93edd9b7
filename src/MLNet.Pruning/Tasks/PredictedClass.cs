namespace MLNet.Pruning.Tasks;

/// <summary>The class that scores speak for.</summary>
internal static class PredictedClass
{
    /// <summary>Index of the first largest value.</summary>
    public static int Of(ReadOnlySpan<float> values)
    {
        var best = 0;
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] > values[best])
            {
                best = i;
            }
        }

        return best;
    }
}
