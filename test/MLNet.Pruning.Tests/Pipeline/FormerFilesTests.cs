using System.Globalization;
using System.Text.Json;
using MLNet.Pruning.Compression.Automation.Search;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Files that version 0.1 wrote before its options were records, with the scores that it gave.</summary>
[TestClass]
public class FormerFilesTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void A_model_of_networks_scores_and_remembers_how_it_was_trained()
    {
        var model = _ml.Compression().Load(File("network.zip"), out _);
        var scores = model.Transform(Rows()).GetColumn<float[]>("Score").ToArray();
        var expected = Numbers("scores.txt");
        for (var row = 0; row < expected.Length; row++)
        {
            for (var i = 0; i < 3; i++)
            {
                Assert.AreEqual(expected[row][i], scores[row][i], 1e-6);
            }
        }

        var networks = ((IEnumerable<ITransformer>)model).OfType<NeuralNetworkTransformer>().ToArray();
        Assert.HasCount(2, networks);
        var training = networks[0].State.Training;
        Assert.AreEqual("Cosine(0.1).WithWarmup(1.5)", training.LearningRateSchedule.ToString());
        Assert.AreEqual("Sgd(0.8, true)", training.Optimizer.ToString());
        Assert.AreEqual("ElasticNet(1e-05, 2e-05) + GroupLasso(3e-05, Row)", training.Regularization!.ToString());
        Assert.AreEqual((0.3, 0.4), (training.TargetedDropout!.Targeted, training.TargetedDropout.Rate));
        Assert.AreEqual("(Response(3, 0.4) + Features([(\"fc1\", \"fc1\")], 0.5)).Scheduled(Linear(0.5), Step(2, 0.3)).WithMemoryLimit(12345)",
            training.Distillation!.ToString());
        Assert.AreEqual(5, training.Distillation.Teacher!.Network!.Parameters[0].Shape[0], "the teacher has five hidden units");
        Assert.AreEqual("Shift(1, 4, 4)", training.Augmentation!.ToString());
        Assert.AreEqual((3, 7, 0.02, Loss.CrossEntropy, 1e-5),
            (training.Epochs, training.BatchSize, training.LearningRate, training.Loss, training.WeightDecay));
        Assert.AreEqual((2, 5.0, 4, 11, 0.2), (training.LastLayers, training.GradientClipping, training.EarlyStoppingPatience, training.Seed,
            training.ValidationFraction));
        Assert.AreEqual((true, 2, "Label", "Features"), (training.SkipInvalidRows, training.RewindEpoch, training.LabelColumnName, training.FeatureColumnName));
        Assert.AreEqual(0.5, networks[1].GetReport<PruningReport>().Steps[^1].Sparsity, 0.01);
        Assert.AreEqual("accuracy", networks[0].GetReport<TrainingReport>().Epochs[0].Validation!.Name);
        // A step that goes on from it.
        var further = _ml.Transforms.FineTune(1).Fit(networks[1].Transform(Rows()));
        Assert.IsTrue(further.Masks.Values.Any(mask => mask.Kept < mask.Count));
    }

    [TestMethod]
    public void Trees_score_as_they_did()
    {
        var scores = _ml.Compression().Load(File("trees.zip"), out _).Transform(Rows()).GetColumn<float>("Score").ToArray();
        var expected = Numbers("tree-scores.txt");
        for (var row = 0; row < expected.Length; row++)
        {
            Assert.AreEqual((float)expected[row][0], scores[row]);
        }
    }

    [TestMethod]
    public void Masks_and_what_was_removed_are_read()
    {
        var network = Network.FromOnnx(File("masked.onnx"));
        Assert.AreEqual(network.Prune(Amount.Fraction(0.5)).Masks.Values.Sum(mask => mask.Kept),
            network.LoadMasks(File("masks.json")).Masks.Values.Sum(mask => mask.Kept));
        Assert.AreEqual(3, Network.FromOnnx(File("removed.onnx"))["fc1.bias"].Count);
    }

    [TestMethod]
    public void A_search_is_gone_on_from_where_its_options_are_the_same()
    {
        using var json = JsonDocument.Parse(System.IO.File.ReadAllBytes(File("search.json")));
        var former = json.RootElement.GetProperty("settings").EnumerateArray()
            .ToDictionary(setting => setting.GetProperty("name").GetString()!, setting => setting.GetProperty("value").GetString()!);
        // What that version measured itself, and the metric's name, which it did not say.
        (string, string)[] measured =
        [
            ("network", former["network"]), ("choice of pieces", former["choice of pieces"]), ("validation result", $"accuracy {former["validation result"]}"),
        ];
        SearchState Open(AutoPruneOptions options, params (string, string)[] others)
            => new(File("search.json"), options.Settings(options.Training(new TrainingOptions()), null, 3).Concat(others.Length > 0 ? others : measured));
        var options = new AutoPruneOptions { Budget = Budget.Parameters(60) };
        var candidate = Open(options).Find([5])!;
        Assert.AreEqual((0.3333333333333333, 1.095548391342163), (candidate.Metric, candidate.Loss));
        Refused("Budget is 'Parameters(60)', here it is 'Parameters(61)'", () => Open(options with { Budget = Budget.Parameters(61) }));
        Refused("Strategy is 'SensitivityGuided', here it is 'Evolutionary(16, 20)'", () => Open(options with { Strategy = SearchStrategy.Evolutionary() }));
        Refused("Granularity is 'Unit', here it is 'HiddenUnit'", () => Open(options with { Granularity = Granularity.HiddenUnit }));
        Refused("Minimize is 'Parameters', here it is 'Bytes'", () => Open(options with { Minimize = CostMeasure.Bytes }));
        Refused("CandidateEpochs is '0', here it is '2'", () => Open(options with { CandidateEpochs = 2 }));
        Refused("network is", () => Open(options, ("network", "another"), measured[1], measured[2]));
        Refused("validation result is", () => Open(options, measured[0], measured[1], ("validation result", "accuracy 0.5, loss 1")));
    }

    [TestMethod]
    [DataRow("budget", "at most 60.5 milliseconds a batch of 8, at most 0.01 loss of metric", "Budget", "Latency(60.5, 8) + MetricLoss(0.01)")]
    [DataRow("budget", "at most 1000000 bytes, at most 12 multiply-adds", "Budget", "Bytes(1000000) + MultiplyAdds(12)")]
    [DataRow("strategy", "evolutionary, 20 generations of 16", "Strategy", "Evolutionary(16, 20)")]
    [DataRow("strategy", "learned policy, 7 iterations of 4", "Strategy", "LearnedPolicy(4, 7)")]
    [DataRow("granularity", "hidden unit", "Granularity", "HiddenUnit")]
    [DataRow("granularity", "2x4 weight block", "Granularity", "WeightBlock(2, 4)")]
    [DataRow("granularity", "slice -1", "Granularity", "Slice(-1)")]
    public void Words_of_a_search_are_the_calls_of_now(string formerName, string words, string name, string call)
        => Assert.AreEqual((name, call), FormerSearch.Upgrade(new Dictionary<string, string> { [formerName] = words }, [(name, "another")]).Single());

    private static void Refused(string problem, Func<object> open)
        => StringAssert.Contains(Assert.ThrowsExactly<SearchStateException>(() => open()).Message, problem);

    private static string File(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", "Version01", name);

    private static double[][] Numbers(string name) => [.. System.IO.File.ReadLines(File(name))
        .Select(line => line.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray())];

    /// <summary>The rows that the files were made with.</summary>
    private IDataView Rows()
    {
        var random = new Random(1);
        return _ml.Data.Cache(_ml.Data.LoadFromEnumerable(Enumerable.Range(0, 60).Select(i => new Row
        {
            Features = [.. Enumerable.Range(0, 16).Select(j => random.NextSingle() + (j == i % 3 ? 1 : 0))],
            Label = (uint)(i % 3),
            Side = i % 3 == 0,
            Number = i % 3,
        })));
    }

    private sealed class Row
    {
        [VectorType(16)]
        public float[] Features { get; set; } = [];

        [KeyType(3)]
        public uint Label { get; set; }

        public bool Side { get; set; }

        public float Number { get; set; }
    }
}
