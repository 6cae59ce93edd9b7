using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using MLNet.Pruning.Scoring.Sparse.Kernels;

namespace MLNet.Pruning.Tests.Scoring.Sparse;

/// <summary>Sparse products of every length against sums in double precision, in memory that ends where kernels have to stop.</summary>
[TestClass]
public unsafe class KernelTests
{
    private const int Longest = 256;

    /// <summary>Outputs that fill a vector, that do not, and more than one group of them.</summary>
    private static readonly int[] s_outputs = [1, 15, 16, 37];

    [TestMethod]
    [DataRow(16)]
    [DataRow(8)]
    [DataRow(4)]
    public void Single_rows_of_every_number_of_inputs(int lanes)
    {
        if (lanes > IVectorProduct.Lanes)
        {
            Assert.Inconclusive($"The processor has no vectors of {lanes} numbers.");
        }

        for (var inputs = 0; inputs <= Longest; inputs++)
        {
            var (weights, bias, x) = Draw(s_outputs[inputs % 4], inputs, zeros: inputs % 11 / 10.0, seed: inputs);
            using var input = new GuardedFloats(inputs + IVectorProduct.Slack);
            x.CopyTo(input.Values);
            var products = new List<IVectorProduct>
            {
                new WindowProduct(weights, bias, lanes), new PatternProduct(weights, bias, lanes), new BlockProduct(weights, bias, lanes),
            };
            if (inputs >= lanes)
            {
                products.Add(new BlockProduct(weights, bias, lanes, isOfInputs: true));
            }

            foreach (var product in products)
            {
                using var output = new GuardedFloats(product.Rows);
                foreach (var relu in new[] { false, true })
                {
                    product.Run(input.Pointer, output.Pointer, relu);
                    for (var row = 0; row < bias.Length; row++)
                    {
                        Compare(weights.AsSpan(row * inputs, inputs), bias[row], i => x[i], relu, output.Values[row],
                            $"{product.GetType().Name}, {inputs} inputs, output {row}");
                    }
                }
            }
        }
    }

    [TestMethod]
    public void Blocks_of_outputs_are_not_looked_up()
    {
        foreach (var lanes in new[] { 8, 16 }.Where(lanes => lanes <= IVectorProduct.Lanes))
        {
            var random = new Random(1);
            bool[] kept = [.. Enumerable.Range(0, 64 / lanes * 500).Select(_ => random.NextDouble() < 0.1)];
            float[] weights = [.. Enumerable.Range(0, 64 * 500).Select(i => kept[i / 500 / lanes * 500 + i % 500] ? random.NextSingle() : 0)];
            Assert.IsInstanceOfType<BlockProduct>(IVectorProduct.Of(weights, new float[64]), $"{lanes}");
        }

        // With vectors of four numbers, a window holds as many as such a block.
        foreach (var inputs in new[] { 4, 8, 16 }.Where(inputs => inputs <= IVectorProduct.Lanes && IVectorProduct.Lanes > 4))
        {
            var random = new Random(1);
            bool[] kept = [.. Enumerable.Range(0, 64 * 512 / inputs).Select(_ => random.NextDouble() < 0.1)];
            float[] weights = [.. Enumerable.Range(0, 64 * 512).Select(i => kept[i / inputs] ? random.NextSingle() : 0)];
            Assert.IsInstanceOfType<BlockProduct>(IVectorProduct.Of(weights, new float[64]), $"{inputs} inputs");
        }

        Assert.IsInstanceOfType<WindowProduct>(IVectorProduct.Of(Draw(64, 500, 0.9, 1).Weights, new float[64]));
    }

    /// <summary>Blocks say by 16 bits which input they read.</summary>
    [TestMethod]
    public void Blocks_of_more_inputs_than_16_bits_count_are_looked_up()
    {
        foreach (var inputs in new[] { 1 << 16, (1 << 16) + 1 })
        {
            var weights = new float[16 * inputs];
            using var x = new GuardedFloats(inputs + IVectorProduct.Slack);
            Fill(x.Values, 1);
            var expected = new double[16];
            foreach (var input in new[] { 0, inputs / 2, inputs - 2, inputs - 1 })
            {
                for (var row = 0; row < 16; row++)
                {
                    weights[row * inputs + input] = row + 1;
                    expected[row] += (row + 1) * (double)x.Pointer[input];
                }
            }

            var product = IVectorProduct.Of(weights, new float[16]);
            Assert.AreEqual(inputs <= 1 << 16, product is BlockProduct, $"{inputs}");
            using var y = new GuardedFloats(product.Rows);
            product.Run(x.Pointer, y.Pointer, relu: false);
            for (var row = 0; row < 16; row++)
            {
                Assert.AreEqual(expected[row], y.Pointer[row], 1e-5, $"{inputs} inputs, row {row}");
            }
        }
    }

