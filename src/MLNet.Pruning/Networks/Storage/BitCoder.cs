using System.Numerics;

namespace MLNet.Pruning.Networks.Storage;

/// <summary>
/// Bits, each with the probability that a model gives it, as a number in an interval that narrows (Witten, Neal &amp; Cleary 1987, "Arithmetic Coding for
/// Data Compression"). Writing and reading are one sequence of calls, so that a model is told once.
/// </summary>
internal abstract class BitCoder
{
    /// <summary>Bits behind the first of four bytes.</summary>
    protected const int TopByte = 24;

    private const int MostBits = 31;

    private uint _low;
    private uint _high = uint.MaxValue;

    /// <summary>Whether bits are read.</summary>
    public abstract bool IsReading { get; }

    /// <summary>The interval that is left.</summary>
    protected (uint Low, uint High) Interval => (_low, _high);

    /// <summary>Writes a bit, or reads it.</summary>
    /// <param name="bit">What is written; of no meaning when reading.</param>
    /// <param name="probability">That it is 1, between 0 and <see cref="Logistic.One"/>, these not included.</param>
    /// <returns>The bit.</returns>
    public int Code(int bit, int probability)
    {
        var middle = _low + (uint)((ulong)(_high - _low) * (uint)probability >> Logistic.Bits);
        bit = Choose(bit, middle);
        if (bit == 1)
        {
            _high = middle;
        }
        else
        {
            _low = middle + 1;
        }

        while ((_low ^ _high) >> TopByte == 0)
        {
            Shift((byte)(_low >> TopByte));
            _low <<= 8;
            _high = _high << 8 | byte.MaxValue;
        }

        return bit;
    }

    /// <summary>Bits that are as often 0 as 1.</summary>
    public uint Plain(uint value, int bits)
    {
        var read = 0u;
        for (var i = bits - 1; i >= 0; i--)
        {
            read = read << 1 | (uint)Code((int)(value >> i & 1), Logistic.One / 2);
        }

        return read;
    }

    /// <summary>A number below 2^31 of which small ones are likelier: as many zeros as it has bits after the first, then those (Elias 1975).</summary>
    public int Number(int value)
    {
        var (bits, count) = (BitOperations.Log2((uint)value + 1), 0);
        while (Code(count < bits ? 0 : 1, Logistic.One / 2) == 0)
        {
            count = count < MostBits ? count + 1 : throw new InvalidDataException("a number has more than 31 bits");
        }

        var number = (1L << count) - 1 + Plain((uint)(value + 1L) & (1u << count) - 1, count);
        return number <= int.MaxValue ? (int)number : throw new InvalidDataException($"a number is {number}");
    }

    /// <summary>The bit that the interval's part says, or that is written.</summary>
    protected abstract int Choose(int bit, uint middle);

    /// <summary>The first byte of the interval is known.</summary>
    protected abstract void Shift(byte first);
}

/// <summary>Writes.</summary>
internal sealed class BitWriter : BitCoder
{
    private readonly List<byte> _bytes = [];

    public override bool IsReading => false;

    /// <summary>All of it; nothing can be written after that.</summary>
    public byte[] End()
    {
        // One byte more lies in every interval whose ends differ in theirs.
        _bytes.Add((byte)((Interval.Low >> TopByte) + 1));
        return [.. _bytes];
    }

    protected override int Choose(int bit, uint middle) => bit;

    protected override void Shift(byte first) => _bytes.Add(first);
}

/// <summary>Reads what a <see cref="BitWriter"/> wrote.</summary>
internal sealed class BitReader : BitCoder
{
    private readonly byte[] _bytes;
    private int _position;
    private uint _value;

    public override bool IsReading => true;

    public BitReader(byte[] bytes, int start)
    {
        (_bytes, _position) = (bytes, start);
        for (var i = 0; i < sizeof(uint); i++)
        {
            Shift(0);
        }
    }

    /// <summary>Where what was written ends, once all of it was read.</summary>
    public int End => Math.Max(0, _position - sizeof(uint) + 1);

    protected override int Choose(int bit, uint middle) => _value <= middle ? 1 : 0;

    protected override void Shift(byte first)
    {
        // The last byte says all of the interval: what follows it is of no meaning.
        var next = _position < _bytes.Length ? _bytes[_position]
            : _position < _bytes.Length + sizeof(uint) - 1 ? (byte)0 : throw new InvalidDataException("it ends before all of it was read");
        _value = _value << 8 | next;
        _position++;
    }
}
