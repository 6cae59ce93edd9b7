using System.Collections.Immutable;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>The orders of optimal brain surgeon against their definitions, each step of which is solved from the beginning.</summary>
[TestClass]
public class SurgeonOrderTests
{
    private const double Damping = 1e-3;
    private const int Inputs = 8, Outputs = 4;

    private static readonly float[][] s_rows = Rows(40, Inputs);
    private static readonly LeastSquares s_error = new(s_rows, Damping);

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Greedy_takes_each_time_the_weight_without_which_the_error_is_least(bool isMasked)
    {
        var network = Net();
        // What was dropped before is gone from the start.
        bool[] before = [.. Enumerable.Range(0, Inputs * Outputs).Select(i => !isMasked || i % 5 != 2)];
        var pruned = Masked(network, before);
        var scores = Scores(pruned, SurgeonOrder.Greedy).Weights(network["fc1.weight"]);
        var units = LeastSquares.Units(pruned.Network["fc1.weight"]);
        for (var unit = 0; unit < Outputs; unit++)
        {
            List<int> left = [.. Enumerable.Range(0, Inputs).Where(i => before[unit * Inputs + i])];
            var (done, most) = (s_error.Least(units[unit], left).Error, 0.0);
            // Zeros that masks hold cost nothing.
            Assert.AreEqual(0, done, 1e-12);
            while (left.Count > 0)
            {
                var (input, error) = left.Select(i => (i, s_error.Least(units[unit], [.. left.Where(other => other != i)]).Error)).MinBy(one => one.Error);
                Assert.AreEqual(most = Math.Max(most, error - done), scores[unit * Inputs + input], 1e-5 * most, $"input {input} of unit {unit}");
                Assert.IsTrue(left.All(other => other == input || scores[unit * Inputs + other] > scores[unit * Inputs + input]));
                (done, _) = (error, left.Remove(input));
            }
        }
    }

    [TestMethod]
    [DataRow(2, 4)]
    [DataRow(1, 4)]
    [DataRow(1, 2)]
    public void Greedy_keeps_to_a_pattern(int kept, int size)
    {
        var network = Net();
        var mask = network.Prune(new SelectionOptions { Granularity = Granularity.NToM(kept, size), Importance
            = new GivenScores(Scores(new(network, ImmutableDictionary<string, WeightMask>.Empty), SurgeonOrder.Greedy)) }).Masks["fc1.weight"];
        var units = LeastSquares.Units(network["fc1.weight"]);
        for (var unit = 0; unit < Outputs; unit++)
        {
            List<int> left = [.. Enumerable.Range(0, Inputs)];
            while (left.Where(i => left.Count(j => j / size == i / size) > kept).ToArray() is { Length: > 0 } may)
            {
                left.Remove(may.MinBy(i => s_error.Least(units[unit], [.. left.Where(other => other != i)]).Error));
            }

            CollectionAssert.AreEqual(left, Enumerable.Range(0, Inputs).Where(i => mask[unit * Inputs + i]).ToArray(), $"unit {unit}");
        }
    }

    [TestMethod]
    [DataRow(1, 2)]
    [DataRow(1, 4)]
    [DataRow(2, 2)]
    [DataRow(4, 1)]
    public void Greedy_takes_blocks_as_wholes(int height, int width)
    {
        var network = Net();
        var weight = network["fc1.weight"];
        var layout = Granularity.WeightBlock(height, width).Structures(weight, LayerInfo.Axes(network.Layers[0], weight));
        var scores = Scores(new(network, ImmutableDictionary<string, WeightMask>.Empty), SurgeonOrder.Greedy).Score(layout, weight);
        var units = LeastSquares.Units(weight);
        for (var first = 0; first < Outputs; first += height)
        {
            List<int> left = [.. Enumerable.Range(0, Inputs / width)];
            double[][] own = units[first..(first + height)];
            var (done, most) = (0.0, 0.0);
            double Without(int block)
                => s_error.Least(own, [.. left.Where(other => other != block).SelectMany(other => Enumerable.Range(other * width, width))]);

            while (left.Count > 0)
            {
                var block = left.MinBy(Without);
                var error = Without(block);
                most = Math.Max(most, error - done);
                Assert.AreEqual(most, scores[layout.Of(first * Inputs + block * width)], 1e-5 * most, $"block {block} of units from {first}");
                (done, _) = (error, left.Remove(block));
            }
        }
    }

