using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Compression.Pruning;

/// <summary>Schedules, rewinding and tolerance inside a chain.</summary>
[TestClass]
public class PruningLoopTests
{
    [TestMethod]
    public void Steps_follow_the_schedule_and_masks_only_shrink()
    {
        var step = Run(new() { Amount = Amount.Fraction(0.9), Schedule = Schedule.Cubic(5), FineTuneEpochs = 1 }, out var dense);
        var weights = dense.Network.Parameters.Where(p => p.Name.EndsWith("weight")).Sum(p => (long)p.Count);
        var expected = Schedule.Cubic(5).Sparsities(0, 0.9);
        for (var i = 0; i < 5; i++)
        {
            Assert.AreEqual(weights - (long)Math.Round(expected[i] * weights, MidpointRounding.ToEven), step.GetReport<PruningReport>().Steps[i].NonZeros,
                $"step {i + 1}");
        }

        Assert.IsFalse(step.GetReport<PruningReport>().StoppedEarly);
        Assert.AreEqual(2, step.Masks.Count);
    }

    [TestMethod]
    public void A_later_pruning_goes_on_from_the_masks_of_the_earlier()
    {
        var ml = new MLContext(1);
        var steps = new List<NeuralNetworkTransformer>();
        Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options()))
            .Append(ml.Transforms.Prune(0.5, Importance.Random(1)).WithOnFitDelegate(steps.Add))
            .Append(ml.Transforms.Prune(0.75, Importance.Random(2), fineTuneEpochs: 1).WithOnFitDelegate(steps.Add)).Fit(Digits.Load(ml));
        foreach (var (name, mask) in steps[1].Masks)
        {
            Assert.AreEqual(mask.Kept, mask.And(steps[0].Masks[name]).Kept, "what was dropped stays dropped");
        }

        Assert.AreEqual(592, steps[1].Masks.Values.Sum(mask => mask.Kept), "a quarter of 2,368 weights");
    }

    [TestMethod]
    public void Rewinding_trains_the_survivors_from_their_first_values()
    {
        // One epoch of a rate near zero moves nothing: what is left are the initial weights under the mask.
        var options = new PruningOptions { Amount = Amount.Fraction(0.5), FineTuneEpochs = 1, FineTuning = new() { LearningRate = 1e-12, Epochs = 1 },
            Rewind = Rewind.ToInitial };
        var rewound = Run(options, out var dense);
        options = options with { Rewind = Rewind.None };
        var going = Run(options, out _);
        var initial = Digits.Options().Network!.Initialize(1);
        CollectionAssert.AreEqual(going.Masks["fc1.weight"].ToArray(), rewound.Masks["fc1.weight"].ToArray(),
            "the same survive: importance is that of the trained weights");
        for (var i = 0; i < 64 * 32; i++)
        {
            var kept = rewound.Masks["fc1.weight"][i];
            Assert.AreEqual(kept ? initial["fc1.weight"].Values[i] : 0, rewound.Network["fc1.weight"].Values[i], 1e-6, $"weight {i}");
            Assert.AreEqual(kept ? dense.Network["fc1.weight"].Values[i] : 0, going.Network["fc1.weight"].Values[i], 1e-6, $"weight {i}");
        }
    }

    [TestMethod]
    public void Rewinding_to_early_weights_takes_those_after_the_epoch_asked_for()
    {
        var options = new PruningOptions { Amount = Amount.Fraction(0.5), FineTuneEpochs = 1, FineTuning = new() { LearningRate = 1e-12, Epochs = 1 },
            Rewind = Rewind.ToEarly };
        var rewound = Run(options, out _, rewindEpoch: 1);
        // A training that stops after that epoch, with the same seed and a constant rate, ends at the same weights.
        Run(new() { Amount = Amount.Fraction(0) }, out var early, epochs: 1);
        for (var i = 0; i < 64 * 32; i++)
        {
            Assert.AreEqual(rewound.Masks["fc1.weight"][i] ? early.Network["fc1.weight"].Values[i] : 0, rewound.Network["fc1.weight"].Values[i], 1e-6,
                $"weight {i}");
        }

        Assert.ThrowsExactly<InvalidOperationException>(() => Run(options, out _));
        options = options with { FineTuneEpochs = 0 };
        Assert.ThrowsExactly<ArgumentException>(() => Run(options, out _, rewindEpoch: 1));
    }

    [TestMethod]
    public void A_fall_beyond_the_tolerance_ends_with_the_last_good_network()
    {
        var step = Run(new() { Amount = Amount.Fraction(0.99), Importance = Importance.Random(3), Schedule = Schedule.Custom(0.05, 0.6), FineTuneEpochs = 0,
            Tolerance = 0.1 }, out _, epochs: 10);
        var steps = step.GetReport<PruningReport>().Steps;
        Assert.IsTrue(step.GetReport<PruningReport>().StoppedEarly);
        Assert.IsLessThan(3, steps.Count);
        Assert.IsFalse(steps[^1].Kept);
        Assert.IsGreaterThan(0.1, step.GetReport<PruningReport>().Before!.Metric - steps[^1].Validation!.Metric);
        var good = steps.LastOrDefault(s => s.Kept);
        Assert.AreEqual(good?.NonZeros ?? 2368, new MLContext().Compression().Measure(step).Total.NonZeroWeights);
    }

    [TestMethod]
    public void A_tolerance_without_validation_rows_is_refused()
        => Assert.ThrowsExactly<InvalidOperationException>(() => Run(new() { Tolerance = 0.1 }, out _, validation: 0));

    [TestMethod]
    public void Thresholds_and_structured_pieces_work_in_a_chain()
    {
        var rows = Run(new() { Amount = Amount.Fraction(0.25), Granularity = Granularity.Row, Scope = Scope.Layer.Except("fc2"), Importance = Importance.L2 },
            out _);
        Assert.AreEqual(24 * 64, rows.Masks.Single().Value.Kept);
        var below = Run(new() { Amount = Amount.BelowMaximum(0.3), Schedule = Schedule.Linear(2), FineTuneEpochs = 0 }, out var dense);
        foreach (var (name, mask) in below.Masks)
        {
            var values = dense.Network[name].Values.ToArray();
            var threshold = 0.3 * values.Max(Math.Abs);
            Assert.AreEqual(values.Count(value => Math.Abs(value) >= threshold), mask.Kept, name);
        }
    }

    [TestMethod]
    public void Steps_are_reported_to_the_log_and_to_progress()
    {
        var (log, told) = (new List<string>(), new List<PruningStep>());
        var ml = new MLContext(1);
        ml.Log += (_, e) => log.Add(e.Message);
        Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(2)))
            .Append(ml.Transforms.Prune(new PruningOptions { Schedule = Schedule.Linear(2), FineTuneEpochs = 1, Progress = new Collected<PruningStep>(told) }))
            .Fit(Digits.Load(ml));
        Assert.AreEqual(2, told.Count);
        Assert.AreEqual(2, log.Count(line => line.Contains("step ")), string.Join('\n', log));
        Assert.AreEqual(4, log.Count(line => line.Contains("epoch ")), "two of the training, one after each step");
    }

    private static NeuralNetworkTransformer Run(PruningOptions options, out NeuralNetworkTransformer dense, int epochs = 3, int? rewindEpoch = null,
        double validation = 0.1)
    {
        var ml = new MLContext(1);
        NeuralNetworkTransformer? trained = null;
        var training = Digits.Options(epochs) with { Seed = 1, RewindEpoch = rewindEpoch, ValidationFraction = validation };
        var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(training).WithOnFitDelegate(network => trained = network))
            .Append(ml.Transforms.Prune(options)).Fit(Digits.Load(ml));
        dense = trained!;
        return model.LastTransformer;
    }

    private sealed class Collected<T>(List<T> items) : IProgress<T>
    {
        public void Report(T value) => items.Add(value);
    }
}
