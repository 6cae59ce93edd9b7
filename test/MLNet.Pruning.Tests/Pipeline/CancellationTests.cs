using System.Diagnostics;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Pipeline.Steps.PruneTrees;
using MLNet.Pruning.Tests.Compression.Pruning.Importances;
using MLNet.Pruning.Tests.Compression.Pruning.Recoveries;
using MLNet.Pruning.Tests.Compression.Trees;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>
/// Cancellation is answered within 250 ms on a quiet machine. Asserted is four times that, for tests run beside each other; each of these
/// computations is begun again until it is cancelled, so that it does not matter how fast a machine is.
/// </summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public class CancellationTests
{
    private const int Inputs = 3000;

    private static readonly TimeSpan s_latest = TimeSpan.FromSeconds(1);

    private static readonly double[] s_sparsities = [.. Enumerable.Range(1, 99).Select(percent => percent / 100.0)];

    private static readonly Lazy<(NeuralNetworkTransformer, IDataView)> s_large = new(() => Large(2048));

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
        foreach (var recovery in new[] { Recovery.Reconstruct(64), Recovery.Newton(64), Recovery.LowRank(30) })
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
            TreePruner.Run(new([ensemble]), rows, rows, new() { Budget = Budget.Trees(300), Method = method, CancellationToken = token });
        });
    }

    [TestMethod]
    [DataRow(50)]
    [DataRow(900)]
    [DataRow(2000)]
    public void An_automatic_pruning_stops(int milliseconds)
    {
        foreach (var (granularity, strategy, budget) in new[]
        {
            (Granularity.Weight, SearchStrategy.Evolutionary(500, 500), Budget.Parameters(1_000_000)),
            (Granularity.Weight, SearchStrategy.SensitivityGuided, Budget.MultiplyAdds(1_000_000)),
            (Granularity.Unit, SearchStrategy.Evolutionary(500, 500), Budget.Parameters(1_000_000)),
            (Granularity.Unit, SearchStrategy.SensitivityGuided, Budget.Bytes(10_000_000)),
            (Granularity.Unit, SearchStrategy.LearnedPolicy(500, 500), Budget.Latency(1)),
        })
        {
            Stops(milliseconds, (model, rows, token) => new MLContext(1).Transforms.AutoPrune(new AutoPruneOptions
            {
                Budget = budget,
                Granularity = granularity,
                Importance = Importance.Taylor(),
                Sparsities = s_sparsities,
                Strategy = strategy,
                MaximumTrials = 100_000,
                CancellationToken = token,
            }).Fit(model.Transform(rows)));
        }
    }

    [TestMethod]
    [DataRow(50)]
    [DataRow(900)]
    [DataRow(2000)]
    public void Sensitivity_stops(int milliseconds)
    {
        foreach (var granularity in new[] { Granularity.Weight, Granularity.Unit, Granularity.Row })
        {
            Stops(milliseconds, (model, rows, token) => new MLContext(1).Compression()
                .Sensitivity(model, rows, new() { Granularity = granularity, Sparsities = s_sparsities, CancellationToken = token }));
        }
    }

    [TestMethod]
    public void Criteria_over_data_stop()
    {
        Importance[] weights =
        [
            Importance.Taylor(), Importance.AbsoluteTaylor(), Importance.Fisher(), Importance.Gradient(), Importance.Grasp(), Importance.Snip(),
            Importance.DiagonalHessian(), Importance.DiagonalHessian(probes: 2), Importance.Movement(), Importance.Wanda(),
            Importance.WandaPlusPlus(), Importance.SynFlow,
        ];
        Importance[] units =
        [
            .. weights, Importance.LossChange(), Importance.ActivationMean(), Importance.ActivationVariance(), Importance.NonzeroActivations(),
            Importance.GeometricMedian,
        ];
        foreach (var (importance, granularity) in weights.Select(one => (one, Granularity.Weight)).Concat(units.Select(one => (one, Granularity.Unit)))
            .Prepend((Importance.LossChange(), Granularity.Weight)))
        {
            Stops(300, Step(new() { Importance = importance, Granularity = granularity, Schedule = Schedule.Linear(200) }));
        }
    }

    [TestMethod]
    public void Selections_stop()
    {
        foreach (var (granularity, scope) in new[]
        {
            (Granularity.Weight, Scope.Network), (Granularity.Weight, Scope.Layer), (Granularity.Weight, Scope.Distributed(Distribution.Lamp)),
            (Granularity.Row, Scope.Network), (Granularity.Column, Scope.Distributed(Distribution.Lamp)), (Granularity.WeightBlock(2, 4), Scope.Network),
            (Granularity.Unit, Scope.Layer),
        })
        {
            Stops(500, Step(new() { Granularity = granularity, Scope = scope, Schedule = Schedule.Linear(1000) }));
        }
    }

    [TestMethod]
    public void Sparse_trainings_stop()
    {
        // Of a third of the parameters: an operator of torch is not stopped in its middle.
        var (model, rows) = Large(1024);
        foreach (var training in new[]
        {
            SparseTraining.Gradual(every: 2), SparseTraining.Soft(every: 2), SparseTraining.Surgery(every: 2), SparseTraining.RigL(every: 2),
            SparseTraining.Set(every: 2), SparseTraining.L0(), SparseTraining.VariationalDropout(),
        })
        {
            Stops(500, token => Step(new() { Training = training, FineTuneEpochs = 1000 })(model, rows, token));
        }
    }

    [TestMethod]
    public void Optimal_brain_surgeon_measures_layers_in_scope_alone()
    {
        var rows = RecoveryCase.Rows(20, 6, seed: 1);
        var network = Network.Mlp(6, 5, 4, 2).Initialize(1);
        var options = new PruningOptions { Scope = Scope.Network.Except("fc1") };
        var importance = Importance.OptimalBrainSurgeon(20).On(network, RecoveryCase.Data(rows) with { Measured = options.Measured });
        Assert.HasCount(20, importance.Weights(network["fc2.weight"]));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => importance.Weights(network["fc1.weight"])).Message,
            "it scores fc2.weight, fc3.weight");

        // What makes and reads the neurons of a layer is measured with it.
        var neurons = new PruningOptions { Scope = Scope.Network.Only("fc1"), Granularity = Granularity.Neuron };
        CollectionAssert.AreEquivalent(new[] { "fc1.weight", "fc1.bias", "fc2.weight" }, neurons.Measured(network.Unpruned()).ToArray());
    }

    private static (Network Network, CalibrationData Data) Wide()
    {
        var rows = RecoveryCase.Rows(64, Inputs, seed: 2);
        return (Network.Mlp(Inputs, 64, 2).Initialize(1), RecoveryCase.Data(rows));
    }

    private static Action<NeuralNetworkTransformer, IDataView, CancellationToken> Step(PruningOptions options) => (model, rows, token) =>
    {
        options = options with { Amount = Amount.Fraction(0.9), CancellationToken = token };
        new MLContext(1).Transforms.Prune(options).Fit(model.Transform(rows));
    };

    private static void Stops(int milliseconds, Action<NeuralNetworkTransformer, IDataView, CancellationToken> work)
    {
        var (model, rows) = s_large.Value;
        Stops(milliseconds, token => work(model, rows, token));
    }

    /// <summary>A network with two hidden layers, of six million parameters where they have 2048 neurons, and 2000 rows.</summary>
    private static (NeuralNetworkTransformer, IDataView) Large(int neurons)
    {
        var ml = new MLContext(1);
        var rows = ml.Data.LoadFromEnumerable(RecoveryCase.Rows(2000, 784, seed: 3)
            .Select((row, i) => new Row { Features = row, Label = (uint)(i % 10) }).ToArray());
        return (ml.Transforms.LoadNetwork(Network.Mlp(784, neurons, neurons, 10).Initialize(1)).Fit(rows), rows);
    }

    /// <summary>Work stops soon after it is cancelled.</summary>
    private static void Stops(int milliseconds, Action<CancellationToken> work)
    {
        var latency = Latency(milliseconds, work);
        Assert.IsLessThan(s_latest, latency);
        Console.WriteLine($"{latency.TotalMilliseconds:f0} ms");
    }

    private static TimeSpan Latency(int milliseconds, Action<CancellationToken> work)
    {
        using var source = new CancellationTokenSource();
        var running = Task.Factory.StartNew(() =>
        {
            while (true)
            {
                work(source.Token);
            }
        }, TaskCreationOptions.LongRunning);
        Assert.IsFalse(((IAsyncResult)running).AsyncWaitHandle.WaitOne(milliseconds), $"it ended before it was cancelled: {running.Exception?.InnerException}");
        var asked = Stopwatch.GetTimestamp();
        source.Cancel();
        ((IAsyncResult)running).AsyncWaitHandle.WaitOne();
        var latency = Stopwatch.GetElapsedTime(asked);
        Assert.IsInstanceOfType<OperationCanceledException>(running.Exception?.InnerException, $"{running.Exception}");
        return latency;
    }

    private sealed class Row
    {
        [VectorType(784)]
        public float[] Features { get; set; } = [];

        [KeyType(10)]
        public uint Label { get; set; }
    }
}
