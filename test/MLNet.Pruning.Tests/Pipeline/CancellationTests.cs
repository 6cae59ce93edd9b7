using System.Diagnostics;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Compression.Trees;
using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Tests.Compression.Pruning.Importances;
using MLNet.Pruning.Tests.Compression.Pruning.Recoveries;
using MLNet.Pruning.Tests.Compression.Trees;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>
/// Cancellation is answered within 250 ms on a quiet machine. Asserted is four times that, for tests run beside each other; each of these
/// computations goes on for many seconds.
/// </summary>
[TestClass]
public class CancellationTests
{
    private const int Inputs = 3000;

    private static readonly TimeSpan s_latest = TimeSpan.FromSeconds(1);

    [TestMethod]
    [DataRow(100)]
    [DataRow(1500)]
    public void Optimal_brain_surgeon_stops(int milliseconds)
    {
        var (network, data) = Wide();
        Stops(milliseconds, token => Importance.OptimalBrainSurgeon(64).On(network, data with { CancellationToken = token }));
    }

    [TestMethod]
    [DataRow(100)]
    [DataRow(1500)]
    public void What_makes_up_for_weights_stops(int milliseconds)
    {
        var (network, data) = Wide();
        var before = network.Unpruned();
        foreach (var recovery in new[] { Recovery.Reconstruct(64), Recovery.LowRank(30) })
        {
            Stops(milliseconds, token => recovery.Recover(new(before, before.Prune(Amount.Fraction(0.5)), null, data with { CancellationToken = token })));
        }
    }

    [TestMethod]
    [DataRow(TreePruningMethod.ForwardSelection)]
    [DataRow(TreePruningMethod.BackwardElimination)]
    [DataRow(TreePruningMethod.CostComplexity)]
    [DataRow(TreePruningMethod.ReducedError)]
    public void Pruning_of_trees_stops(TreePruningMethod method)
    {
        var ensemble = RandomTrees.Ensemble(new(3), trees: 400);
        Stops(500, token =>
        {
            var rows = RandomTrees.Rows(ensemble, new(4), 40_000, cancellation: token);
            TreePruner.Run(ensemble, rows, rows, new() { Amount = TreeAmount.Trees(300), Method = method, CancellationToken = token });
        });
    }

    [TestMethod]
    public void Optimal_brain_surgeon_measures_layers_in_scope_alone()
    {
        var rows = RecoveryCase.Rows(20, 6, seed: 1);
        var network = Network.Mlp(6, 5, 4, 2).Initialize(1);
        var options = new PruningOptions { Scope = Scope.Network.Except("fc1") };
        var importance = Importance.OptimalBrainSurgeon(20).On(network, RecoveryCase.Data(rows) with { Measured = options.Measured });
        Assert.HasCount(20, importance.Weights(network["fc2.weight"]));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => importance.Weights(network["fc1.weight"])).Message, "it scores fc2.weight, fc3.weight");

        // What makes and reads the neurons of a layer is measured with it.
        var neurons = new PruningOptions { Scope = Scope.Network.Only("fc1"), Granularity = Granularity.Neuron };
        CollectionAssert.AreEquivalent(new[] { "fc1.weight", "fc1.bias", "fc2.weight" }, neurons.Measured(network.Unpruned()).ToArray());
    }

    private static (Network Network, CalibrationData Data) Wide()
    {
        var rows = RecoveryCase.Rows(64, Inputs, seed: 2);
        return (Network.Mlp(Inputs, 64, 2).Initialize(1), RecoveryCase.Data(rows));
    }

    private static void Stops(int milliseconds, Action<CancellationToken> work)
    {
        using var source = new CancellationTokenSource();
        var running = Task.Factory.StartNew(() => work(source.Token), TaskCreationOptions.LongRunning);
        Assert.IsFalse(((IAsyncResult)running).AsyncWaitHandle.WaitOne(milliseconds), "it ended before it was cancelled");
        var asked = Stopwatch.GetTimestamp();
        source.Cancel();
        ((IAsyncResult)running).AsyncWaitHandle.WaitOne();
        var latency = Stopwatch.GetElapsedTime(asked);
        Assert.IsInstanceOfType<OperationCanceledException>(running.Exception?.InnerException, $"{running.Exception}");
        Assert.IsLessThan(s_latest, latency);
        Console.WriteLine($"{latency.TotalMilliseconds:f0} ms");
    }
}
