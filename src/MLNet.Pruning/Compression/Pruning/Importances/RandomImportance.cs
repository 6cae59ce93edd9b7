using System.Text;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// Uniform numbers that depend on the seed, the parameter's name and the index alone, so that any part can be drawn again at any
/// time: Steele, Lea &amp; Flood 2014, "Fast Splittable Pseudorandom Number Generators" (SplitMix64).
/// </summary>
internal sealed class RandomImportance(int seed) : Importance
{
    protected override ImportanceScores MeasureCore(ImportanceContext context) => new RandomScores(seed, $"{nameof(Importance)}.{this}");

    public override string ToString() => Notation.Call(nameof(Random), seed);
}

/// <summary>What <see cref="RandomImportance"/> draws.</summary>
/// <param name="seed">Same seed, same numbers.</param>
/// <param name="criterion">Name of the criterion.</param>
internal sealed class RandomScores(int seed, string criterion) : ImportanceScores
{
    public override string ToString() => criterion;

    private protected override void Weights(Parameter parameter, int start, Span<float> scores)
    {
        var stream = Stream(parameter.Name);
        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] = (float)Uniform(stream, start + i);
        }
    }

    private protected override void Slices(Parameter parameter, int dimension, Span<double> scores)
    {
        var stream = Stream(parameter.Name);
        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] = Uniform(stream, i);
        }
    }

    private ulong Stream(string name)
    {
        // FNV-1a: string.GetHashCode differs from process to process.
        var hash = 14695981039346656037UL ^ (uint)seed;
        foreach (var b in Encoding.UTF8.GetBytes(name))
        {
            hash = (hash ^ b) * 1099511628211UL;
        }

        return Mix(hash);
    }

    private static double Uniform(ulong stream, int index) => (Mix(stream + 0x9E3779B97F4A7C15UL * (ulong)(index + 1)) >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
