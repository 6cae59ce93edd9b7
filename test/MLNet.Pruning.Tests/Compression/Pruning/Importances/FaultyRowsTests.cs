using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Data;
using MLNet.Pruning.Tests.Compression.Pruning.Recoveries;

namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>
/// Rows that say too little: fewer than there are columns, with inputs that are always zero, always the same or twice there, and a network with units that are
/// dead or constant on them. No second moments have an inverse then.
/// </summary>
[TestClass]
public class FaultyRowsTests
{
    private const int Inputs = 24, Hidden = 16, Classes = 3, RowCount = 10;

    private static readonly float[][] s_rows = [.. RecoveryCase.Rows(RowCount, Inputs, 9).Select(row => (float[])[0, 0, 5, row[4], .. row[4..]])];

    private static readonly CalibrationData s_data = RecoveryCase.Data(s_rows, Classes);

    private static IEnumerable<object[]> OfWeights { get; } =
    [
        [Importance.AbsoluteTaylor()], [Importance.DiagonalHessian()], [Importance.Fisher()], [Importance.Gradient()], [Importance.Grasp()],
        [Importance.Movement()], [Importance.Snip()], [Importance.Taylor()], [Importance.Wanda()], [Importance.Ria()], [Importance.WoodFisher()],
        [Importance.OptimalBrainSurgeon()], [Importance.OptimalBrainSurgeon(order: SurgeonOrder.Greedy)], [Importance.CombinatorialBrainSurgeon()],
        [Importance.OptimalBrainSurgeon(order: SurgeonOrder.Columns)], [Importance.OptimalBrainSurgeon(order: SurgeonOrder.Blocks)],
        [Importance.CombinatorialBrainSurgeon(curvature: Curvature.EmpiricalFisher)],
    ];

    private static IEnumerable<object[]> OfGroups { get; } =
    [
        [Importance.Taylor()], [Importance.Wanda()], [Importance.OptimalBrainSurgeon()], [Importance.OptimalBrainSurgeon(order: SurgeonOrder.Greedy)],
        [Importance.Osscar()], [Importance.Osscar(start: Importance.L1)], [Importance.ActivationMean()], [Importance.ActivationVariance()],
        [Importance.NonzeroActivations()], [Importance.LossChange()],
    ];

    private static IEnumerable<object[]> Recoveries { get; } =
    [
        [Recovery.Reconstruct()], [Recovery.Reconstruct(damping: null)], [Recovery.Reconstruct(damping: 1e-6)], [Recovery.Recalibrate()],
        [Recovery.MergeNearest()],
    ];

    [TestMethod]
    [DynamicData(nameof(OfWeights))]
    public void Half_of_the_weights_go_and_finite_ones_stay(Importance importance)
    {
        foreach (var granularity in new[] { Granularity.Weight, Granularity.NToM(2, 4), Granularity.WeightBlock(1, 4) })
        {
            var pruned = Net().Prune(new SelectionOptions
            {
                Amount = Amount.Fraction(0.5), Granularity = granularity, Importance = new GivenScores(importance.On(Net(), s_data)),
                Scope = Scope.Network.Except("fc2", "fc3"),
            });
            Assert.AreEqual(Inputs * Hidden / 2, pruned.Masks["fc1.weight"].Kept, $"{granularity}");
            Finite(pruned.Network, $"{importance} of {granularity}");
        }
    }

    [TestMethod]
    [DynamicData(nameof(OfGroups))]
    public void Half_of_the_neurons_go_and_finite_weights_stay(Importance importance)
    {
        var pruned = Net().Prune(new SelectionOptions
        {
            Amount = Amount.Fraction(0.5), Granularity = Granularity.Neuron, Scope = Scope.Layer, Importance = new GivenScores(importance.On(Net(), s_data)),
        });
        Assert.AreEqual((Hidden / 2, Hidden / 2), (pruned.Network["fc1.weight"].Shape[0], pruned.Network["fc2.weight"].Shape[0]));
        Finite(pruned.Network, importance.ToString()!);
    }

    [TestMethod]
    [DynamicData(nameof(Recoveries))]
    public void What_makes_up_for_it_gives_finite_weights(Recovery recovery)
    {
        foreach (var granularity in new[] { Granularity.Weight, Granularity.Neuron })
        {
            if (granularity == Granularity.Weight && recovery.ToString() == Recovery.MergeNearest().ToString())
            {
                // For what is removed alone.
                continue;
            }

            var pruned = Net().Prune(Amount.Fraction(0.5), Importance.L1, granularity, Scope.Layer);
            Finite(recovery.Recover(new(Net().Unpruned(), pruned, new(), s_data)).Network, $"{recovery} of {granularity}");
        }
    }

    [TestMethod]
    public void A_row_that_is_not_a_number_is_refused_by_its_place()
    {
        var ml = new Microsoft.ML.MLContext(1);
        var rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(i => new Point { Features = [i, i == 7 ? float.NaN : 1], Label = i % 2 == 0 }));
        var network = new LoadNetworkOptions { Network = Network.Mlp(2, 8, 1).Initialize(1) };
        foreach (Microsoft.ML.IEstimator<NeuralNetworkTransformer> step in new Microsoft.ML.IEstimator<NeuralNetworkTransformer>[]
        {
            Microsoft.ML.OneShotCatalog.PruneOneShot(ml.Transforms, 0.5),
            Microsoft.ML.PruningCatalog.Prune(ml.Transforms, new PruningOptions { Importance = Importance.Osscar(), Granularity = Granularity.Neuron }),
        })
        {
            var loaded = Microsoft.ML.LoadNetworkCatalog.LoadNetwork(ml.Transforms, network).Fit(rows);
            StringAssert.Contains(Assert.ThrowsExactly<TrainingDataException>(() => step.Fit(loaded.Transform(rows))).Message, "is NaN");
        }
    }

    /// <summary>Unit 3 is never above zero, unit 4 always the same.</summary>
    private static Network Net()
    {
        var network = Network.Mlp(Inputs, Hidden, Hidden, Classes).Initialize(2);
        var (weight, bias) = (network["fc1.weight"].Values.ToArray(), network["fc1.bias"].Values.ToArray());
        weight.AsSpan(4 * Inputs, Inputs).Clear();
        (bias[3], bias[4]) = (-100, 3);
        return network.With("fc1.weight", weight).With("fc1.bias", bias);
    }

    private static void Finite(Network network, string what)
    {
        foreach (var parameter in network.Parameters)
        {
            Assert.IsTrue(parameter.Values.ToArray().All(float.IsFinite), $"{what}: {parameter.Name}");
        }

        Assert.IsTrue(RecoveryCase.Outputs(network, s_rows).All(float.IsFinite), what);
    }

    private sealed class Point
    {
        [Microsoft.ML.Data.VectorType(2)]
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }
}
