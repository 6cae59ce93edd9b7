using System.Numerics;
using MLNet.Pruning.Evaluation;

namespace MLNet.Pruning.Tests.Evaluation;

/// <summary>Bytes by encoding, against what encoders that write every byte give.</summary>
[TestClass]
public class StorageCostTests
{
    public static IEnumerable<object[]> Tensors => from density in new[] { 0.0, 0.002, 0.05, 0.5, 1.0 } from distinct in new[] { 1, 5, 300 }
        select new object[] { density, distinct };

    [TestMethod]
    [DynamicData(nameof(Tensors))]
    public void Bytes_are_those_of_encoders_that_write_them(double density, int distinct)
    {
        var random = new Random(3);
        const int rows = 40, columns = 1000;
        var network = Network.Sequential([columns], Layer.Dense(rows, bias: false)).Initialize(1);
        var values = Enumerable.Range(0, rows * columns).Select(_ => random.NextDouble() < density ? random.Next(distinct) + 1f : 0).ToArray();
        network = network.With(network.Parameters[0].Name, values);
        var bytes = NetworkCost.Of(network).Storage.Tensors[0].Bytes;
        Assert.AreEqual(4 * values.Length, bytes[WeightEncoding.Dense]);
        Assert.AreEqual(Bitmap(values), bytes[WeightEncoding.Bitmap]);
        foreach (var (encoding, bits) in new[] { (WeightEncoding.Csr8, 8), (WeightEncoding.Csr16, 16), (WeightEncoding.Csr32, 32) })
        {
            Assert.AreEqual(Rows(values, columns, bits), bytes[encoding], encoding.ToString());
        }

        Assert.AreEqual(12 * values.Count(value => value != 0), bytes[WeightEncoding.SparseOnnx]);
        Assert.AreEqual(Inverted(values), bytes[WeightEncoding.InvertedList]);
        var different = values.Distinct().Count();
        Assert.AreEqual((values.Length * Math.Max(0, (int)Math.Ceiling(Math.Log2(different))) + 7) / 8 + 4 * different, bytes[WeightEncoding.Codebook]);
        var others = values.Count(value => value != 0);
        var slots = bytes[WeightEncoding.Hash] / 8;
        Assert.IsTrue(others == 0 ? slots == 0 : BitOperations.IsPow2(slots) && others <= 0.75 * slots && others > 0.75 * slots / 2, $"{others} in {slots}");
        Assert.AreEqual(bytes.Values.Min(), bytes[NetworkCost.Of(network).Storage.Tensors[0].Smallest]);
    }

    [TestMethod]
    public void A_code_of_whole_bits_is_the_best_there_is()
    {
        // Lengths of the best code over all complete trees of four leaves: 2,2,2,2 or 1,2,3,3.
        var random = new Random(6);
        for (var i = 0; i < 200; i++)
        {
            long[] counts = [.. Enumerable.Range(0, 4).Select(_ => (long)random.Next(1, 100)).OrderDescending()];
            var best = Math.Min(2 * counts.Sum(), counts[0] + 2 * counts[1] + 3 * (counts[2] + counts[3]));
            Assert.AreEqual(best, HuffmanCode.Bits(counts));
        }

        Assert.AreEqual(9, HuffmanCode.Bits([9]));
        Assert.AreEqual(0, HuffmanCode.Bits([]));
    }

    [TestMethod]
    public void Sparse_weights_on_few_values_are_smallest_entropy_coded_and_a_table_says_so()
    {
        var network = Network.Mlp(100, 80, 10).Initialize(1).Prune(Amount.Fraction(0.9)).Network.Quantize(Quantizer.Codebook(4));
        var storage = NetworkCost.Of(network).Storage;
        var weight = storage.Tensors.Single(tensor => tensor.Name == "fc1.weight");
        Assert.AreEqual(WeightEncoding.EntropyCoded, weight.Smallest);
        Assert.IsLessThan(weight.Bytes[WeightEncoding.Dense], weight.Bytes[WeightEncoding.Codebook]);
        Assert.IsLessThan(weight.Bytes[WeightEncoding.Csr8], weight.Bytes[WeightEncoding.Huffman]);
        Assert.IsLessThan(weight.Bytes[WeightEncoding.Huffman], weight.Bytes[WeightEncoding.EntropyCoded]);
        Assert.AreEqual(storage.Tensors.Sum(tensor => tensor.Bytes[WeightEncoding.Dense]), storage.Total.Bytes[WeightEncoding.Dense]);
        StringAssert.Contains(storage.ToString(), "EntropyCoded");
        // Different everywhere: no list of values can be had, and none of their codes.
        var many = network.With("fc1.weight", Enumerable.Range(1, 8000).Select(i => i / 7f).ToArray());
        Assert.IsTrue(NetworkCost.Of(many).Storage.Tensors.Single(tensor => tensor.Name == "fc1.weight").Bytes.ContainsKey(WeightEncoding.Codebook));
    }

    private static long Bitmap(float[] values)
    {
        var (bits, stored) = (new byte[(values.Length + 7) / 8], new MemoryStream());
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] != 0)
            {
                bits[i / 8] |= (byte)(1 << i % 8);
                stored.Write(BitConverter.GetBytes(values[i]));
            }
        }

        return bits.Length + stored.Length;
    }

    private static long Rows(float[] values, int columns, int bits)
    {
        using var stored = new MemoryStream();
        var most = (1L << bits) - 1;
        for (var start = 0; start < values.Length; start += columns)
        {
            stored.Write(new byte[4]);
            var zeros = 0L;
            foreach (var value in values.AsSpan(start, columns))
            {
                if (value == 0)
                {
                    zeros++;
                    continue;
                }

                for (; zeros > most; zeros -= most + 1)
                {
                    // So many zeros, and one that is stored.
                    stored.Write(new byte[bits / 8 + 4]);
                }

                stored.Write(new byte[bits / 8 + 4]);
                zeros = 0;
            }
        }

        return stored.Length + 4;
    }

    private static long Inverted(float[] values)
    {
        using var stored = new MemoryStream();
        foreach (var value in values.Where(value => value != 0).Distinct())
        {
            stored.Write(new byte[8]);
            for (int i = 0, last = -1; i < values.Length; i++)
            {
                if (values[i] == value)
                {
                    for (var rest = i - last - 1; rest > ushort.MaxValue; rest -= ushort.MaxValue + 1)
                    {
                        stored.Write(new byte[2]);
                    }

                    stored.Write(new byte[2]);
                    last = i;
                }
            }
        }

        return stored.Length;
    }
}