    [TestMethod]
    public void Greedy_scores_columns_together_and_rows_by_all_that_they_give()
    {
        var network = Net();
        var weight = network["fc1.weight"];
        var scores = Scores(new(network, ImmutableDictionary<string, WeightMask>.Empty), SurgeonOrder.Greedy);
        var units = LeastSquares.Units(weight);
        var rows = scores.Slices(weight, 0);
        for (var unit = 0; unit < Outputs; unit++)
        {
            Assert.AreEqual(s_error.Error(units[unit]), rows[unit], 1e-5 * rows[unit]);
        }

        var (columns, left, done, most) = (scores.Slices(weight, 1), Enumerable.Range(0, Inputs).ToList(), 0.0, 0.0);
        while (left.Count > 0)
        {
            var input = left.MinBy(i => s_error.Least(units, [.. left.Where(other => other != i)]));
            left.Remove(input);
            var error = s_error.Least(units, left);
            most = Math.Max(most, error - done);
            Assert.AreEqual(most, columns[input], 1e-5 * most, $"input {input}");
            done = error;
        }
    }

    [TestMethod]
    public void With_too_many_inputs_parts_of_them_go_greedily_by_themselves()
    {
        // Inputs of a part are not made up for by those of another: the error is that of the moments with zeros between parts.
        const int Many = OptimalBrainSurgeonImportance.ExactInputs + 3;
        var random = new Random(4);
        var network = Network.Mlp(Many, 2).Initialize(1);
        float[][] rows = [.. Enumerable.Range(0, 20).Select(_ => Enumerable.Range(0, Many).Select(_ => random.NextSingle()).ToArray())];
        var data = Calibrations.Of(rows, rows.Select((_, i) => (float)(i % 2)), LearningTask.Multiclass, Loss.CrossEntropy, 20);
        var scores = Importance.OptimalBrainSurgeon(20, 1, SurgeonOrder.Greedy).On(network, data).Weights(network["fc1.weight"]);
        var error = new LeastSquares([.. rows.Select(row => row[^3..])], 0);
        var mean = Enumerable.Range(0, Many).Average(i => rows.Average(row => (double)row[i] * row[i]));
        for (var i = 0; i < 3; i++)
        {
            error.Moments[i][i] += mean;
        }

        for (var unit = 0; unit < 2; unit++)
        {
            double[] own = [.. network["fc1.weight"].Values.Slice(unit * Many + Many - 3, 3).ToArray().Select(value => (double)value)];
            List<int> left = [0, 1, 2];
            var (done, most) = (0.0, 0.0);
            while (left.Count > 0)
            {
                var input = left.MinBy(i => error.Least(own, [.. left.Where(other => other != i)]).Error);
                left.Remove(input);
                var now = error.Least(own, left).Error;
                most = Math.Max(most, now - done);
                Assert.AreEqual(most, scores[unit * Many + Many - 3 + input], 1e-5 * most);
                done = now;
            }
        }
    }

    [TestMethod]
    [DataRow(SurgeonOrder.AtOnce)]
    [DataRow(SurgeonOrder.Greedy)]
    [DataRow(SurgeonOrder.Columns)]
    [DataRow(SurgeonOrder.Blocks)]
    public void Parts_of_a_layer_with_too_many_inputs_are_as_layers_of_their_own(SurgeonOrder order)
    {
        // Two layers of half the inputs each, whose outputs are added up; half of the weights of each part go.
        var data = Calibrations.Of(s_rows, s_rows.Select((_, i) => (float)(i % Outputs)), LearningTask.Multiclass, Loss.CrossEntropy, 7);
        var network = Net();
        var units = LeastSquares.Units(network["fc1.weight"]);
        PrunedNetwork Pruned(Network one, CalibrationData rows, int most, Amount amount) => one.Prune(amount,
            new GivenScores(new OptimalBrainSurgeonImportance(40, Damping, order, mostInputs: most).On(one, rows)), scope: Scope.Layer);
        var whole = Pruned(network, data, Inputs / 2, Amount.Count(Inputs * Outputs / 2));
        var (kept, values) = (whole.Masks["fc1.weight"], whole.Network["fc1.weight"].Values.ToArray());
        for (var part = 0; part < 2; part++)
        {
            var inputs = part * Inputs / 2;
            float[][] rows = [.. s_rows.Select(row => row[inputs..(inputs + Inputs / 2)])];
            var error = new LeastSquares(rows, Damping);
            for (var unit = 0; unit < Outputs; unit++)
            {
                // Whatever was chosen, the values are the least of the part.
                int[] stays = [.. Enumerable.Range(0, Inputs / 2).Where(i => kept[unit * Inputs + inputs + i])];
                var expected = error.Least(units[unit][inputs..(inputs + Inputs / 2)], stays).Weights;
                for (var i = 0; i < expected.Length; i++)
                {
                    Assert.AreEqual(expected[i], values[unit * Inputs + inputs + i], 1e-5, $"input {inputs + i} of unit {unit}");
                }
            }

            var half = Network.Mlp(Inputs / 2, Outputs).Initialize(1).With("fc1.weight",
                [.. units.SelectMany(unit => unit[inputs..(inputs + Inputs / 2)]).Select(value => (float)value)]);
            var halfRows = Calibrations.Of(rows, rows.Select((_, i) => (float)(i % Outputs)), LearningTask.Multiclass, Loss.CrossEntropy, 7);
            var own = new OptimalBrainSurgeonImportance(40, Damping, order).On(half, halfRows).Weights(half["fc1.weight"]);
            var measured = new OptimalBrainSurgeonImportance(40, Damping, order, mostInputs: Inputs / 2).On(network, data).Weights(network["fc1.weight"]);
            for (var i = 0; i < own.Length; i++)
            {
                Assert.AreEqual(own[i], measured[i / (Inputs / 2) * Inputs + inputs + i % (Inputs / 2)], 1e-4 * own[i]);
            }
        }
    }

