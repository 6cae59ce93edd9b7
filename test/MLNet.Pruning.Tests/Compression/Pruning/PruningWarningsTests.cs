using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Tests.Cases;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLNet.Pruning.Tests.Compression.Pruning;

/// <summary>What a pruning empties, leaves out or does not do is said; a floor keeps layers from being emptied.</summary>
[TestClass]
public class PruningWarningsTests
{
    private static Network Collapsing => Network.FromOnnx(Case.File("collapse"));

    [TestMethod]
    public void A_layer_that_is_emptied_and_outputs_that_become_constant_are_told()
    {
        var (pruned, report) = Prune(Collapsing, new() { Amount = Amount.Fraction(0.8) });
        var middle = pruned.Layers.Single(layer => layer.Weights.Any(weight => pruned[weight].Values.IndexOfAnyExcept(0f) < 0));
        Assert.Contains(warning => warning.Contains($"'{middle.Node.Name}' has nothing left: all 4,096 values"), report.Warnings);
        Assert.Contains(warning => warning.StartsWith($"Output '{pruned.Outputs[0].Name}' no longer depends"), report.Warnings);
        StringAssert.Contains(report.ToString(), "warning: Layer");

        // What is told of outputs is so: rows as different as can be give the same.
        float[][] rows = [.. new[] { -1f, 0, 1 }.Select(value => Enumerable.Repeat(value, 32).ToArray())];
        var outputs = Recoveries.RecoveryCase.Outputs(pruned, rows);
        CollectionAssert.AreEqual(outputs[..8], outputs[8..16]);
        Assert.IsEmpty(Prune(Collapsing, new() { Amount = Amount.Fraction(0.4) }).Report.Warnings);
    }

    [TestMethod]
    public void Single_values_of_an_output_that_become_constant_are_told()
    {
        var network = Network.Mlp(6, 5, 3).Initialize(1);
        var weights = network["fc2.weight"].Values.ToArray();
        weights.AsSpan(5, 5).Fill(1e-6f);
        var (_, report) = Prune(network.With("fc2.weight", weights), new() { Amount = Amount.Count(5) });
        Assert.HasCount(1, report.Warnings);
        StringAssert.Contains(report.Warnings[0], "1 of the 3 values of output");
    }

    [TestMethod]
    [DataRow(0.7)]
    [DataRow(0.9)]
    [DataRow(0.97)]
    public void A_floor_holds_for_each_layer_and_others_give_more(double sparsity)
    {
        const double Kept = 0.05;
        var network = Collapsing;
        var (pruned, report) = Prune(network, new() { Amount = Amount.Fraction(sparsity), MinimumKept = Kept });

        // Brute force: all weights from the least on, those of a layer at its floor passed over.
        var names = network.Layers.SelectMany(layer => layer.Weights).ToArray();
        var left = names.ToDictionary(name => name, name => network[name].Count);
        var target = (long)Math.Round(sparsity * left.Values.Sum(), MidpointRounding.ToEven);
        var dropped = names.ToDictionary(name => name, _ => new HashSet<int>());
        foreach (var (name, i) in names.SelectMany(name => Enumerable.Range(0, network[name].Count).Select(i => (name, i)))
            .OrderBy(one => Math.Abs(network[one.name].Values[one.i])))
        {
            if (target > 0 && left[name] > (int)(Kept * network[name].Count))
            {
                left[name]--;
                target--;
                dropped[name].Add(i);
            }
        }

        foreach (var name in names)
        {
            var zeros = Enumerable.Range(0, network[name].Count).Where(i => pruned[name].Values[i] == 0).ToArray();
            CollectionAssert.AreEqual(dropped[name].Order().ToArray(), zeros, name);
        }

        Assert.AreEqual(target > 0, report.Warnings.Any(warning => warning.Contains("is not reached: MinimumKept 0.05 keeps")));
        Assert.DoesNotContain(warning => warning.Contains("has nothing left"), report.Warnings);
    }

