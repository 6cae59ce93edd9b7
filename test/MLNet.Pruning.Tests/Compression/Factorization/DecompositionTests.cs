using System.Collections.Immutable;
using MLNet.Pruning.Compression.Factorization;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Compression.Factorization;

/// <summary>What factors are nearest to, against closed forms and searches that know nothing of singular vectors.</summary>
[TestClass]
public class DecompositionTests
{
    [TestMethod]
    public void The_error_is_that_of_the_singular_values_that_are_left_out()
    {
        // A weight with singular values 2^0, 2^-1, ...: orthonormal columns, by Gram and Schmidt, times these.
        var (left, right) = (Orthonormal(9, 6, 1), Orthonormal(12, 6, 2));
        var weight = new float[9 * 12];
        for (var k = 0; k < 6; k++)
        {
            for (var i = 0; i < weight.Length; i++)
            {
                weight[i] += (float)(Math.Pow(2, -k) * left[k][i / 12] * right[k][i % 12]);
            }
        }

        var network = Dense(12, 9).With("w", weight);
        for (var rank = 1; rank <= 4; rank++)
        {
            var small = network.Factorize(new() { Factorizer = Factorizer.Svd, Rank = Rank.Fixed(rank) }, out var layers);
            var tail = Enumerable.Range(rank, 6 - rank).Sum(k => Math.Pow(4, -k));
            Assert.AreEqual(Math.Sqrt(tail), Math.Sqrt(SmallNetworks.Distance(weight, Product(small, 9, rank, 12))), 1e-6);
            Assert.AreEqual(1 - tail / Enumerable.Range(0, 6).Sum(k => Math.Pow(4, -k)), layers.Single().Energy!.Value, 1e-6);
        }

        network.Factorize(new() { Factorizer = Factorizer.Svd, Rank = Rank.Energy(0.99) }, out var chosen);
        Assert.AreEqual("4", chosen.Single().Rank, "1 + 1/4 + 1/16 + 1/64 is the first that is 99 % of 4/3");
    }

    [TestMethod]
    [DataRow(8, 6)]
    [DataRow(5, 9)]
    public void Outputs_are_nearest_by_what_the_rows_need(int inputs, int outputs)
    {
        // Inputs of very different sizes that go together, so that the weight's own directions are not those of its outputs.
        const int Rows = 64;
        var mixing = SmallNetworks.Draw(inputs * inputs, 5);
        var rows = Matrix(SmallNetworks.Draw(Rows * inputs, 4), Rows, inputs);
        var skewed = Flat([.. rows.Select(row => Enumerable.Range(0, inputs)
            .Select(j => row.Select((value, i) => value * mixing[i * inputs + j] * Math.Pow(3, -i)).Sum()).ToArray())]);
        var network = Dense(inputs, outputs);
        for (var rank = 1; rank < 3; rank++)
        {
            double Error(Network small) => SmallNetworks.Distance(SmallNetworks.Run(network, skewed), SmallNetworks.Run(small, skewed));
            var aware = Error(network.Factorize(Factorizer.DataAwareSvd, Rank.Fixed(rank), skewed));
            var best = LeastError(Matrix(network["w"].Values.ToArray(), outputs, inputs), Matrix(skewed, Rows, inputs), rank);
            Assert.AreEqual(best, aware, 1e-3 * best + 1e-6, $"rank {rank}");
            Assert.IsLessThan(Error(network.Factorize(Factorizer.Svd, Rank.Fixed(rank))), aware, $"rank {rank}");
        }
    }

    [TestMethod]
    public void A_mean_that_the_bias_keeps_needs_no_rank()
    {
        // Outputs that differ from their mean along one direction alone.
        var network = Dense(6, 8, bias: true);
        var (mean, direction) = (SmallNetworks.Draw(6, 3, 5), SmallNetworks.Draw(6, 4));
        var rows = Enumerable.Range(0, 40).SelectMany(row => mean.Zip(direction, (m, d) => m + (row - 20) * 0.1f * d)).ToArray();
        var expected = SmallNetworks.Run(network, rows);
        var centred = network.Factorize(Factorizer.Pca, Rank.Fixed(1), rows);
        Close.AreEqual(expected, SmallNetworks.Run(centred, rows), 1e-4, "rank 1 with a mean");
        var plain = network.Factorize(Factorizer.DataAwareSvd, Rank.Fixed(1), rows);
        Assert.IsGreaterThan(1, SmallNetworks.Distance(expected, SmallNetworks.Run(plain, rows)));
    }

    [TestMethod]
    public void A_kernel_of_low_ranks_is_taken_apart_exactly()
    {
        // Filters x channels x 3 x 3 made of 2 filters and 3 channels.
        var (filters, channels, core) = (SmallNetworks.Draw(10 * 2, 1), SmallNetworks.Draw(8 * 3, 2), SmallNetworks.Draw(2 * 3 * 9, 3));
        var weight = Fill(10, 8, (f, c, k) => Enumerable.Range(0, 6)
            .Sum(pair => filters[f * 2 + pair / 3] * channels[c * 3 + pair % 3] * core[(pair / 3 * 3 + pair % 3) * 9 + k]));
        var network = Convolution(weight);
        var small = network.Factorize(new() { Factorizer = Factorizer.Tucker2, Rank = Rank.Energy(1 - 1e-9) }, out var layers);
        Assert.AreEqual("3 x 2", layers.Single().Rank);
        Same(network, small, 1e-4);
    }