    [TestMethod]
    public void Columns_of_kernels_in_parts_are_read_where_they_are()
    {
        // A convolution of three channels and nine weights a kernel, in parts of a channel each.
        var network = Network.Sequential([3, 5, 5], Layer.Conv2d(4, 3), Layer.Flatten(), Layer.Dense(2)).Initialize(3);
        var rows = Recoveries.RecoveryCase.Rows(50, 75, 4);
        var data = Recoveries.RecoveryCase.Data(rows);
        SurgeonLayer[] Measured(int most) => OptimalBrainSurgeonImportance.Measure(
            new(new(network, ImmutableDictionary<string, WeightMask>.Empty), data), "test", 50, Damping, mostInputs: most)["conv1.weight"];
        var (whole, parts) = (Measured(27)[0], Measured(9));
        Assert.HasCount(3, parts);
        foreach (var (p, part) in parts.Index())
        {
            for (var i = 0; i < 9; i++)
            {
                for (var j = 0; j < i; j++)
                {
                    Assert.AreEqual(whole.Moments[9 * p + i][9 * p + j], part.Moments[i][j], 1e-9);
                }
            }
        }
    }

    [TestMethod]
    public void What_would_be_held_is_told_before_and_refused_where_there_is_less()
    {
        var told = new List<string>();
        var data = Calibrations.Of(s_rows, s_rows.Select((_, i) => (float)(i % Outputs)), LearningTask.Multiclass, Loss.CrossEntropy, 7);
        Importance.OptimalBrainSurgeon(40).On(Net(), data with { Tell = told.Add });
        Importance.WoodFisher(40).On(Net(), data with { Tell = told.Add });
        Assert.HasCount(2, told);
        Assert.IsTrue(told.All(line => line.Contains("holds at most")), string.Join(Environment.NewLine, told));
        var context = new ImportanceContext(new(Net(), ImmutableDictionary<string, WeightMask>.Empty), data with { Tell = told.Add });
        var message = Assert.ThrowsExactly<InvalidOperationException>(() => MemoryBound.Check(context, "Importance.X", long.MaxValue)).Message;
        StringAssert.StartsWith(message, "Importance.X would hold 9,223,372,036,855 MB");
        Assert.HasCount(2, told);
    }

    [TestMethod]
    [DataRow(SurgeonOrder.Columns)]
    [DataRow(SurgeonOrder.Blocks)]
    public void A_sweep_chooses_in_each_block_by_what_earlier_ones_left_of_the_weights(SurgeonOrder order)
    {
        // Two blocks, the second of half the size.
        const int Many = SurgeonSweep.BlockSize * 3 / 2;
        var (network, rows) = (Network.Mlp(Many, 3).Initialize(7), Rows(400, Many));
        var data = Calibrations.Of(rows, rows.Select((_, i) => (float)(i % 3)), LearningTask.Multiclass, Loss.CrossEntropy, 100);
        var error = new LeastSquares(rows, Damping);
        var units = LeastSquares.Units(network["fc1.weight"]);
        var drop = Many * 3 * 3 / 5;
        var measured = Importance.OptimalBrainSurgeon(400, Damping, order).On(network, data);
        var mask = network.Prune(Amount.Count(drop), new GivenScores(measured)).Masks["fc1.weight"];
        var later = Enumerable.Range(SurgeonSweep.BlockSize, Many - SurgeonSweep.BlockSize).ToArray();
        HashSet<(int Unit, int Input)> gone;
        if (order == SurgeonOrder.Columns)
        {
            // [H^-1]_jj once all before j have gone is one over what is left of H_jj when all after j make up for it.
            double[] errors = [.. Enumerable.Range(0, Many).Select(j => One(error, j, [.. Enumerable.Range(j + 1, Many - j - 1)]))];
            gone = [.. Least(units, Enumerable.Range(0, SurgeonSweep.BlockSize), errors, drop * 2 / 3)];
            foreach (var (unit, input) in gone.OrderBy(one => one.Input))
            {
                // Inputs after it make up for it, those of the block included.
                int[] after = [.. Enumerable.Range(input + 1, Many - input - 1)];
                var value = units[unit][input];
                foreach (var (i, change) in after.Zip(LeastSquares.Solved([.. after.Select(a
                    => after.Select(b => error.Moments[a][b]).Append(error.Moments[a][input] * value).ToArray())])))
                {
                    units[unit][i] += change;
                }

                units[unit][input] = 0;
            }

            gone.UnionWith(Least(units, later, errors, drop - gone.Count));
        }
        else
        {
            double[] sizes = [.. error.Moments.Select((row, j) => row[j])];
            gone = [.. Least(units, Enumerable.Range(0, Many), sizes, drop).Where(one => one.Input < SurgeonSweep.BlockSize)];
            for (var unit = 0; unit < 3; unit++)
            {
                units[unit] = error.Least(units[unit], [.. Enumerable.Range(0, Many).Where(input => !gone.Contains((unit, input)))]).Weights;
            }

            gone.UnionWith(Least(units, later, sizes, drop - gone.Count));
        }

        Assert.AreEqual(drop, mask.Count - mask.Kept);
        CollectionAssert.AreEquivalent(gone.ToArray(), Enumerable.Range(0, mask.Count).Where(i => !mask[i]).Select(i => (i / Many, i % Many)).ToArray());
    }

