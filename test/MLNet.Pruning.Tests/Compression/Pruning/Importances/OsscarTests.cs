using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Structure;
using MLNet.Pruning.Tests.Compression.Pruning.Recoveries;

namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>The search over groups against all choices there are, by the least squares of each layer that reads them.</summary>
[TestClass]
public class OsscarTests
{
    private const double Damping = 1e-2;
    private const int Hidden = 12, Gone = 8;

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void It_is_no_worse_than_its_start_and_close_to_the_best_of_all_choices(bool isRead)
    {
        var (best, none, greedy) = (0.0, 0.0, 0.0);
        for (var seed = 1; seed <= 8; seed++)
        {
            // Where there is a sum, both the layer in it and the one behind it read the units.
            var network = (isRead ? Network.Sequential([6], Layer.Dense(Hidden, name: "fc1"), Layer.Relu(), Layer.Residual(Layer.Dense(Hidden, name: "fc2")),
                Layer.Relu(), Layer.Dense(4, name: "fc3")) : Network.Mlp(6, Hidden, 4)).Initialize(seed);
            var rows = RecoveryCase.Rows(60, 6, seed);
            var readers = Readers(network, rows, isRead);
            double Error(IReadOnlyCollection<int> kept) => readers.Sum(reader => reader.Error.Least(reader.Units, kept));
            int[] Kept(Importance importance) => [.. new KeptIndices(network, Prune(network, rows, importance)).All("fc1.weight", 0)];

            var least = Choices(Hidden, Hidden - Gone).Min(Error);
            best += least;
            none += Error(Kept(Importance.L1));
            greedy += Error(Kept(Importance.OptimalBrainSurgeon(60, Damping, SurgeonOrder.Greedy)));
            foreach (var start in new[] { null, Importance.L1, Importance.Taylor(60), Importance.Wanda(60) })
            {
                var found = Error(Kept(Importance.Osscar(60, Damping, start)));
                var first = Error(Kept(start ?? Importance.OptimalBrainSurgeon(60, Damping, SurgeonOrder.Greedy)));
                Assert.IsLessThanOrEqualTo(first * (1 + 1e-9), found, $"{start}");
                Assert.IsLessThan(1.6 * least, found, $"{start} of seed {seed}");
            }
        }

        Assert.IsLessThan(none, greedy);
        Assert.IsGreaterThan(best, greedy, "a case that greedy choices do not solve");
    }

    [TestMethod]
    public void What_groups_are_worth_is_what_the_error_rises_by_without_them_or_falls_by_with_them()
    {
        var network = Network.Mlp(6, Hidden, 4).Initialize(3);
        var rows = RecoveryCase.Rows(60, 6, 3);
        var (error, units) = Readers(network, rows, false)[0];
        var context = new ImportanceContext(network.Unpruned(), RecoveryCase.Data(rows, 4));
        var structure = network.Groups();
        var elimination = GroupElimination.Of(structure, structure.Families[0], OptimalBrainSurgeonImportance.Measure(context, "test", 60, Damping), context)!;
        bool[] kept = [.. Enumerable.Range(0, Hidden).Select(group => group % 3 != 0)];
        int[] stay = [.. Enumerable.Range(0, Hidden).Where(group => kept[group])];
        var now = error.Least(units, stay);
        Assert.AreEqual(now, elimination.Error(kept), 1e-6 * now);
        foreach (var (group, worth) in elimination.Worth(kept).Index())
        {
            var other = kept[group] ? error.Least(units, [.. stay.Where(one => one != group)]) : error.Least(units, [.. stay, group]);
            Assert.AreEqual(other - now, worth, 1e-5 * Math.Abs(other - now), $"group {group}");
        }
    }