    [TestMethod]
    public void A_kernel_that_is_a_sum_of_products_is_taken_apart_exactly()
    {
        const int Rank = 3;
        var (filters, channels, kernels) = (SmallNetworks.Draw(10 * Rank, 1), SmallNetworks.Draw(8 * Rank, 2), SmallNetworks.Draw(9 * Rank, 3));
        var network = Convolution(Fill(10, 8, (f, c, k)
            => Enumerable.Range(0, Rank).Sum(r => filters[f * Rank + r] * channels[c * Rank + r] * kernels[k * Rank + r])));
        var small = network.Factorize(new() { Factorizer = Factorizer.Cp(2000), Rank = MLNet.Pruning.Rank.Fixed(Rank) }, out var layers);
        Assert.AreEqual(1, layers.Single().Energy!.Value, 1e-6);
        Assert.AreEqual(Rank * (10 + 8 + 9), layers.Single().ParametersAfter);
        Same(network, small, 2e-3);
    }

    [TestMethod]
    public void A_separable_kernel_is_a_column_and_a_row()
    {
        var (columns, rows) = (SmallNetworks.Draw(8 * 3 * 2, 1), SmallNetworks.Draw(10 * 3 * 2, 2));
        var network = Convolution(Fill(10, 8, (f, c, k)
            => Enumerable.Range(0, 2).Sum(r => columns[(c * 3 + k / 3) * 2 + r] * rows[(f * 3 + k % 3) * 2 + r])));
        var small = network.Factorize(Factorizer.SpatialSvd, Rank.Energy(1 - 1e-9));
        CollectionAssert.AreEqual(new[] { 2, 8, 3, 1 }, small.Parameters[0].Shape.ToArray());
        CollectionAssert.AreEqual(new[] { 10, 2, 1, 3 }, small.Parameters[1].Shape.ToArray());
        Same(network, small, 1e-4);
    }

    [TestMethod]
    public void Improving_in_turns_never_keeps_less_than_the_leading_vectors()
    {
        var network = Convolution(SmallNetworks.Draw(10 * 8 * 9, 7));
        using var scope = NewDisposeScope();
        var layer = FactorizableLayer.Of(network, network.Layers.Single(), network["w"], out _)!;
        var tucker = new TuckerDecomposition(layer);
        foreach (var ranks in new[] { (2, 3), (4, 4), (7, 5) })
        {
            var kept = tucker.Compute([ranks.Item1, ranks.Item2], default).Kept;
            // The error of leading vectors is at most the sum of what each mode leaves out.
            Assert.IsGreaterThanOrEqualTo(1 - tucker.Lost([ranks.Item1, 10]) - tucker.Lost([8, ranks.Item2]) - 1e-9, kept);
            Assert.IsLessThan(1, kept);
        }
    }

    [TestMethod]
    public void Factors_of_a_weight_without_negative_values_have_none_and_get_near_it()
    {
        var (left, right) = (Positive(12 * 3, 1), Positive(3 * 10, 2));
        var weight = Enumerable.Range(0, 120).Select(i => Enumerable.Range(0, 3).Sum(k => left[i / 10 * 3 + k] * right[k * 10 + i % 10])).ToArray();
        var network = Dense(10, 12).With("w", weight);
        var small = network.Factorize(new() { Factorizer = Factorizer.NonNegative(5000), Rank = Rank.Fixed(3) }, out var layers);
        Assert.IsTrue(small.Parameters.All(parameter => parameter.Values.ToArray().All(value => value >= 0)));
        Assert.IsLessThan(1e-4, SmallNetworks.Distance(weight, Product(small, 12, 3, 10)) / SmallNetworks.Energy(weight));
        Assert.IsGreaterThan(0.9999, layers.Single().Energy!.Value);
        Assert.Contains("1 of the 120 values of its weight are negative",
            Assert.ThrowsExactly<ArgumentException>(() => network.With("w", [.. weight[..^1], -1]).Factorize(Factorizer.NonNegative(), Rank.Fixed(3))).Message);

        static float[] Positive(int count, int seed) => Array.ConvertAll(SmallNetworks.Draw(count, seed), Math.Abs);
    }

