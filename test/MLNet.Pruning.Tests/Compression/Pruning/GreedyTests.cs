using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Pipeline.Steps.Prune;
using MLNet.Pruning.Tests.Compression.Pruning.Importances;
using MLNet.Pruning.Tests.Compression.Pruning.Recoveries;

namespace MLNet.Pruning.Tests.Compression.Pruning;

/// <summary>Greedy schedules against backward elimination by brute force.</summary>
[TestClass]
public class GreedyTests
{
    [TestMethod]
    public void Units_go_one_by_one_each_the_one_whose_loss_is_least_without_those_before()
    {
        var (network, data, lossOf) = Case();
        var expected = network;
        for (var i = 0; i < 3; i++)
        {
            expected = expected.Groups().Select(group => expected.Remove([group])).MinBy(lossOf)!;
        }

        var options = new PruningOptions { Amount = Amount.Count(3), Granularity = Granularity.Neuron, Importance = Importance.LossChange(), Normalize = false,
            Schedule = Schedule.OneShot.Greedy(), Recovery = Recovery.None };
        var (pruned, report) = Run(network, options, data);
        Same(expected, pruned.Network);
        Assert.AreEqual(1, report.Steps.Count);
        Assert.AreEqual(3, Enumerable.Range(0, 6).Select(i => report.Decision($"fc1.weight[{i}]"))
            .Concat(Enumerable.Range(0, 5).Select(i => report.Decision($"fc2.weight[{i}]"))).Count(verdict => verdict is { Removed: true, Rank: 1, Round: 1 }));
        // Two steps of the schedule, and as many as it takes of a cost, come to the same units.
        options = options with { Schedule = Schedule.Linear(3).Greedy(), FineTuneEpochs = 0 };
        Same(expected, Run(network, options, data).Network.Network);
        options = options with { Amount = Amount.Parameters(1 - (expected.ParameterCount + 0.5) / network.ParameterCount),
            Schedule = Schedule.OneShot.Greedy() };
        Same(expected, Run(network, options, data).Network.Network);
    }

    [TestMethod]
    public void Weights_go_one_by_one_too()
    {
        var (network, data, lossOf) = Case();
        var values = network["fc3.weight"].Values.ToArray();
        for (var i = 0; i < 4; i++)
        {
            var least = Enumerable.Range(0, values.Length).Where(j => values[j] != 0).MinBy(j => lossOf(network.With("fc3.weight", Without(values, j))));
            values = Without(values, least);
        }

        var (pruned, _) = Run(network, new() { Amount = Amount.Count(4), Scope = Scope.Network.Only("fc3"), Importance = Importance.LossChange(),
            Schedule = Schedule.OneShot.Greedy(), Recovery = Recovery.None }, data);
        CollectionAssert.AreEqual(values, pruned.Network["fc3.weight"].Values.ToArray());
        // Without measuring anew the same amount may go elsewhere; in portions of the whole it is the same.
        var atOnce = Run(network, new() { Amount = Amount.Count(4), Scope = Scope.Network.Only("fc3"), Importance = Importance.LossChange() }, data).Network;
        var whole = Run(network, new() { Amount = Amount.Count(4), Scope = Scope.Network.Only("fc3"), Importance = Importance.LossChange(),
            Schedule = Schedule.OneShot.Greedy(4) }, data).Network;
        CollectionAssert.AreEqual(atOnce.Masks["fc3.weight"].ToArray(), whole.Masks["fc3.weight"].ToArray());
    }

    [TestMethod]
    public void A_batch_takes_no_more_than_a_cost_asks_for()
    {
        var network = Network.Mlp(20, 64, 32, 10).Initialize(4);
        var options = new PruningOptions { Amount = Amount.Parameters(0.35), Granularity = Granularity.Neuron };
        Same(network.Prune(options).Network, network.Prune(options with { Schedule = Schedule.OneShot.Greedy(1000) }).Network);
        // One unit is 52 weights at most.
        Assert.AreEqual(0.65 * network.ParameterCount, network.Prune(options with { Schedule = Schedule.OneShot.Greedy(7) }).Network.ParameterCount, 52);
    }

    [TestMethod]
    public void What_cannot_go_one_by_one_is_refused()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Schedule.OneShot.Greedy(0));
        Assert.ThrowsExactly<ArgumentException>(() => new PruningOptions { Granularity = Granularity.NToM(2, 4), Schedule = Schedule.OneShot.Greedy() }
            .Validate());
        Assert.ThrowsExactly<ArgumentException>(() => new PruningOptions { Granularity = Granularity.Filter, Alignment = 8,
            Schedule = Schedule.OneShot.Greedy() }.Validate());
        var network = Network.Mlp(4, 3, 2).Initialize(1);
        // All but one of three: what is left is counted, though it is no group any more.
        var report = Run(network, new() { Amount = Amount.Count(3), Granularity = Granularity.Neuron, Schedule = Schedule.OneShot.Greedy() }, null).Report;
        Assert.AreEqual((1 - 1.0 / 3, 1), (report.Steps[0].Sparsity, report.Widths.Single().After));
        Assert.ThrowsExactly<PruningTargetException>(() => Run(network,
            new() { Amount = Amount.Parameters(0.9), Granularity = Granularity.Neuron, Schedule = Schedule.OneShot.Greedy() }, null));
    }

    private static float[] Without(float[] values, int index)
    {
        var copy = values.ToArray();
        copy[index] = 0;
        return copy;
    }

    private static void Same(Network expected, Network actual)
    {
        foreach (var parameter in expected.Parameters)
        {
            CollectionAssert.AreEqual(parameter.Values.ToArray(), actual[parameter.Name].Values.ToArray(), parameter.Name);
        }
    }

    private static (Network Network, CalibrationData Data, Func<Network, double> LossOf) Case()
    {
        var rows = RecoveryCase.Rows(24, 4, 5);
        var network = Network.Mlp(4, 6, 5, 3).Initialize(7);
        int[] labels = [.. rows.Select((row, i) => (i + (row[0] > 0 ? 1 : 0)) % 3)];
        return (network, Calibrations.Of(rows, labels.Select(label => (float)label), LearningTask.Multiclass, Loss.CrossEntropy, 24), other =>
        {
            var outputs = RecoveryCase.Outputs(other, rows);
            return rows.Select((_, i) => Math.Log(Enumerable.Range(0, 3).Sum(c => Math.Exp(outputs[i * 3 + c]))) - outputs[i * 3 + labels[i]]).Average();
        });
    }

    private static (PrunedNetwork Network, PruningReport Report) Run(Network network, PruningOptions options, CalibrationData? data)
    {
        options.Validate();
        return new PruningLoop(options, _ => null, (_, _) => throw new InvalidOperationException("nothing is trained"), _ => { }, data)
            .Run(network.Unpruned(), null);
    }
}