    [TestMethod]
    [DataRow(2, 4)]
    [DataRow(1, 4)]
    [DataRow(4, 8)]
    public void Patterns_take_as_many_steps_in_each_window(int n, int m)
    {
        var network = Network.Mlp(512, 64).Initialize(1).Prune(Amount.Fraction(1 - (double)n / m), granularity: Granularity.NToM(n, m)).Network;
        var weights = network["fc1.weight"].Values.ToArray();
        // A window of four inputs takes pairs of steps: it suits no pattern but two of four.
        Assert.IsInstanceOfType(IVectorProduct.Of(weights, new float[64]), IVectorProduct.Lanes > 4 || (n, m) == (2, 4) ? typeof(PatternProduct)
            : typeof(WindowProduct));
        sbyte[] integers = [.. weights.Select(weight => (sbyte)Math.Sign(weight))];
        Assert.IsInstanceOfType<IntegerPatternProduct>(IIntegerProduct.Of(integers, new int[64], [.. Enumerable.Range(3, 512)]));
        Assert.IsInstanceOfType<IntegerProduct>(IIntegerProduct.Of(integers, new int[64], [.. Enumerable.Range(0, 512).Select(i => 2 * i)]), "apart");
        var (other, _, _) = Draw(64, 500, 0.9, 1);
        Assert.IsInstanceOfType<IntegerProduct>(IIntegerProduct.Of([.. other.Select(weight => (sbyte)Math.Sign(weight))], new int[64],
            [.. Enumerable.Range(0, 500)]), "at random");
    }

    [TestMethod]
    [DataRow(512)]
    [DataRow(256)]
    [DataRow(128)]
    public void Columns_of_every_number(int bits)
    {
        if (bits == 512 && !Vector512.IsHardwareAccelerated || bits == 256 && !Vector256.IsHardwareAccelerated)
        {
            Assert.Inconclusive($"The processor has no vectors of {bits} bits.");
        }

        for (var columns = 1; columns <= Longest; columns++)
        {
            var (outputs, inputs) = (s_outputs[columns % 4], columns * 7 % 61);
            var (weights, bias, _) = Draw(outputs, inputs, zeros: columns % 11 / 10.0, seed: columns);
            var width = (columns + 15) / 16 * 16;
            // Few bytes at a time cut the inputs into tiles.
            var product = new SparseProduct(weights, bias, [.. Enumerable.Range(0, inputs).Select(i => i * width)], columns % 2 == 0 ? 4 : 4096);
            using var input = new GuardedFloats(inputs * width);
            using var output = new GuardedFloats(outputs * width);
            using var addend = new GuardedFloats(outputs * width);
            Fill(input.Values, columns);
            Fill(addend.Values, columns + 1);
            foreach (var (relu, adds) in new[] { (false, false), (true, true) })
            {
                var more = adds ? addend.Pointer : null;
                if (bits == 512)
                {
                    product.Run<Lanes512, Vector512<float>>(input.Pointer, output.Pointer, width, columns, more, relu);
                }
                else if (bits == 256)
                {
                    product.Run<Lanes256, Vector256<float>>(input.Pointer, output.Pointer, width, columns, more, relu);
                }
                else
                {
                    product.Run<Lanes128, Vector128<float>>(input.Pointer, output.Pointer, width, columns, more, relu);
                }

                for (var row = 0; row < outputs; row++)
                {
                    for (var column = 0; column < columns; column++)
                    {
                        var place = column;
                        Compare(weights.AsSpan(row * inputs, inputs), bias[row] + (adds ? (double)addend.Pointer[row * width + column] : 0),
                            i => input.Pointer[i * width + place], relu, output.Pointer[row * width + column],
                            $"{columns} columns, output {row}, column {column}");
                    }
                }
            }
        }
    }

