namespace MLNet.Pruning.Networks.Storage;

/// <summary>
/// Probabilities and their logarithms of odds as integers, from tables made of products and quotients alone: every machine computes the same, so that what
/// one wrote another reads.
/// </summary>
internal static class Logistic
{
    /// <summary>Bits of a probability.</summary>
    public const int Bits = 16;

    /// <summary>Certainty.</summary>
    public const int One = 1 << Bits;

    /// <summary>The logarithm of odds in 256ths that is as good as certainty.</summary>
    public const int Most = 12 * Unit - 1;

    private const int Unit = 256;
    private const int Steps = 4096;
    private static readonly ushort[] s_probabilities = Probabilities();
    private static readonly short[] s_odds = LogOdds();

    /// <summary>The probability, from 1 to <see cref="One"/> - 1, of a logarithm of odds in 256ths.</summary>
    public static int Probability(int odds) => s_probabilities[Math.Clamp(odds, -Most, Most) + Most];

    /// <summary>The logarithm of the odds of a probability, in 256ths.</summary>
    public static int Odds(int probability) => s_odds[probability >> (Bits - 12)];

    private static ushort[] Probabilities()
    {
        var table = new ushort[2 * Most + 1];
        for (var i = 0; i < table.Length; i++)
        {
            table[i] = (ushort)Math.Clamp((int)(One / (1 + Exp(-(i - Most) / (double)Unit))), 1, One - 1);
        }

        return table;
    }

    private static short[] LogOdds()
    {
        var table = new short[Steps];
        var odds = -Most;
        for (var i = 0; i < Steps; i++)
        {
            // The middle of those that share an entry.
            while (odds < Most && Probability(odds) < (i * 2 + 1) * (One / Steps / 2))
            {
                odds++;
            }

            table[i] = (short)odds;
        }

        return table;
    }

    /// <summary>(1 + x / 2^20)^(2^20): products are rounded alike everywhere, the exponential of a machine's library is not.</summary>
    private static double Exp(double x)
    {
        var power = 1 + x / (1 << 20);
        for (var i = 0; i < 20; i++)
        {
            power *= power;
        }

        return power;
    }
}