    [TestMethod]
    public void A_floor_holds_for_rows_for_groups_and_for_a_rule_of_its_own()
    {
        var network = Collapsing;
        var middle = network.Layers.Where(layer => layer.Weights.Length > 0).ElementAt(1);
        var rows = Prune(network, new() { Amount = Amount.Fraction(0.6), Granularity = Granularity.Row, MinimumKept = 0.25 }).Network;
        var weight = rows[middle.Weights[0]];
        Assert.AreEqual(16, Enumerable.Range(0, 64).Count(row => weight.Values.Slice(row * 64, 64).IndexOfAnyExcept(0f) >= 0));

        var (_, neurons) = Prune(network, new() { Amount = Amount.Fraction(0.9), Granularity = Granularity.Neuron, MinimumKept = 0.5, Alignment = 1 });
        Assert.IsTrue(neurons.Widths.All(width => width.After >= width.Before / 2), neurons.ToString());
        Assert.IsTrue(neurons.Warnings.Any(warning => warning.Contains("is not reached: MinimumKept 0.5 keeps")), neurons.ToString());
        var (_, inTurn) = Prune(network, new() { Amount = Amount.Fraction(0.9), MinimumKept = 0.5, FineTuneEpochs = 0,
            Schedule = Schedule.OneShot.BottomUp() });
        Assert.IsTrue(inTurn.Warnings.Any(warning => warning.Contains("is not reached: MinimumKept 0.5 keeps")), inTurn.ToString());

        var ruled = Prune(network, new() { Amount = Amount.Fraction(0.95), Scope = Scope.Layer,
            Layers = [LayerRule.Named(middle.Weights[0], minimumKept: 0.5)] }).Network;
        Assert.AreEqual(2048, Liveness.NonZeros(ruled[middle.Weights[0]].Values));
    }

    [TestMethod]
    public void A_greedy_schedule_ends_where_the_floor_is_reached()
    {
        var (pruned, report) = Prune(Network.Mlp(4, 3, 2).Initialize(1),
            new() { Amount = Amount.Fraction(0.9), MinimumKept = 0.5, Schedule = Schedule.OneShot.Greedy() });
        Assert.AreEqual(6, Liveness.NonZeros(pruned["fc1.weight"].Values));
        Assert.AreEqual(3, Liveness.NonZeros(pruned["fc2.weight"].Values));
        Assert.Contains(warning => warning.Contains("is not reached"), report.Warnings);
    }

    [TestMethod]
    public void A_request_that_takes_nothing_says_why()
    {
        var network = Network.FromOnnx(Case.File("se_block"));
        var blocks = Prune(network, new() { Amount = Amount.Fraction(0.5), Granularity = Granularity.Block }).Report;
        Assert.Contains(warning => warning.StartsWith("Nothing was pruned by Fraction(0.5) of granularity 'Block'") && warning.Contains("rounds to 0"),
            blocks.Warnings);

        var narrow = Network.Sequential([3, 8, 8], Layer.Conv2d(16, 3), Layer.Relu(), Layer.GlobalAveragePool(), Layer.Flatten(), Layer.Dense(2)).Initialize(1);
        var filters = Prune(narrow, new() { Amount = Amount.Fraction(0.3), Granularity = Granularity.Filter }).Report;
        Assert.Contains(warning => warning.Contains("'conv1' to a multiple of 16"), filters.Warnings);
        Assert.IsEmpty(Prune(narrow, new() { Amount = Amount.Fraction(0) }).Report.Warnings);
    }

    [TestMethod]
    public void Weights_out_of_scope_are_told_with_their_share_and_the_reason()
    {
        var network = Network.FromOnnx(Case.File("se_block"));
        var rows = Prune(network, new() { Amount = Amount.Fraction(0.5), Granularity = Granularity.Row }).Report;
        Assert.Contains(warning => warning.Contains("(without structures of granularity 'Row')") && warning.Contains("of the network's"), rows.Warnings);
        var excepted = Prune(Collapsing, new() { Scope = Scope.Network.Except(Collapsing.Layers.First(layer => layer.Weights.Length > 0).Weights[0]) }).Report;
        Assert.Contains(warning => warning.Contains("2,048 of the network's 6,656 weights (30.8 %)") && warning.Contains("left out by the scope"),
            excepted.Warnings);
    }

    [TestMethod]
    public void Warnings_go_to_the_log()
    {
        var ml = new MLContext(1);
        var said = new List<string>();
        ml.Log += (_, log) =>
        {
            if (log.Kind == ChannelMessageKind.Warning)
            {
                said.Add(log.Message);
            }
        };
        var chain = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(epochs: 1)))
            .Append(ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(1), Scope = Scope.Layer }));
        var report = chain.Fit(Digits.Load(ml)).LastTransformer.GetReport<PruningReport>();
        Assert.HasCount(3, report.Warnings);
        Assert.IsTrue(report.Warnings.All(warning => said.Any(line => line.Contains(warning))), string.Join('\n', said));
    }

    private static (Network Network, PruningReport Report) Prune(Network network, PruningOptions options)
    {
        var pruned = network.Prune(options, out var report);
        return (pruned.Network, report);
    }
}
