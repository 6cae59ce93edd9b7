using System.Runtime.Intrinsics.X86;
using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Tests.Scoring.Sparse;

/// <summary>Products of bytes by small integers against sums one by one, in memory that ends where kernels have to stop.</summary>
[TestClass]
public unsafe class IntegerProductTests
{
    private const int Longest = 256;

    /// <summary>Outputs that fill a vector, that do not, and more than one group of them.</summary>
    private static readonly int[] s_outputs = [1, 15, 16, 37];

    [TestMethod]
    [DataRow(16, false)]
    [DataRow(8, false)]
    [DataRow(4, false)]
    [DataRow(16, true)]
    [DataRow(8, true)]
    [DataRow(4, true)]
    public void Every_number_of_inputs_and_columns(int lanes, bool isPattern)
    {
        Needs(lanes);
        for (var inputs = 0; inputs <= Longest; inputs++)
        {
            var random = new Random(inputs);
            var (outputs, columns) = (s_outputs[inputs % 4], 1 + inputs % 15);
            var weights = Weights(random, outputs * inputs, inputs % 11 / 10.0);
            int[] bias = [.. Enumerable.Range(0, outputs).Select(_ => random.Next(-100_000, 100_000))];
            IIntegerProduct product = isPattern ? new IntegerPatternProduct(weights, bias, 0, lanes)
                : new IntegerProduct(weights, bias, [.. Enumerable.Range(0, inputs)], lanes);
            var bytes = columns * inputs + IntegerProduct.Slack;
            using var memory = new GuardedFloats((bytes + 3) / 4);
            var x = (byte*)(memory.Pointer + memory.Length) - bytes;
            random.NextBytes(new Span<byte>(x, columns * inputs));
            using var results = new GuardedFloats(columns * product.Rows);
            var sums = (int*)results.Pointer;
            product.Run(x, inputs, columns, sums, product.Rows);
            for (var column = 0; column < columns; column++)
            {
                for (var output = 0; output < outputs; output++)
                {
                    var expected = bias[output];
                    for (var i = 0; i < inputs; i++)
                    {
                        expected += x[column * inputs + i] * weights[output * inputs + i];
                    }

                    Assert.AreEqual(expected, sums[column * product.Rows + output], $"{inputs} inputs, column {column}, output {output}");
                }
            }
        }
    }

    [TestMethod]
    [DataRow(16, false)]
    [DataRow(8, false)]
    [DataRow(4, false)]
    [DataRow(16, true)]
    [DataRow(8, true)]
    [DataRow(4, true)]
    public void The_largest_products_are_not_cut_off(int lanes, bool isPattern)
    {
        Needs(lanes);
        foreach (var weight in new[] { IntegerProduct.Most, -IntegerProduct.Most })
        {
            const int inputs = 300;
            sbyte[] weights = [.. Enumerable.Repeat((sbyte)weight, 2 * inputs)];
            IIntegerProduct product = isPattern ? new IntegerPatternProduct(weights, [0, 7], 0, lanes)
                : new IntegerProduct(weights, [0, 7], [.. Enumerable.Range(0, inputs)], lanes);
            using var memory = new GuardedFloats((product.Together * inputs + IntegerProduct.Slack) / 4);
            var x = (byte*)memory.Pointer;
            new Span<byte>(x, product.Together * inputs).Fill(byte.MaxValue);
            var sums = new int[product.Together * product.Rows];
            fixed (int* results = sums)
            {
                product.Run(x, inputs, product.Together, results, product.Rows);
            }

            for (var column = 0; column < product.Together; column++)
            {
                CollectionAssert.AreEqual(new[] { 255 * weight * inputs, 255 * weight * inputs + 7 }, sums.Skip(column * product.Rows).Take(2).ToArray());
            }
        }
    }

    [TestMethod]
    // An inverse that is exact and one that is not, zeros at both ends and between, a step so small that its inverse is no number.
    [DataRow(0.5f, 128)]
    [DataRow(0.1f, 0)]
    [DataRow(1f / 255, 255)]
    [DataRow(0.003f, 77)]
    [DataRow(1e-45f, 3)]
    public void Floats_round_to_the_byte_of_their_quotient(float scale, int zero)
    {
        var grid = new ByteGrid(scale, (byte)zero);
        // Every half and what is next to it, ends and beyond, and what is no number; at every place of a block.
        var values = Enumerable.Range(-300, 900).SelectMany(i => new[] { MathF.BitDecrement((i - 0.5f) * scale), (i - 0.5f) * scale,
            MathF.BitIncrement((i - 0.5f) * scale), i * scale }).Concat([float.MaxValue, float.MinValue, 2147483520 * scale, -2147483648 * scale,
                float.PositiveInfinity, float.NegativeInfinity, float.NaN, 0, -0f]).ToArray();
        for (var start = 0; start < 33; start++)
        {
            var bytes = new byte[values.Length - start];
            fixed (float* from = values)
            fixed (byte* to = bytes)
            {
                ByteRounding.Round(from + start, bytes.Length, grid, to);
            }

            for (var i = 0; i < bytes.Length; i++)
            {
                var quotient = values[start + i] / scale;
                var expected = float.IsNaN(quotient) ? 0 : (int)Math.Clamp(Math.Round((double)quotient) + zero, 0, 255);
                Assert.AreEqual(expected, bytes[i], $"{values[start + i]:R}, {start}");
            }
        }
    }

    [TestMethod]
    public void Inputs_may_lie_in_any_order_and_apart()
    {
        var random = new Random(4);
        int[] offsets = [.. Enumerable.Range(0, 90).Select(i => i * 3 + i % 2)];
        random.Shuffle(offsets);
        foreach (var lanes in new[] { 4, 8, 16 }.Where(lanes => lanes <= IntegerProduct.Lanes))
        {
            var weights = Weights(random, 20 * 90, 0.5);
            var product = new IntegerProduct(weights, new int[20], offsets, lanes);
            var bytes = new byte[90 * 3 + IntegerProduct.Slack];
            random.NextBytes(bytes);
            var sums = new int[product.Rows];
            fixed (byte* x = bytes)
            fixed (int* results = sums)
            {
                product.Run(x, 0, 1, results, 0);
            }

            for (var output = 0; output < 20; output++)
            {
                Assert.AreEqual(offsets.Select((offset, i) => bytes[offset] * weights[output * 90 + i]).Sum(), sums[output]);
            }
        }
    }

    private static void Needs(int lanes)
    {
        if (lanes == 16 && !Avx512Vbmi.IsSupported || lanes == 8 && !Avx2.IsSupported)
        {
            Assert.Inconclusive($"The processor has no vectors of {lanes} sums with permutations of bytes.");
        }
    }

    private static sbyte[] Weights(Random random, int count, double zeros)
        => [.. Enumerable.Range(0, count).Select(_ => (sbyte)(random.NextDouble() < zeros ? 0 : random.Next(-IntegerProduct.Most, IntegerProduct.Most + 1)))];
}
