using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Pipeline.Columns;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Compression.Automation;

/// <summary>Pruning to a budget in a chain: what is promised is counted from the file that is saved.</summary>
[TestClass]
public class AutoPruneTests
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    [TestCleanup]
    public void Delete() => File.Delete(_path);

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Costs_counted_from_the_saved_file_are_within_the_budget(bool zeroes)
    {
        var granularity = zeroes ? Granularity.Weight : Granularity.Unit;
        foreach (var budget in new[] { Budget.Parameters(800), Budget.MultiplyAdds(700), Budget.Bytes(4500),
            Budget.Parameters(850) + Budget.MultiplyAdds(800) + Budget.Bytes(5000) })
        {
            var step = DigitSearch.Prune(new() { Budget = budget, Granularity = granularity, FineTuneEpochs = 2, Sparsities = [0.2, 0.5, 0.8],
                Strategy = SearchStrategy.Evolutionary(6, 3) });
            step.Network.SaveOnnx(_path, sparse: zeroes);
            var graph = OnnxFile.Read(_path).Graph;
            // Single values beside those in sparse lists, and of few different ones codes; biases are no factors of a product.
            var coded = graph.Initializer.Where(tensor => tensor.Name.EndsWith("_codes")).Select(tensor => (Codes: OnnxTensor.ToLongs(tensor, null),
                Entries: OnnxTensor.ToFloats(graph.Initializer.Single(entries => entries.Name == tensor.Name.Replace("_codes", "_values")), null)))
                .Sum(tensor => (long)tensor.Codes.Count(code => tensor.Entries[code] != 0));
            var dense = graph.Initializer.Where(tensor => !tensor.Name.EndsWith("_codes") && !tensor.Name.EndsWith("_values"))
                .Select(tensor => (tensor.Name, Values: OnnxTensor.ToFloats(tensor, null))).ToArray();
            var values = coded + dense.Sum(tensor => (long)tensor.Values.Count(value => !zeroes || value != 0))
                + graph.SparseInitializer.Sum(tensor => tensor.Values.Dims[0]);
            var products = coded + dense.Where(tensor => tensor.Name.EndsWith("weight"))
                .Sum(tensor => (long)tensor.Values.Count(value => !zeroes || value != 0))
                + graph.SparseInitializer.Sum(tensor => tensor.Values.Dims[0]);
            foreach (var cost in step.GetReport<AutoPruneReport>().Costs)
            {
                var counted = cost.Measure switch { CostMeasure.Bytes => new FileInfo(_path).Length, CostMeasure.Parameters => values, _ => products };
                Assert.IsLessThanOrEqualTo(cost.Limit!.Value, (double)counted, $"{budget}\n{step.GetReport<AutoPruneReport>()}");
                // A weight whose path ends is zero in effect, so that fewer may be counted than are stored.
                Assert.IsTrue(cost.After == counted || (zeroes && cost.Measure == CostMeasure.MultiplyAdds && cost.After < counted),
                    $"{cost} against {counted}");
            }
        }
    }

    [TestMethod]
    public void A_quarter_of_the_multiply_adds_is_enough_for_digits()
    {
        var ml = new MLContext(1);
        var data = ml.Data.TrainTestSplit(Digits.Load(ml), 0.2);
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers
            .NeuralNetwork(new NeuralNetworkOptions { Network = Network.Mlp(64, 60, 40, 10), Epochs = 20, LearningRate = 3e-3, ValidationFraction = 0.2 }))
            .Append(ml.Transforms.AutoPrune(Budget.MultiplyAdds(1660), fineTuneEpochs: 8)).Fit(data.TrainSet);
        var (step, report) = (model.LastTransformer, model.LastTransformer.GetReport<AutoPruneReport>());
        Assert.IsLessThanOrEqualTo(1660, ml.Compression().Measure(model).Total.MultiplyAdds!.Value);
        Assert.IsGreaterThan(0.92, ml.MulticlassClassification.Evaluate(model.Transform(data.TestSet)).MicroAccuracy);
        CollectionAssert.AreEqual(new[] { step.Network["fc1.weight"].Shape[0], step.Network["fc2.weight"].Shape[0] },
            report.Layers.Select(layer => (int)layer.Kept).ToArray());
        Assert.IsGreaterThanOrEqualTo(report.Trials[0].Validation.Metric, report.Searched.Metric, "the first candidate is the same share of every layer");
        StringAssert.Contains(report.ToString(), "1,660");
    }

    [TestMethod]
    public void A_teacher_that_says_all_makes_labels_needless()
    {
        static AutoPruneOptions Options(double learningRate) => new()
        {
            Budget = Budget.MultiplyAdds(900),
            Strategy = SearchStrategy.Evolutionary(4, 1),
            FineTuneEpochs = 4,
            // The whole loss is the teacher's.
            FineTuning = new() { LearningRate = learningRate, Distillation = Distillation.Response(2, weight: 1), Seed = 3 },
        };
        var taught = DigitSearch.Prune(Options(5e-3));
        var still = DigitSearch.Prune(Options(1e-12));
        Assert.IsGreaterThan(still.GetReport<AutoPruneReport>().After!.Metric, taught.GetReport<AutoPruneReport>().After!.Metric,
            "fine-tuned by the dense network's outputs alone");
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_bits()
    {
        foreach (var strategy in new[]
        {
            SearchStrategy.SensitivityGuided, SearchStrategy.DynamicProgramming(10), SearchStrategy.Evolutionary(6, 3), SearchStrategy.LearnedPolicy(6, 3),
        })
        {
            var options = Small(strategy);
            var (one, other) = (DigitSearch.Prune(options), DigitSearch.Prune(options));
            CollectionAssert.AreEqual(one.GetReport<AutoPruneReport>().Trials.Select(trial => trial.ToString()).ToArray(),
                other.GetReport<AutoPruneReport>().Trials.Select(trial => trial.ToString()).ToArray());
            foreach (var parameter in one.Network.Parameters)
            {
                CollectionAssert.AreEqual(parameter.Values.ToArray(), other.Network[parameter.Name].Values.ToArray(), $"{strategy}: {parameter.Name}");
            }
        }
    }

    [TestMethod]
    public void A_search_that_was_stopped_goes_on_and_ends_as_one_that_was_not()
    {
        foreach (var strategy in new[]
        {
            SearchStrategy.SensitivityGuided, SearchStrategy.DynamicProgramming(10), SearchStrategy.Evolutionary(6, 4), SearchStrategy.LearnedPolicy(6, 4),
        })
        {
            var options = Small(strategy);
            var whole = DigitSearch.Prune(options);
            var count = whole.GetReport<AutoPruneReport>().Trials.Count;
            using var stop = new CancellationTokenSource();
            var seen = new List<AutoPruneTrial>();
            options = options with
            {
                StatePath = _path,
                CancellationToken = stop.Token,
                Progress = new Told(trial =>
                {
                    seen.Add(trial);
                    if (seen.Count == count / 2)
                    {
                        stop.Cancel();
                    }
                }),
            };
            Assert.ThrowsExactly<OperationCanceledException>(() => DigitSearch.Prune(options));
            options = options with { CancellationToken = default, Progress = null };
            var resumed = DigitSearch.Prune(options);
            Assert.AreEqual(count / 2, resumed.GetReport<AutoPruneReport>().Resumed);
            CollectionAssert.AreEqual(whole.GetReport<AutoPruneReport>().Trials.Select(trial => trial.ToString()).ToArray(),
                resumed.GetReport<AutoPruneReport>().Trials.Select(trial => trial.ToString()).ToArray());
            CollectionAssert.AreEqual(whole.Network["fc1.weight"].Values.ToArray(), resumed.Network["fc1.weight"].Values.ToArray());
            Assert.AreEqual(count, DigitSearch.Prune(options).GetReport<AutoPruneReport>().Resumed, "a third run measures nothing");
            File.Delete(_path);
        }
    }

    [TestMethod]
    public void A_state_of_another_search_is_refused_and_says_what_differs()
    {
        var options = Small(SearchStrategy.Evolutionary(4, 2)) with { StatePath = _path };
        DigitSearch.Prune(options);
        var written = File.ReadAllText(_path);
        void Refused(string expected, Func<AutoPruneOptions, AutoPruneOptions> change)
        {
            var other = change(Small(SearchStrategy.Evolutionary(4, 2)) with { StatePath = _path });
            StringAssert.Contains(Assert.ThrowsExactly<SearchStateException>(() => DigitSearch.Prune(other)).Message, expected);
            Assert.AreEqual(written, File.ReadAllText(_path), "the file stays as it is");
        }

        Refused("MultiplyAdds(850)", other => other with { Budget = Budget.MultiplyAdds(850) });
        Refused("Evolutionary(4, 3)", other => other with { Strategy = SearchStrategy.Evolutionary(4, 3) });
        Refused("Importance", other => other with { Importance = Importance.Random(1) });
        Refused("Scope is 'Network', here it is 'Network.Except(\"fc2\")'", other => other with { Scope = Scope.Network.Except("fc2") });
        Refused("Granularity", other => other with { Granularity = Granularity.Row });
        Refused("Seed", other => other with { Seed = 8 });
        Refused("CandidateEpochs is '0', here it is '1'", other => other with { CandidateEpochs = 1 });

        var ml = new MLContext(1);
        var network = DigitSearch.Network;
        Assert.ThrowsExactly<SearchStateException>(() => DigitSearch.Chain(ml, network.With("fc1.bias", new float[16])).Append(ml.Transforms.AutoPrune(options))
            .Fit(Digits.Load(ml)));
        foreach (var damage in new[] { "{", "[]", "{}", written[..^20], written.Replace("MLNet.Pruning search", "another"),
            written.Replace("\"metric\"", "\"metrik\"") })
        {
            File.WriteAllText(_path, damage);
            StringAssert.Contains(Assert.ThrowsExactly<SearchStateException>(() => DigitSearch.Prune(options)).Message, _path);
        }
    }

    [TestMethod]
    public void A_limit_on_time_or_candidates_ends_with_the_best_so_far()
    {
        var options = Small(SearchStrategy.SensitivityGuided) with { MaximumTrials = 3 };
        var report = DigitSearch.Prune(options).GetReport<AutoPruneReport>();
        Assert.IsTrue(report.StoppedEarly);
        Assert.HasCount(3, report.Trials);
        Assert.IsLessThanOrEqualTo(800, DigitSearch.MultiplyAdds([.. report.Layers.Select(layer => layer.Kept)]));

        // A clock that moves a second each time it is asked: at the start, and before each candidate but the first.
        var clock = new Steps();
        options = options with { MaximumTrials = null, TimeLimit = TimeSpan.FromSeconds(4), Clock = clock };
        report = DigitSearch.Prune(options).GetReport<AutoPruneReport>();
        Assert.IsTrue(report.StoppedEarly);
        Assert.HasCount(4, report.Trials);
    }

    [TestMethod]
    public void A_cost_that_cannot_be_met_names_the_layers_and_what_they_still_cost()
    {
        // 0.75 leaves 4 of 16, 3 of 12 and 2 of 10 units: 64 x 4 + 4 x 3 + 3 x 2 + 2 x 10 multiply-adds.
        var e = Assert.ThrowsExactly<UnreachableBudgetException>(() =>
            DigitSearch.Prune(new() { Budget = Budget.MultiplyAdds(200), Sparsities = DigitSearch.Sparsities }));
        CollectionAssert.AreEqual(new[] { ("fc1", 256.0), ("fc4", 20.0), ("fc2", 12.0), ("fc3", 6.0) },
            e.Layers.Select(layer => (layer.Layer, layer.Excess)).ToArray());
        Assert.AreEqual(94, e.Missing);
        Assert.AreEqual("at most 200 multiply-adds", e.Limit);
        StringAssert.Contains(e.Message, "294");
        StringAssert.Contains(e.Layers[0].Reason, "4 of 16");
        StringAssert.Contains(e.Layers[1].Reason, "cannot");
        Assert.IsInstanceOfType<PruningTargetException>(e);

        var zeroed = Assert.ThrowsExactly<UnreachableBudgetException>(() =>
            DigitSearch.Prune(new() { Budget = Budget.Parameters(200), Granularity = Granularity.Weight, Sparsities = [0.5] }));
        Assert.AreEqual(1436 / 2 + 48 - 200, zeroed.Missing, "half of the weights, and all biases");
    }

    [TestMethod]
    public void A_metric_that_cannot_be_held_names_the_layers_and_how_far_each_falls()
    {
        var dense = DigitSearch.Measure(DigitSearch.Network).Accuracy;
        var e = Assert.ThrowsExactly<UnreachableBudgetException>(() =>
            DigitSearch.Prune(new() { Budget = Budget.MultiplyAdds(294) + Budget.MetricLoss(0.01), Sparsities = DigitSearch.Sparsities,
                GroupReduction = GroupImportance.Root, FineTuneEpochs = 0 }));
        // There is one network of so few multiply-adds: every layer at 0.75.
        var smallest = DigitSearch.Measure(DigitSearch.Masked([4, 3, 2])).Accuracy;
        Assert.AreEqual(dense - smallest - 0.01, e.Missing, 1e-9);
        var alone = new[] { new long[] { 4, 12, 10 }, [16, 3, 10],
            [16, 12, 2] }.Select((kept, i) => (Layer: $"fc{i + 1}", Excess: dense - DigitSearch.Measure(DigitSearch.Masked(kept)).Accuracy - 0.01))
                .Where(layer => layer.Excess > 0).OrderByDescending(layer => layer.Excess).ToArray();
        CollectionAssert.AreEqual(alone.Select(layer => layer.Layer).ToArray(), e.Layers.Select(layer => layer.Layer).ToArray());
        for (var i = 0; i < alone.Length; i++)
        {
            Assert.AreEqual(alone[i].Excess, e.Layers[i].Excess, 1e-9);
        }
    }

    [TestMethod]
    public void Fine_tuning_candidates_lets_more_go()
    {
        AutoPruneReport Report(int epochs) => DigitSearch.Prune(new() { Budget = Budget.MetricLoss(0.03), Sparsities = DigitSearch.Sparsities,
            CandidateEpochs = epochs, FineTuneEpochs = 0, Strategy = SearchStrategy.Evolutionary(4, 3), Seed = 2 }).GetReport<AutoPruneReport>();
        Assert.IsLessThan(Report(0).Costs.Single().After, Report(3).Costs.Single().After);
    }

    [TestMethod]
    public void Convolutions_keep_whole_blocks_of_channels_and_costs_are_those_counted_by_hand()
    {
        var network = Network.Sequential([1, 8, 8], Layer.Conv2d(32, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(), Layer.MaxPool(2),
            Layer.Conv2d(48, 3, padding: 1), Layer.Relu(),
            Layer.MaxPool(2), Layer.Flatten(), Layer.Dense(20), Layer.Relu(), Layer.Dense(10)).Initialize(2);
        var ml = new MLContext(1);
        var step = DigitSearch.Chain(ml, network).Append(ml.Transforms
            .AutoPrune(new AutoPruneOptions { Budget = Budget.Parameters(9000), Sparsities = [0.3, 0.6], FineTuneEpochs = 1, CandidateEpochs = 0 }))
                .Fit(Digits.Load(ml)).LastTransformer;
        long[] kept = [.. step.GetReport<AutoPruneReport>().Layers.Select(layer => layer.Kept)];
        Assert.AreEqual((0, 0), (kept[0] % 16, kept[1] % 16), "dense convolutions are computed in blocks of 16 channels");
        CollectionAssert.AreEqual(new[] { kept[0], kept[1], kept[2] },
            new long[] { step.Network["conv1.weight"].Shape[0], step.Network["conv2.weight"].Shape[0], step.Network["fc1.weight"].Shape[0] });
        var parameters = 9 * kept[0] + kept[0] + 2 * kept[0] + 9 * kept[0] * kept[1] + kept[1] + 4 * kept[1] * kept[2] + kept[2] + 10 * kept[2] + 10;
        Assert.AreEqual(parameters, step.GetReport<AutoPruneReport>().Costs.Single().After);
        Assert.IsLessThanOrEqualTo(9000, parameters);
    }

    [TestMethod]
    public void Zeros_that_were_there_stay_and_count()
    {
        var ml = new MLContext(1);
        var steps = new List<NeuralNetworkTransformer>();
        DigitSearch.Chain(ml).Append(ml.Transforms.Prune(0.4, scope: Scope.Layer).WithOnFitDelegate(steps.Add))
            .Append(ml.Transforms.AutoPrune(new AutoPruneOptions { Budget = Budget.Parameters(700), Granularity = Granularity.Weight,
                Sparsities = [0.3, 0.6, 0.8], FineTuneEpochs = 1 }).WithOnFitDelegate(steps.Add))
            .Append(ml.Transforms.AutoPrune(new AutoPruneOptions { Budget = Budget.MultiplyAdds(800), FineTuneEpochs = 1 }).WithOnFitDelegate(steps.Add))
            .Fit(Digits.Load(ml));
        foreach (var (name, mask) in steps[1].Masks)
        {
            Assert.AreEqual(mask.Kept, mask.And(steps[0].Masks[name]).Kept, "what was dropped stays dropped");
        }

        var layer = steps[1].GetReport<AutoPruneReport>().Layers[0];
        Assert.AreEqual((1024L, (long)steps[1].Masks["fc1.weight"].Kept), (layer.Total, layer.Kept));
        Assert.IsGreaterThanOrEqualTo(0.4, layer.Sparsity + 0.001);
        foreach (var (name, mask) in steps[2].Masks)
        {
            var values = steps[2].Network[name].Values.ToArray();
            Assert.AreEqual(values.Length, mask.Count);
            Assert.IsTrue(values.Select((value, i) => mask[i] || value == 0).All(zero => zero), name);
        }
    }

    [TestMethod]
    public void The_report_goes_through_a_file_and_the_chain_goes_on()
    {
        var ml = new MLContext(1);
        var data = Digits.Load(ml);
        var model = DigitSearch.Chain(ml).Append(ml.Transforms.AutoPrune(Small(SearchStrategy.Evolutionary(4, 2)))).Append(ml.Transforms.FineTune(1)).Fit(data);
        ml.Compression().Save(model, data.Schema, _path);
        var loaded = NetworkChains.Flatten(ml.Compression().Load(_path, out _)).OfType<NeuralNetworkTransformer>().ToArray();
        Assert.AreEqual(model.OfType<NeuralNetworkTransformer>().ElementAt(1).Report!.ToString(), loaded[1].GetReport<AutoPruneReport>().ToString());
        Assert.IsNull(loaded[0].Report, "a network that was loaded");
        Assert.IsInstanceOfType<TrainingReport>(loaded[2].Report);
    }

    [TestMethod]
    public void Settings_out_of_range_or_in_contradiction_are_refused_before_anything_runs()
    {
        var ml = new MLContext(1);
        void Refused<T>(Func<AutoPruneOptions, AutoPruneOptions> change) where T : Exception
        {
            Assert.ThrowsExactly<T>(() => ml.Transforms.AutoPrune(change(new AutoPruneOptions { Budget = Budget.Parameters(10) })));
        }

        Refused<ArgumentNullException>(options => options with { Budget = null! });
        Refused<ArgumentNullException>(options => options with { Strategy = null! });
        Refused<ArgumentException>(options => options with { Granularity = Granularity.NToM(2, 4) });
        Refused<ArgumentException>(options => options with { Granularity = Granularity.Block });
        Refused<ArgumentException>(options => options with { Granularity = Granularity.Weight, Scope = Scope.Distributed(Distribution.Lamp) });
        Refused<ArgumentException>(options => options with { StatePath = "" });
        Refused<ArgumentOutOfRangeException>(options => options with { CandidateEpochs = -1 });
        Refused<ArgumentOutOfRangeException>(options => options with { FineTuneEpochs = -1 });
        Refused<ArgumentOutOfRangeException>(options => options with { Minimize = (CostMeasure)9 });
        var set = new AutoPruneOptions { Budget = Budget.Parameters(5) };
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => set with { TimeLimit = TimeSpan.Zero });
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => set with { MaximumTrials = 0 });
        Assert.ThrowsExactly<ArgumentException>(() => set with { Sparsities = [] });
        Assert.ThrowsExactly<ArgumentException>(() => set with { Sparsities = [0.5, 1] });
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Budget.Parameters(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Budget.Latency(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Budget.Latency(1, 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Budget.LatencyFraction(1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Budget.LatencyFraction(0.5, 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Budget.MetricLoss(-0.1));
        Assert.ThrowsExactly<ArgumentException>(() => Budget.Bytes(1) + Budget.Bytes(2));
        Assert.ThrowsExactly<ArgumentException>(() => Budget.MetricLoss(0.1) + Budget.MetricLoss(0.2));
    }

    [TestMethod]
    public void A_network_without_validation_rows_is_refused()
    {
        var ml = new MLContext(1);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() =>
            DigitSearch.Chain(ml, validation: 0).Append(ml.Transforms.AutoPrune(Budget.Parameters(500))).Fit(Digits.Load(ml))).Message, "ValidationFraction");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() =>
            Digits.Prepare(ml).Append(ml.Transforms.AutoPrune(Budget.Parameters(500))).Fit(Digits.Load(ml))).Message, "AutoPrune");
    }

    private static AutoPruneOptions Small(SearchStrategy strategy)
        => new() { Budget = Budget.MultiplyAdds(800), Strategy = strategy, Sparsities = DigitSearch.Sparsities, FineTuneEpochs = 1, Seed = 7 };

    private sealed class Told(Action<AutoPruneTrial> tell) : IProgress<AutoPruneTrial>
    {
        public void Report(AutoPruneTrial value) => tell(value);
    }

    private sealed class Steps : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _now++;
    }
}
