using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Tests;

/// <summary>
/// Values for the weights that a graph is committed without, as test/peers/weightless.py notes them: "uniform LOWEST HIGHEST" or
/// "normal MEAN DEVIATION". Only what IEEE 754 fixes to the last bit is computed, so that files are equal on all systems.
/// </summary>
internal static class ZooWeights
{
    /// <summary>Fills a tensor whose description is such a note, and takes the note away.</summary>
    public static void Draw(TensorProto tensor, string model)
    {
        var note = tensor.DocString.Split(' ');
        var (first, second) = (double.Parse(note[1], CultureInfo.InvariantCulture), double.Parse(note[2], CultureInfo.InvariantCulture));
        var values = new float[tensor.Dims.Aggregate(1L, (product, size) => product * size)];
        var state = BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"{model}/{tensor.Name}")));
        switch (note[0])
        {
            case "uniform":
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = (float)Uniform(ref state, first, second);
                }

                break;
            case "normal":
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = (float)Normal(ref state);
                }

                int[] shape = [.. tensor.Dims.Select(size => (int)size)];
                Centre(values, shape);
                if (shape.Length > 3)
                {
                    Vary(values, shape[0], ref state);
                }

                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = (float)(first + second * values[i]);
                }

                break;
            default:
                throw new FormatException($"Tensor '{tensor.Name}' of {model} is to be drawn as '{tensor.DocString}'; expected uniform or normal.");
        }

        tensor.RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan()));
        tensor.ClearDocString();
    }

    private static double Uniform(ref ulong state, double lowest, double highest) => lowest + (highest - lowest) * (Next(ref state) >> 11) / (1UL << 53);

    /// <summary>
    /// Nearly normal, of mean zero and deviation one: the sum of four uniform numbers, the quarters of one. A logarithm or cosine would
    /// differ from system to system.
    /// </summary>
    private static double Normal(ref ulong state)
    {
        var bits = Next(ref state);
        var sum = (long)((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48));
        // The variance of four whole numbers below 2^16 is 4 (2^32 - 1) / 12.
        return (sum - 2.0 * 0xFFFF) / Math.Sqrt(((1L << 32) - 1) / 3.0);
    }

    /// <summary>
    /// Makes the weights of each output sum to zero: rectified values have a mean above zero, which would otherwise grow from layer to layer
    /// until outputs hardly depend on inputs. Outputs come first; matrices, which may have them last, are centred both ways.
    /// </summary>
    private static void Centre(Span<float> values, int[] shape)
    {
        var (rows, columns) = (shape[0], values.Length / shape[0]);
        if (rows == 1 || columns == 1)
        {
            return;
        }

        for (var row = 0; row < rows; row++)
        {
            Centre(values[(row * columns)..], columns, 1);
        }

        for (var column = 0; shape.Length == 2 && column < columns; column++)
        {
            Centre(values[column..], rows, columns);
        }
    }

    private static void Centre(Span<float> values, int count, int step)
    {
        var sum = 0.0;
        for (var i = 0; i < count; i++)
        {
            sum += values[i * step];
        }

        for (var i = 0; i < count; i++)
        {
            values[i * step] -= (float)(sum / count);
        }
    }

    /// <summary>
    /// Gives each filter a size of its own, from half to one and a half times the mean. Chance alone would leave large ones nearly equal, and small
    /// ones so unequal that deep networks of depthwise kernels get out of hand.
    /// </summary>
    private static void Vary(Span<float> values, int filters, ref ulong state)
    {
        var count = values.Length / filters;
        for (var start = 0; start < values.Length; start += count)
        {
            var filter = values.Slice(start, count);
            var squares = 0.0;
            foreach (var value in filter)
            {
                squares += (double)value * value;
            }

            // The square of a number from 0.5 to 1.5 has the mean 13/12.
            var factor = Uniform(ref state, 0.5, 1.5) / Math.Sqrt(squares / count * 13 / 12);
            foreach (ref var value in filter)
            {
                value = (float)(value * factor);
            }
        }
    }

    /// <summary>
    /// SplitMix64, as Random may change between versions of .NET: Steele, Lea &amp; Flood 2014, "Fast Splittable Pseudorandom Number
    /// Generators".
    /// </summary>
    private static ulong Next(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
