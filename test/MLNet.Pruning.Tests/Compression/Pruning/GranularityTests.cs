using FsCheck;
using FsCheck.Fluent;
using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Tests.Compression.Pruning;

/// <summary>Structures of several weights, against loops over single weights that know nothing of how they are stored.</summary>
[TestClass]
public class GranularityTests
{
    /// <summary>
    /// N:M against sorting every group, for both ways dense weights are stored, convolutions of all kernels, ties and weights dropped before.
    /// </summary>
    [TestMethod]
    public void N_to_M_keeps_the_n_largest_of_every_m_inputs()
        => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var random = new Random(seed);
            var m = random.Next(2, 9);
            var n = random.Next(1, m);
            var weight = Drawn(random, inputs: m * random.Next(1, 40));
            var before = random.Next(2) == 0 ? weight.Network.Prune(Amount.Fraction(0.3), Importance.Random(seed)) : weight.Network.Prune(Amount.Count(0));
            var after = before.Prune(granularity: Granularity.NToM(n, m));
            var (was, mask) = (before.Masks["w"], after.Masks["w"]);
            var values = weight.Network["w"].Values.ToArray();
            for (var output = 0; output < weight.Outputs; output++)
            {
                for (var position = 0; position < weight.Positions; position++)
                {
                    for (var group = 0; group < weight.Inputs; group += m)
                    {
                        var kept = Enumerable.Range(group, m).Select(input => weight.At(output, input, position)).Where(i => was[i])
                            .OrderBy(i => Math.Abs(values[i])).ThenBy(i => i).TakeLast(n).ToHashSet();
                        for (var input = group; input < group + m; input++)
                        {
                            var at = weight.At(output, input, position);
                            Assert.AreEqual(kept.Contains(at), mask[at], $"{n}:{m} of {weight.Network["w"]}, output {output}, input {input}, position "
                                + $"{position}");
                        }
                    }
                }
            }
        }).QuickCheckThrowOnFailure();

    [TestMethod]
    public void Blocks_kernels_rows_and_columns_lose_the_least_by_their_norm_however_weights_are_stored()
        => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var random = new Random(seed);
            var (rows, columns) = (random.Next(1, 5), random.Next(1, 5));
            var weight = Drawn(random, inputs: columns * random.Next(1, 12), outputs: rows * random.Next(1, 12), ties: false);
            var dense = weight.Network["w"].Shape.Length == 2;
            var (granularity, structure) = (dense ? random.Next(3) : 3) switch
            {
                0 => (Granularity.Row, (Func<int, int, int, int>)((output, _, _) => output)),
                1 => (Granularity.Column, (_, input, _) => input),
                2 => (Granularity.WeightBlock(rows, columns), (output, input, _) => output / rows * 1000 + input / columns),
                // What a filter reads is channel by channel, each with its kernel.
                _ => random.Next(2) == 0 || weight.InputsFirst ? (Granularity.Kernel, (output, input, _) => output * 1000 + input)
                    : (Granularity.WeightBlock(rows, columns), (output, input, position) =>
                        output / rows * 1000 + (input * weight.Positions + position) / columns),
            };
            var p = random.Next(1, 3);
            var values = weight.Network["w"].Values.ToArray();
            var structures = (from output in Enumerable.Range(0, weight.Outputs)
                          from input in Enumerable.Range(0, weight.Inputs)
                          from position in Enumerable.Range(0, weight.Positions)
                          let at = weight.At(output, input, position)
                          group at by structure(output, input, position)).ToArray();
            var drop = random.Next(structures.Length + 1);
            var mask = weight.Network.Prune(Amount.Count(drop), Importance.Magnitude(p), granularity).Masks["w"];
            var dropped = structures.OrderBy(one => one.Sum(at => Math.Pow(Math.Abs(values[at]), p))).Take(drop).SelectMany(one => one).ToHashSet();
            for (var i = 0; i < values.Length; i++)
            {
                Assert.AreEqual(!dropped.Contains(i), mask[i], $"{granularity}, {weight.Network["w"]}, weight {i}");
            }
        }).QuickCheckThrowOnFailure();

    [TestMethod]
    public void Weights_of_a_MatMul_and_of_a_Gemm_lose_the_same_rows_columns_and_patterns()
    {
        var values = Enumerable.Range(0, 8 * 12).Select(i => (float)Math.Sin(i * i)).ToArray();
        var (gemm, matmul) = (Dense(8, 12, false, values), Dense(8, 12, true, [.. Enumerable.Range(0, values.Length).Select(i => values[i % 8 * 12 + i / 8])]));
        foreach (var granularity in new[] { Granularity.Row, Granularity.Column, Granularity.WeightBlock(2, 3), Granularity.WeightBlock(4, 1),
            Granularity.NToM(2, 4), Granularity.NToM(1, 3) })
        {
            PrunedNetwork Pruned(Network network) => network.Prune(new PruningOptions { Granularity = granularity });
            var (stored, transposed) = (Pruned(gemm).Masks["w"], Pruned(matmul).Masks["w"]);
            for (var i = 0; i < values.Length; i++)
            {
                Assert.AreEqual(stored[i], transposed[i % 12 * 8 + i / 12], $"{granularity}, weight {i}");
            }
        }
    }

    [TestMethod]
    public void Pieces_with_a_criterion_of_ones_own_are_worth_the_sum_of_their_weights()
    {
        var mask = Dense(2, 4, false, [0, 9, 1, 1, 0, 0, 1, 1]).Prune(Amount.Count(1), new Itself(), Granularity.WeightBlock(2, 2)).Masks["w"];
        CollectionAssert.AreEqual(new[] { true, true, false, false, true, true, false, false }, mask.ToArray(), "blocks of 9 and 4");
    }

    [TestMethod]
    public void N_to_M_goes_there_step_by_step_and_its_pattern_is_its_amount()
    {
        var network = Network.Mlp(16, 8, 4).Initialize(1);
        var plan = Plans.Create(new PruningOptions { Granularity = Granularity.NToM(1, 4), Schedule = Schedule.Linear(3) }, network.Prune(Amount.Count(0)));
        var pruned = network.Prune(Amount.Count(0));
        for (var step = 0; step < 3; step++)
        {
            pruned = plan.Prune(pruned, step);
            var mask = pruned.Masks["fc1.weight"];
            for (var group = 0; group < mask.Count; group += 4)
            {
                Assert.AreEqual(3 - step, Enumerable.Range(group, 4).Count(i => mask[i]));
            }
        }

        Assert.AreEqual(network.Prune(granularity: Granularity.NToM(1, 4)).Masks["fc2.weight"].Kept, pruned.Masks["fc2.weight"].Kept);
        network.Prune(Amount.Fraction(0.5), granularity: Granularity.NToM(2, 4));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => network.Prune(Amount.Fraction(0.9), granularity: Granularity.NToM(2, 4))).Message,
            "Fraction(0.9)");
        Assert.ThrowsExactly<ArgumentException>(() => new PruningOptions { Granularity = Granularity.NToM(2, 4), Amount = Amount.Count(3) }.Validate());
        Assert.ThrowsExactly<ArgumentException>(() => network.Prune(granularity: Granularity.Weight));
    }

    [TestMethod]
    public void A_pattern_is_met_though_more_was_pruned_before_elsewhere()
    {
        // Half is gone, all in the first group: the second still has to lose two.
        var pruned = Dense(1, 8, false, [1, 2, 3, 4, 5, 6, 7, 8]).Prune(Amount.Count(4));
        var plan = Plans.Create(new PruningOptions { Granularity = Granularity.NToM(2, 4) }, pruned);
        foreach (var mask in new[] { pruned.Prune(granularity: Granularity.NToM(2, 4)).Masks["w"], plan.Prune(pruned, 0).Masks["w"] })
        {
            CollectionAssert.AreEqual(new[] { false, false, false, false, false, false, true, true }, mask.ToArray());
        }
    }

    [TestMethod]
    public void What_does_not_divide_is_refused_with_both_sizes()
    {
        var network = Network.Mlp(10, 6, 4).Initialize(1);
        var pattern = Assert.ThrowsExactly<ArgumentException>(() => network.Prune(granularity: Granularity.NToM(2, 4))).Message;
        StringAssert.Contains(pattern, "'NToM(2, 4)'");
        StringAssert.Contains(pattern, "layer 'fc1' (fc1.weight[6 x 10] has 10 inputs)");
        StringAssert.Contains(pattern, "layer 'fc2' (fc2.weight[4 x 6] has 6 inputs)");
        var block = Assert.ThrowsExactly<ArgumentException>(() => network.Prune(Amount.Fraction(0.5), granularity: Granularity.WeightBlock(8, 2))).Message;
        StringAssert.Contains(block, "WeightBlock(8, 2)");
        StringAssert.Contains(block, "layer 'fc1' (fc1.weight[6 x 10] has 6 outputs x 10 inputs)");
        Assert.AreEqual(30, network.Prune(granularity: Granularity.NToM(1, 2), scope: Scope.Network.Only("fc1")).Masks.Single().Value.Kept);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Granularity.NToM(4, 4));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Granularity.NToM(0, 4));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Granularity.WeightBlock(0, 1));
        Assert.ThrowsExactly<ArgumentException>(() => network.Prune(Amount.Fraction(0.5), granularity: Granularity.Kernel));
    }

    private static Stored Drawn(Random random, int inputs, int? outputs = null, bool ties = true)
    {
        var rows = outputs ?? random.Next(1, 30);
        var kind = random.Next(4);
        var kernel = kind < 2 ? 1 : random.Next(1, 5);
        var values = new float[rows * inputs * kernel * kernel];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = ties && random.Next(2) == 0 ? random.Next(-2, 3) : (float)(random.NextDouble() - 0.5);
        }

        return kind switch
        {
            0 or 1 => new(Dense(rows, inputs, kind == 1, values), rows, inputs, 1, kind == 1),
            _ => new(Convolution(rows, inputs, kernel, kind == 3, values), rows, inputs, kernel * kernel, kind == 3),
        };
    }

    private static Network Dense(int outputs, int inputs, bool transposed, float[] values) => new(new TensorInfo("input", [-1, inputs]), "out",
        [transposed ? new Node("dense", "MatMul", ["input", "w"], ["out"]) : new Node("dense", "Gemm", ["input", "w"], ["out"], [new("transB", 1L)])],
        [new Parameter("w", transposed ? [inputs, outputs] : [outputs, inputs], values, true, Initializer.Zero)]);

    private static Network Convolution(int outputs, int inputs, int kernel, bool transposed, float[] values)
        => new(new TensorInfo("input", [-1, inputs, 8, 8]), "out",
        [new Node("conv", transposed ? "ConvTranspose" : "Conv", ["input", "w"], ["out"], [new("kernel_shape", new long[] { kernel, kernel })])],
        [new Parameter("w", transposed ? [inputs, outputs, kernel, kernel] : [outputs, inputs, kernel, kernel], values, true, Initializer.Zero)]);

    /// <summary>A network of one weight "w", and where its values are.</summary>
    private sealed record Stored(Network Network, int Outputs, int Inputs, int Positions, bool InputsFirst)
    {
        public int At(int output, int input, int position) => (InputsFirst ? input * Outputs + output : output * Inputs + input) * Positions + position;
    }

    private sealed class Itself : Importance
    {
        protected override ImportanceScores MeasureCore(ImportanceContext context)
            => ImportanceScores.OfWeights("itself", (parameter, start, scores) => parameter.Values.Slice(start, scores.Length).CopyTo(scores));
    }
}