    [TestMethod]
    [DataRow(60, 100, 5, 0.1)]
    [DataRow(100, 40, 8, 0.3)]
    [DataRow(80, 80, 1, 0.2)]
    [DataRow(50, 200, 0, 1.0)]
    public void The_rank_under_noise_is_found(int rows, int columns, int rank, double noise)
    {
        using var scope = NewDisposeScope();
        for (var seed = 0; seed < 5; seed++)
        {
            var random = new Random(seed);
            double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            double[][] left = [.. Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, rank).Select(_ => Normal()).ToArray())];
            double[][] right = [.. Enumerable.Range(0, columns).Select(_ => Enumerable.Range(0, rank).Select(_ => Normal()).ToArray())];
            var matrix = tensor([.. Enumerable.Range(0, rows * columns)
                .Select(i => left[i / columns].Zip(right[i % columns], (a, b) => a * b).Sum() + noise * Normal())], [rows, columns]);
            Assert.AreEqual(rank, VariationalRank.Of(matrix), $"seed {seed}");
        }
    }

    [TestMethod]
    public void A_matrix_without_noise_has_its_rank_and_one_of_zeros_none()
    {
        using var scope = NewDisposeScope();
        var factor = tensor([.. SmallNetworks.Draw(20 * 4, 1).Select(value => (double)value)], [20, 4]);
        Assert.AreEqual(4, VariationalRank.Of(factor.matmul(factor.t())));
        Assert.AreEqual(0, VariationalRank.Of(zeros([10, 12], ScalarType.Float64)));
    }

    private static Network Dense(int inputs, int outputs, bool bias = false) => SmallNetworks.Of([inputs],
        [SmallNetworks.Node("fc", "Gemm", bias ? ["x", "w", "b"] : ["x", "w"], "y", ("transB", 1L))],
        bias ? [("w", [outputs, inputs]), ("b", [outputs])] : [("w", [outputs, inputs])]);

    private static Network Convolution(float[] weight) => SmallNetworks.Of([8, 6, 6],
        [SmallNetworks.Node("conv", "Conv", ["x", "w"], "y", ("pads", new long[] { 1, 1, 1, 1 }))], ("w", [10, 8, 3, 3])).With("w", weight);

    private static void Same(Network network, Network small, double tolerance)
    {
        Assert.IsLessThan(network.ParameterCount, small.ParameterCount);
        var rows = SmallNetworks.Draw(4 * network.Input.RowSize, 9);
        Close.AreEqual(SmallNetworks.Run(network, rows), SmallNetworks.Run(small, rows), tolerance, "outputs");
    }

    private static float[] Fill(int filters, int channels, Func<int, int, int, float> value)
        => [.. Enumerable.Range(0, filters * channels * 9).Select(i => value(i / (channels * 9), i / 9 % channels, i % 9))];

    /// <summary>The product of the two weights of a network, outputs x inputs.</summary>
    private static float[] Product(Network small, int outputs, int rank, int inputs)
    {
        var (first, second) = (small.Parameters[0].Values.ToArray(), small.Parameters[1].Values.ToArray());
        return [.. Enumerable.Range(0, outputs * inputs).Select(i => (float)Enumerable.Range(0, rank)
            .Sum(k => (double)second[i / inputs * rank + k] * first[k * inputs + i % inputs]))];
    }

    private static double[][] Matrix(float[] values, int rows, int columns)
        => [.. Enumerable.Range(0, rows).Select(row => values.Skip(row * columns).Take(columns).Select(value => (double)value).ToArray())];

    private static float[] Flat(double[][] rows) => [.. rows.SelectMany(row => row).Select(value => (float)value)];

    /// <summary>
    /// The least squared error of outputs that a weight of a rank can have, by least squares for one of its factors after the other, from several starts.
    /// </summary>
    private static double LeastError(double[][] weight, double[][] rows, int rank)
    {
        using var scope = NewDisposeScope();
        Tensor Of(double[][] matrix) => tensor([.. matrix.SelectMany(row => row)], [matrix.Length, matrix[0].Length]);
        var (w, x) = (Of(weight), Of(rows));
        var (wanted, moments) = (x.matmul(w.t()), x.t().matmul(x));
        return Enumerable.Range(0, 4).Min(seed =>
        {
            var v = Of(Matrix(SmallNetworks.Draw(rank * weight[0].Length, 20 + seed), rank, weight[0].Length));
            var u = v;
            for (var i = 0; i < 3000; i++)
            {
                u = linalg.solve(v.matmul(moments).matmul(v.t()), v.matmul(moments).matmul(w.t())).t();
                v = linalg.solve(u.t().matmul(u), u.t().matmul(w));
            }

            var error = x.matmul(v.t()).matmul(u.t()) - wanted;
            return (error * error).sum().data<double>()[0];
        });
    }

    private static double[][] Orthonormal(int size, int count, int seed)
    {
        var random = new Random(seed);
        var vectors = new List<double[]>();
        while (vectors.Count < count)
        {
            var next = Enumerable.Range(0, size).Select(_ => random.NextDouble() - 0.5).ToArray();
            foreach (var vector in vectors)
            {
                var share = vector.Zip(next, (a, b) => a * b).Sum();
                next = [.. next.Zip(vector, (a, b) => a - share * b)];
            }

            var norm = Math.Sqrt(next.Sum(value => value * value));
            vectors.Add([.. next.Select(value => value / norm)]);
        }

        return [.. vectors];
    }
}
