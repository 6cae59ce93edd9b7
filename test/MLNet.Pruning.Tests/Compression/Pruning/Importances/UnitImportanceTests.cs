using System.Collections.Immutable;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Data;
using MLNet.Pruning.Pipeline.Steps.Prune;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>Criteria that score slices and groups.</summary>
[TestClass]
public class UnitImportanceTests
{
    private static IEnumerable<object[]> Activations { get; } =
    [
        [Importance.ActivationMean(), (UnitStatistics unit) => unit.Mean], [Importance.ActivationVariance(), (UnitStatistics unit) => unit.Variance],
        [Importance.NonzeroActivations(), (UnitStatistics unit) => unit.Nonzeros],
    ];

    [TestMethod]
    [DynamicData(nameof(Activations))]
    public void Activations_are_those_of_torch(object criterion, object choose)
    {
        var (importance, statistic) = ((Importance)criterion, (Func<UnitStatistics, float[]>)choose);
        foreach (var fixture in new[] { ImportanceFixture.Case("dense"), ImportanceFixture.Case("images") })
        {
            var network = fixture.Network();
            foreach (var batch in new[] { 12, 5 })
            {
                var measured = importance.On(network, fixture.Data(batch));
                foreach (var (weight, unit) in fixture.Units)
                {
                    Close.AreEqual(statistic(unit), Array.ConvertAll(measured.Slices(network[weight], 0), score => (float)score), 1e-5,
                        $"{importance} of {weight}");
                }
            }
        }
    }

    [TestMethod]
    [DynamicData(nameof(Activations))]
    public void The_least_active_filters_go(object criterion, object choose)
    {
        var fixture = ImportanceFixture.Case("images");
        var network = fixture.Network();
        var options = new PruningOptions { Amount = Amount.Count(2), Importance = (Importance)criterion, Granularity = Granularity.Filter,
            Scope = Scope.Network.Only("conv1") };
        var pruned = Loop(options, fixture).Run(Unpruned(network), null).Network.Network;
        var scores = ((Func<UnitStatistics, float[]>)choose)(fixture.Units["conv1.weight"]);
        // conv2 has two groups, so that its inputs 0 and 2, 1 and 3 go together: a group is worth the mean of its filters.
        Assert.AreEqual(2, pruned["conv1.weight"].Shape[0]);
        var kept = scores[0] + scores[2] > scores[1] + scores[3] ? 0 : 1;
        CollectionAssert.AreEqual(network["conv1.weight"].Values.Slice(kept * 18, 18).ToArray(), pruned["conv1.weight"].Values[..18].ToArray());
    }

