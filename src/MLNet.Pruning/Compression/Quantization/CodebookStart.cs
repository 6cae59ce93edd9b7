using MLNet.Pruning.Compression.Quantization;

namespace MLNet.Pruning;

/// <summary>
/// Where the search for the values of a codebook starts (Han et al. 2016, "Deep Compression: Compressing Deep Neural Networks with Pruning, Trained
/// Quantization and Huffman Coding", section 3.2).
/// </summary>
public abstract class CodebookStart
{
    private protected CodebookStart()
    {
    }

    /// <summary>Evenly between the least and the largest weight: few weights are large, but these count.</summary>
    public static CodebookStart Linear { get; } = new LinearStart();

    /// <summary>So that as many weights lie between each two.</summary>
    public static CodebookStart Density { get; } = new DensityStart();

    /// <summary>Weights drawn at random.</summary>
    /// <param name="seed">Same seed, same values.</param>
    public static CodebookStart Random(int seed = 0) => new RandomStart(seed);

    /// <summary>The first values.</summary>
    /// <param name="weights">Weights that are not zero, ascending; at least one.</param>
    /// <param name="count">How many values; at least 1.</param>
    internal abstract double[] Draw(float[] weights, int count);
}
