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
        Assert.AreEqual("(Response(3, 0.4) + Features([(\"fc1\", \"fc1\")], 0.5)).Scheduled(Linear(0.5), Step(2, 0.3)).WithMemoryLimit(12345)", training.Distillation!.ToString());
        Assert.AreEqual(5, training.Distillation.Teacher!.Network!.Parameters[0].Shape[0], "the teacher has five hidden units");
        Assert.AreEqual("Shift(1, 4, 4)", training.Augmentation!.ToString());
        Assert.AreEqual((3, 7, 0.02, Loss.CrossEntropy, 1e-5), (training.Epochs, training.BatchSize, training.LearningRate, training.Loss, training.WeightDecay));
        Assert.AreEqual((2, 5.0, 4, 11, 0.2), (training.LastLayers, training.GradientClipping, training.EarlyStoppingPatience, training.Seed, training.ValidationFraction));
        Assert.AreEqual((true, 2, "Label", "Features"), (training.SkipInvalidRows, training.RewindEpoch, training.LabelColumnName, training.FeatureColumnName));
        Assert.AreEqual(0.5, networks[1].Pruning!.Steps[^1].Sparsity, 0.01);
        Assert.AreEqual("accuracy", networks[0].History[0].Validation!.Name);
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
        Assert.AreEqual(network.Prune(Amount.Fraction(0.5)).Masks.Values.Sum(mask => mask.Kept), network.LoadMasks(File("masks.json")).Masks.Values.Sum(mask => mask.Kept));
        Assert.AreEqual(3, Network.FromOnnx(File("removed.onnx"))["fc1.bias"].Count);
    }

    [TestMethod]
    public void A_search_is_gone_on_from_where_its_settings_are_the_same()
    {
        using var json = JsonDocument.Parse(System.IO.File.ReadAllBytes(File("search.json")));
        var settings = json.RootElement.GetProperty("settings").EnumerateArray().Select(setting => (setting.GetProperty("name").GetString()!, setting.GetProperty("value").GetString()!)).ToArray();
        var measured = new SearchState(File("search.json"), settings).Find([5])!;
        Assert.AreEqual((0.3333333333333333, 1.095548391342163), (measured.Metric, measured.Loss));
        settings[0].Item2 = "another";
        StringAssert.Contains(Assert.ThrowsExactly<SearchStateException>(() => new SearchState(File("search.json"), settings)).Message, "its budget is 'at most 60 parameters', here it is 'another'");
    }

    private static string File(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", "Version01", name);

    private static double[][] Numbers(string name) => [.. System.IO.File.ReadLines(File(name)).Select(line => line.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray())];

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