    [TestMethod]
    public void Filters_before_a_convolution_and_before_a_flatten_are_read_by_kernels_and_by_places()
    {
        // What is left is measured where the filters are read, with the values that optimal brain surgeon gives what stays.
        var network = RecoveryCase.Convolutional();
        var rows = RecoveryCase.Rows(80, 200, 5);
        double Lost(Importance importance)
        {
            var after = importance.On(network, RecoveryCase.Data(rows, 3)).Toward(new(Granularity.Filter, ["conv1.weight"],
                (scores, _) => network.Prune(new SelectionOptions
                {
                    Granularity = Granularity.Filter, Scope = Scope.Layer, Amount = Amount.Fraction(0.5), Importance = new GivenScores(scores),
                })));
            var pruned = network.Prune(new SelectionOptions
            {
                Granularity = Granularity.Filter, Scope = Scope.Layer, Amount = Amount.Fraction(0.5), Importance = new GivenScores(after),
            });
            Assert.AreEqual((3, 2), (pruned.Network["conv1.weight"].Shape[0], pruned.Network["conv2.weight"].Shape[0]));
            return RecoveryCase.Distance(RecoveryCase.Outputs(network, rows), RecoveryCase.Outputs(pruned.Network, rows));
        }

        var plain = RecoveryCase.Distance(RecoveryCase.Outputs(network, rows), RecoveryCase.Outputs(network.Prune(new SelectionOptions
        {
            Granularity = Granularity.Filter, Scope = Scope.Layer, Amount = Amount.Fraction(0.5), Importance = Importance.L1,
        }).Network, rows));
        Assert.IsLessThan(plain, Lost(Importance.Osscar(80)));
    }

    [TestMethod]
    public void Weights_are_chosen_as_the_start_chooses_them()
    {
        var network = Network.Mlp(6, Hidden, 4).Initialize(3);
        var data = RecoveryCase.Data(RecoveryCase.Rows(60, 6, 3), 4);
        var (start, search) = (Importance.Wanda(60).On(network, data), Importance.Osscar(60, start: Importance.Wanda(60)).On(network, data));
        CollectionAssert.AreEqual(start.Weights(network["fc1.weight"]), search.Weights(network["fc1.weight"]));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.Osscar(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Importance.Osscar(damping: double.NaN));
    }

    private static Network Prune(Network network, float[][] rows, Importance importance)
    {
        var options = new SelectionOptions { Granularity = Granularity.Neuron, Scope = Scope.Network, Amount = Amount.Count(Gone) };
        var scores = importance.On(network, RecoveryCase.Data(rows, 4));
        PrunedNetwork Drop(ImportanceScores one) => network.Prune(options with { Importance = new GivenScores(one) });
        return Drop(scores.Toward(new(options.Granularity, ["fc1.weight"], (one, _) => Drop(one)))).Network;
    }

    /// <summary>The layers that read the hidden units: what they read, by the definition of the layers before them, and their units.</summary>
    private static (LeastSquares Error, double[][] Units)[] Readers(Network network, float[][] rows, bool isRead)
    {
        float[][] hidden = [.. rows.Select(row => Rectified(Dense(network, "fc1", row)))];
        var first = (new LeastSquares(hidden, Damping), LeastSquares.Units(network["fc2.weight"]));
        return !isRead ? [first] : [first, (new LeastSquares([.. hidden.Select(row => Rectified([.. Dense(network, "fc2", row).Zip(row, (a, b) => a + b)]))],
            Damping), LeastSquares.Units(network["fc3.weight"]))];
    }

    private static float[] Dense(Network network, string layer, float[] row)
    {
        var (weight, bias) = (network[layer + ".weight"], network[layer + ".bias"]);
        return [.. Enumerable.Range(0, weight.Shape[0]).Select(unit => bias.Values[unit] + row.Index().Sum(one
            => one.Item * weight.Values[unit * row.Length + one.Index]))];
    }

    private static float[] Rectified(float[] values) => Array.ConvertAll(values, value => Math.Max(0, value));

    private static IEnumerable<int[]> Choices(int of, int count) => Enumerable.Range(0, 1 << of)
        .Where(bits => System.Numerics.BitOperations.PopCount((uint)bits) == count)
        .Select(bits => Enumerable.Range(0, of).Where(i => (bits >> i & 1) == 1).ToArray());
}