    [TestMethod]
    [DataRow(SurgeonOrder.Greedy)]
    [DataRow(SurgeonOrder.Columns)]
    [DataRow(SurgeonOrder.Blocks)]
    public void Each_order_loses_less_than_all_at_once_with_the_same_values_for_what_stays(SurgeonOrder order)
    {
        var (network, rows) = (Network.Mlp(300, 20).Initialize(7), Rows(500, 300));
        var data = Calibrations.Of(rows, rows.Select((_, i) => (float)(i % 20)), LearningTask.Multiclass, Loss.CrossEntropy, 100);
        var error = new LeastSquares(rows, 0.01);
        var units = LeastSquares.Units(network["fc1.weight"]);
        foreach (var granularity in new[] { Granularity.Weight, Granularity.NToM(2, 4) })
        {
            double Lost(SurgeonOrder one)
            {
                var pruned = network.Prune(new SelectionOptions { Granularity = granularity, Amount = granularity.FixedAmount ?? Amount.Fraction(0.7),
                    Importance = new GivenScores(Importance.OptimalBrainSurgeon(500, 0.01, one).On(network, data)) });
                return LeastSquares.Units(pruned.Network["fc1.weight"]).Zip(units, (a, b) => error.Error([.. a.Zip(b, (x, y) => x - y)])).Sum();
            }

            Assert.IsLessThan(Lost(SurgeonOrder.AtOnce), Lost(order), $"{granularity}");
        }
    }

    /// <summary>What is left of half of H_jj when others make up for it.</summary>
    private static double One(LeastSquares error, int j, int[] others)
    {
        var change = LeastSquares.Solved([.. others.Select(a => others.Select(b => error.Moments[a][b]).Append(error.Moments[a][j]).ToArray())]);
        return error.Moments[j][j] - others.Zip(change, (i, x) => error.Moments[j][i] * x).Sum();
    }

    private static IEnumerable<(int Unit, int Input)> Least(double[][] units, IEnumerable<int> inputs, double[] factors, int count)
        => units.SelectMany((row, unit) => inputs.Select(input => (unit, input))).OrderBy(one => units[one.unit][one.input] * units[one.unit][one.input]
            * factors[one.input]).Take(count);

    private static ImportanceScores Scores(PrunedNetwork network, SurgeonOrder order) => Importance.OptimalBrainSurgeon(damping: Damping, order: order)
        .Measure(new(network, Calibrations.Of(s_rows, s_rows.Select((_, i) => (float)(i % Outputs)), LearningTask.Multiclass, Loss.CrossEntropy, 7)));

    private static Network Net() => Network.Mlp(Inputs, Outputs).Initialize(2);

    private static PrunedNetwork Masked(Network network, bool[] kept)
        => new(network, ImmutableDictionary<string, WeightMask>.Empty.Add("fc1.weight", new(kept)));

    /// <summary>Inputs that go together, so that there is something to make up with.</summary>
    private static float[][] Rows(int count, int inputs)
    {
        var random = new Random(6);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, 1 + inputs / 8).Select(_ => random.NextSingle()).ToArray())
            .Select(common => Enumerable.Range(0, inputs).Select(i => common[i / 8] + random.NextSingle() - 0.5f).ToArray())];
    }
}
