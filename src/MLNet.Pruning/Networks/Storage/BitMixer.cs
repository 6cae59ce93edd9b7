namespace MLNet.Pruning.Networks.Storage;

/// <summary>
/// Predicts bits from several contexts, each of which counts what followed it, and learns which of them to trust (Mahoney 2005, "Adaptive Weighing of Context
/// Models for Lossless Data Compression").
/// </summary>
internal sealed class BitMixer
{
    private const int WeightBits = 16;
    private const int ProbabilityBits = 22;
    private const int Limit = 255;
    private readonly uint[][] _slots;
    private readonly int[] _odds;
    private readonly int[] _weights;
    private readonly int _rate;

    /// <param name="contexts">How many contexts of each kind there are.</param>
    /// <param name="sets">How many situations have weights of their own.</param>
    /// <param name="rate">How fast they are learned.</param>
    public BitMixer(ReadOnlySpan<int> contexts, int sets = 1, int rate = 5)
    {
        _slots = new uint[contexts.Length][];
        for (var i = 0; i < contexts.Length; i++)
        {
            _slots[i] = new uint[contexts[i]];
            Array.Fill(_slots[i], 1u << 31);
        }

        (_odds, _weights, _rate) = (new int[contexts.Length], new int[contexts.Length * sets], rate);
        Array.Fill(_weights, (1 << WeightBits) / contexts.Length);
    }

    /// <summary>Writes or reads a bit.</summary>
    /// <param name="coder">The coder.</param>
    /// <param name="bit">What is written.</param>
    /// <param name="contexts">One of each kind.</param>
    /// <param name="set">The situation.</param>
    /// <returns>The bit.</returns>
    public int Code(BitCoder coder, int bit, ReadOnlySpan<int> contexts, int set = 0)
    {
        var weights = _weights.AsSpan(set * _odds.Length, _odds.Length);
        long sum = 0;
        for (var i = 0; i < _odds.Length; i++)
        {
            _odds[i] = Logistic.Odds((int)(_slots[i][contexts[i]] >> 32 - Logistic.Bits));
            sum += (long)weights[i] * _odds[i];
        }

        var probability = Logistic.Probability((int)Math.Clamp(sum >> WeightBits, -Logistic.Most, Logistic.Most));
        bit = coder.Code(bit, probability);
        var error = (bit << Logistic.Bits) - bit - probability;
        for (var i = 0; i < _odds.Length; i++)
        {
            weights[i] += (int)((long)_odds[i] * error * _rate >> 18);
            ref var slot = ref _slots[i][contexts[i]];
            slot = Next(slot, bit);
        }

        return bit;
    }

    /// <summary>A slot that has seen one more bit: 22 bits of probability, 10 of how many it saw.</summary>
    private static uint Next(uint slot, int bit)
    {
        var (probability, count) = ((int)(slot >> 32 - ProbabilityBits), (int)(slot & (1 << 32 - ProbabilityBits) - 1));
        var goal = bit == 1 ? (1 << ProbabilityBits) - 1 : 0;
        // A share of 1 / (count + 1.3): a first bit counts for much.
        probability += (int)((goal - probability) * 10L / (10 * count + 13));
        return (uint)probability << 32 - ProbabilityBits | (uint)Math.Min(count + 1, Limit);
    }
}