    /// <summary>Convolutions by columns of their window: rows of every number, as far apart as blocks allow, with room for the moves between them.</summary>
    [TestMethod]
    public void Moved_sums_of_every_number_of_rows()
    {
        if (!Avx512F.IsSupported)
        {
            Assert.Inconclusive("The processor has no vectors of 512 bits.");
        }

        foreach (var (pitch, room) in from pitch in new[] { 8, 16, 32, 64, 128 } from room in new[] { 1, 3, 7 } select (pitch, room))
        {
            for (var height = 1; height * pitch <= 2 * Longest; height++)
            {
                var (outputs, inputs, width) = (s_outputs[height % 4], 1 + height * 7 % 61, pitch - room);
                var (weights, bias, _) = Draw(outputs, inputs, zeros: height % 11 / 10.0, seed: height);
                var random = new Random(height);
                // Two rows of zeros above each image and one below, so that all rows that are read have their own room before them.
                var (image, area) = ((height + 4) * pitch, (height * pitch + 31) / 32 * 32);
                int[] moves = [.. Enumerable.Range(0, inputs).Select(_ => random.Next(-room, room + 1))];
                int[] offsets = [.. Enumerable.Range(0, inputs).Select(i => i * image + random.Next(1, 4) * pitch)];
                var product = new MovedProduct(weights, bias, offsets, moves, height % 2 == 0 ? 4 : 4096);
                using var input = new GuardedFloats(inputs * image + 32);
                using var output = new GuardedFloats(outputs * area);
                using var addend = new GuardedFloats(outputs * area);
                input.Values.Clear();
                Fill(addend.Values, height + 1);
                for (var i = 0; i < inputs; i++)
                {
                    for (var row = 2; row < height + 3; row++)
                    {
                        Fill(input.Values.Slice(i * image + row * pitch, width), height + i + row);
                    }
                }

                foreach (var (relu, adds) in new[] { (false, false), (true, true) })
                {
                    product.Run(input.Pointer, output.Pointer, area, height * pitch, adds ? addend.Pointer : null, relu);
                    for (var (row, place) = (0, 0); row < outputs; row++)
                    {
                        for (place = 0; place < height * pitch; place += place % pitch == width - 1 ? room + 1 : 1)
                        {
                            var at = place;
                            Compare(weights.AsSpan(row * inputs, inputs), bias[row] + (adds ? (double)addend.Pointer[row * area + at] : 0),
                                i => input.Pointer[offsets[i] + at + moves[i]], relu, output.Pointer[row * area + at],
                                $"{height} rows {pitch} apart, output {row}, position {at}");
                        }
                    }
                }
            }
        }
    }

    [TestMethod]
    public void Rows_of_every_size_lie_side_by_side()
    {
        for (var width = 1; width <= 40; width++)
        {
            for (var count = 1; count <= 64; count += width % 3 + 1)
            {
                using var rows = new GuardedFloats(width * count);
                using var target = new GuardedFloats(width * 64);
                Fill(rows.Values, width);
                Transposition.Run(rows.Pointer, width, count, target.Pointer, 64);
                for (var i = 0; i < width * count; i++)
                {
                    Assert.AreEqual(rows.Pointer[i], target.Pointer[i % width * 64 + i / width], $"{count} rows of {width}");
                }
            }
        }
    }

    /// <summary>All of the processor's kernels were tested: what this one lacks is named.</summary>
    [TestMethod]
    public void The_widest_vectors_are_used() => Assert.AreEqual(Avx512F.IsSupported ? 16 : Avx2.IsSupported ? 8 : 4, IVectorProduct.Lanes);

    private static void Compare(ReadOnlySpan<float> weights, double bias, Func<int, float> x, bool relu, float found, string what)
    {
        var (expected, size) = (bias, Math.Abs(bias));
        for (var i = 0; i < weights.Length; i++)
        {
            expected += (double)weights[i] * x(i);
            size += Math.Abs((double)weights[i] * x(i));
        }

        // Each addition rounds by half a unit of the sum so far at most.
        Assert.AreEqual(relu ? Math.Max(0, expected) : expected, found, (weights.Length + 2) * size * Math.Pow(2, -24) + 1e-30, what);
    }

    private static (float[] Weights, float[] Bias, float[] X) Draw(int outputs, int inputs, double zeros, int seed)
    {
        var random = new Random(seed);
        float Next() => random.NextSingle() * 2 - 1;
        return ([.. Enumerable.Range(0, outputs * inputs).Select(_ => random.NextDouble() < zeros ? 0 : Next())],
            [.. Enumerable.Range(0, outputs).Select(_ => Next())], [.. Enumerable.Range(0, inputs).Select(_ => Next())]);
    }

    private static void Fill(Span<float> values, int seed)
    {
        var random = new Random(seed);
        foreach (ref var value in values)
        {
            value = random.NextSingle() * 2 - 1;
        }
    }
}