    [TestMethod]
    public void Single_weights_have_no_activation()
    {
        var fixture = ImportanceFixture.Case("dense");
        var network = fixture.Network();
        var measured = Importance.ActivationMean().On(network, fixture.Data());
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => measured.Weights(network["fc1.weight"])).Message,
            "Importance.ActivationMean");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => measured.Slices(network["fc1.weight"], 1)).Message, "along dimension 1");
    }

    [TestMethod]
    public void Batch_norm_scales_choose_filters_and_slices()
    {
        var network = Network.Sequential([1, 4, 4], Layer.Conv2d(4, 3), Layer.BatchNorm(), Layer.Relu(), Layer.Flatten(), Layer.Dense(2)).Initialize(1)
            .With("bn1.weight", [0.5f, -0.1f, 0.2f, -0.9f]);
        var removed = network.Prune(Amount.Count(2), Importance.BatchNormScale, Granularity.Filter).Network;
        CollectionAssert.AreEqual(new[] { 0.5f, -0.9f }, removed["bn1.weight"].Values.ToArray());
        var mask = network.Prune(Amount.Count(2), Importance.BatchNormScale, Granularity.Slice(0), Scope.Layer.Only("conv1")).Masks["conv1.weight"];
        CollectionAssert.AreEqual(new[] { true, false, false, true }, Enumerable.Range(0, 4).Select(filter => mask[filter * 9]).ToArray());
    }

    [TestMethod]
    public void A_group_without_batch_norm_is_named()
    {
        var error = Assert.ThrowsExactly<InvalidOperationException>(() =>
            Network.Mlp(3, 4, 2).Initialize(1).Prune(Amount.Count(1), Importance.BatchNormScale, Granularity.Neuron));
        StringAssert.Contains(error.Message, "Importance.BatchNormScale does not say what Neuron 0 of layer 'fc1' is worth");
    }

    [TestMethod]
    public void The_filter_nearest_to_all_others_goes_first()
    {
        // Rows at 0, 1 and 5 on a line: distances add up to 6, 5 and 9. Magnitude would drop the first.
        var network = Network.Mlp(2, 3, 2).Initialize(1).With("fc1.weight", [0, 0, 0.6f, 0.8f, 3, 4]);
        var scores = Importance.GeometricMedian.On(network, null).Slices(network["fc1.weight"], 0);
        Assert.AreEqual(6, scores[0], 1e-6);
        Assert.AreEqual(5, scores[1], 1e-6);
        Assert.AreEqual(9, scores[2], 1e-6);
        CollectionAssert.AreEqual(new float[] { 0, 0, 3, 4 },
            network.Prune(Amount.Count(1), Importance.GeometricMedian, Granularity.Neuron).Network["fc1.weight"].Values.ToArray());
        // Columns (0, 0.6, 3) and (0, 0.8, 4).
        Assert.AreEqual(Math.Sqrt(0.04 + 1), Importance.GeometricMedian.On(network, null).Slices(network["fc1.weight"], 1)[0], 1e-6);
        Assert.ThrowsExactly<InvalidOperationException>(() => network.Prune(Amount.Count(1), Importance.GeometricMedian));
    }

    [TestMethod]
    public void The_group_whose_removal_raises_the_loss_least_goes()
    {
        var fixture = ImportanceFixture.Case("dense");
        var network = fixture.Network();
        var data = fixture.Data();
        double LossOf(Network other)
        {
            var all = fixture.Data(12).Rows;
            all.Split(0, 0);
            using var scorer = new TorchScorer(other, softmax: true, 12);
            for (var i = 0; i < 12; i++)
            {
                all.Row(i).CopyTo(scorer.Rows.AsSpan(i * 5));
            }

            scorer.Run(12);
            return Enumerable.Range(0, 12).Average(i => -Math.Log(scorer.Scores(i)[fixture.Targets[i]]));
        }

        var groups = network.Groups().Where(group => group.Layer == "fc2").ToArray();
        var best = groups.MinBy(group => LossOf(network.Remove([group])))!;
        var options = new PruningOptions { Amount = Amount.Count(1), Importance = Importance.LossChange(), Granularity = Granularity.Neuron,
            Scope = Scope.Network.Only("fc2") };
        var pruned = Loop(options, fixture).Run(Unpruned(network), null).Network.Network;
        CollectionAssert.AreEqual(network.Remove([best])["fc2.weight"].Values.ToArray(), pruned["fc2.weight"].Values.ToArray());

        var rows = Importance.LossChange().On(network, data).Slices(network["fc2.weight"], 0);
        for (var row = 0; row < rows.Length; row++)
        {
            var without = network["fc2.weight"].Values.ToArray();
            without.AsSpan(row * 8, 8).Clear();
            Assert.AreEqual(LossOf(network.With("fc2.weight", without)) - LossOf(network), rows[row], 1e-6, $"row {row}");
        }
    }

    [TestMethod]
    public void Blocks_go_by_the_loss_without_them()
    {
        // Three blocks x + f(x); f of the second is zero, so that its removal changes nothing, though its weights are not the smallest.
        Layer Block(string name) => Layer.Residual(Layer.Dense(4, name: name + "a"), Layer.Relu(), Layer.Dense(4, name: name + "b"));
        var network = Network.Sequential([4], Block("one"), Block("two"), Block("three"), Layer.Dense(2, name: "head")).Initialize(4);
        network = network.With("twob.weight", new float[16]).With("twob.bias", new float[4]).With("twoa.weight", Enumerable.Repeat(9f, 16).ToArray());
        var random = new Random(1);
        var rows = Enumerable.Range(0, 20).Select(_ => Enumerable.Range(0, 4).Select(_ => random.NextSingle() - 0.5f).ToArray()).ToArray();
        // Labels that the network itself gives: every other block is worth something.
        using var scorer = new TorchScorer(network, softmax: false, 20);
        rows.SelectMany(row => row).ToArray().CopyTo(scorer.Rows, 0);
        scorer.Run(20);
        var labels = Enumerable.Range(0, 20).Select(i => scorer.Scores(i)[0] > scorer.Scores(i)[1] ? 0f : 1f).ToArray();
        var options = new PruningOptions { Amount = Amount.Count(1), Importance = Importance.LossChange(), Granularity = Granularity.Block };
        var data = Calibrations.Of(rows, labels, LearningTask.Multiclass, Loss.CrossEntropy);
        var measured = options.Importance.On(network, data);
        var changes = BlockRemoval.Find(network, false).Select(block => Math.Abs(measured.ScoreRemoval(() => BlockRemoval.Remove(network, [block]))!.Value))
            .ToArray();
        Assert.AreEqual(0, changes[1], 1e-7);
        Assert.IsGreaterThan(1e-4, changes[0]);
        Assert.IsGreaterThan(1e-4, changes[2]);
    }

    private static PrunedNetwork Unpruned(Network network) => new(network, ImmutableDictionary<string, WeightMask>.Empty);

    private static PruningLoop Loop(PruningOptions options, ImportanceCase fixture)
        => new(options, _ => null, (_, _) => throw new InvalidOperationException("nothing is trained"), _ => { }, fixture.Data());
}
