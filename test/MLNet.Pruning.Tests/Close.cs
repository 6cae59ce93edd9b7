namespace MLNet.Pruning.Tests;

/// <summary>Comparison of sequences of numbers up to rounding.</summary>
internal static class Close
{
    /// <summary>Every number within the tolerance of the expected one, relative where that is above 1.</summary>
    public static void AreEqual(IReadOnlyList<float> expected, ReadOnlySpan<float> actual, double tolerance, string what)
    {
        Assert.AreEqual(expected.Count, actual.Length, $"{what}: number of values");
        for (var i = 0; i < actual.Length; i++)
        {
            Assert.AreEqual(expected[i], actual[i], tolerance * Math.Max(1, Math.Abs(expected[i])), $"{what}, value {i}");
        }
    }
}
