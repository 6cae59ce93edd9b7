namespace MLNet.Pruning.Tests.Compression.Pruning.Recoveries;

/// <summary>Merging removed units into their neighbours: exact where they are multiples of each other, else the nearest and its best factor.</summary>
[TestClass]
public class MergeNearestTests
{
    [TestMethod]
    public void Multiples_of_a_unit_that_stays_are_merged_exactly()
        // Behind a rectifier positive multiples stay multiples.
        => Same(Network.Mlp(5, 8, 3).Initialize(3).Tied(["fc1.weight", "fc1.bias"], 4, 1, 2.5f).Tied(["fc1.weight", "fc1.bias"], 6, 1, 0.5f)
            .Tied(["fc1.weight", "fc1.bias"], 7, 2), "fc1", [4, 6, 7], 5);

    [TestMethod]
    public void Filters_are_merged_through_normalisation_and_pooling()
        => Same(RecoveryCase.Convolutional().Tied(["conv1.weight", "conv1.bias", "bn1.weight", "bn1.bias"], 1, 3), "conv1", [1], 200);

    [TestMethod]
    public void Filters_are_merged_behind_a_flatten()
        => Same(RecoveryCase.Convolutional().Tied(["conv2.weight", "bn2.weight", "bn2.bias"], 2, 0), "conv2", [2], 200);

    [TestMethod]
    public void The_neighbour_is_the_one_of_largest_cosine_with_the_factor_that_fits_best()
    {
        var network = Network.Mlp(5, 6, 3).Initialize(9);
        var rows = RecoveryCase.Rows(50, 5, 1);
        var (_, recovered) = RecoveryCase.Without(network, "fc1", [2], Recovery.MergeNearest(), RecoveryCase.Data(rows));
        var hidden = rows.Select(row => Enumerable.Range(0, 6).Select(unit => Math.Max(0,
            network["fc1.bias"].Values[unit] + Enumerable.Range(0, 5).Sum(i => (double)row[i] * network["fc1.weight"].Values[unit * 5 + i]))).ToArray())
                .ToArray();
        double Product(int a, int b) => hidden.Sum(row => row[a] * row[b]);
        int[] others = [0, 1, 3, 4, 5];
        var nearest = others.MaxBy(unit => Product(2, unit) / Math.Sqrt(Product(unit, unit)));
        var factor = Product(2, nearest) / Product(nearest, nearest);
        for (var output = 0; output < 3; output++)
        {
            for (var i = 0; i < 5; i++)
            {
                var weights = network["fc2.weight"].Values;
                var expected = weights[output * 6 + others[i]] + (others[i] == nearest ? factor * weights[output * 6 + 2] : 0);
                Assert.AreEqual(expected, recovered["fc2.weight"].Values[output * 5 + i], 1e-5, $"from {others[i]} to {output}");
            }
        }
    }

    [TestMethod]
    public void Pieces_that_stay_as_zeros_are_refused()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Recovery.MergeNearest(0));
        var options = new PruningOptions { Recovery = Recovery.Reconstruct().Then(Recovery.MergeNearest()) };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(options.Validate).Message, "'Weight' are set to zero");
        options = options with { Granularity = Granularity.Layer };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(options.Validate).Message, "whole layers");
    }

    private static void Same(Network network, string layer, int[] numbers, int width)
    {
        var (removed, recovered) = RecoveryCase.Without(network, layer, numbers, Recovery.MergeNearest(), RecoveryCase.Data(RecoveryCase.Rows(64, width, 1)));
        var other = RecoveryCase.Rows(30, width, 2);
        var expected = RecoveryCase.Outputs(network, other);
        Assert.IsGreaterThan(0.1, RecoveryCase.Distance(expected, RecoveryCase.Outputs(removed, other)), "there is something to make up for");
        Close.AreEqual(expected, RecoveryCase.Outputs(recovered, other), 1e-4, "outputs");
    }
}
