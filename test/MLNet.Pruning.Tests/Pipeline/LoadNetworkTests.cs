using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Networks of ONNX files in a chain.</summary>
[TestClass]
public class LoadNetworkTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void A_residual_network_is_pruned_fine_tuned_and_evaluated_on_the_digits()
    {
        var split = _ml.Data.TrainTestSplit(_ml.Data.Cache(Digits.Load(_ml)), 0.25, seed: 1);
        var loaded = Digits.Prepare(_ml).Append(_ml.Transforms.LoadNetwork(Zoo.Network("tiny_resnet").Path));
        var before = _ml.MulticlassClassification.Evaluate(loaded.Fit(split.TrainSet).Transform(split.TestSet));
        Assert.IsLessThan(0.3, before.MicroAccuracy, "its weights are random");
        var model = loaded.Append(_ml.Transforms.FineTune(6, learningRate: 3e-3)).Append(_ml.Transforms.Prune(0.5, fineTuneEpochs: 6)).Fit(split.TrainSet);
        Assert.IsGreaterThan(0.93, _ml.MulticlassClassification.Evaluate(model.Transform(split.TestSet)).MicroAccuracy);
        Assert.AreEqual(0.5, model.LastTransformer.GetReport<PruningReport>().Steps[^1].Sparsity, 1e-3);
    }

    [TestMethod]
    [DataRow("Ids")]
    [DataRow("Narrow")]
    public void A_recurrent_network_reads_token_ids_is_pruned_and_fine_tuned(string column)
    {
        var rows = _ml.Data.LoadFromEnumerable(Sentences(400));
        var chain = _ml.Transforms.Conversion.MapValueToKey("Label", "Class")
            .Append(_ml.Transforms.LoadNetwork(new LoadNetworkOptions { Network = Network.FromOnnx(Zoo.Network("lstm").Path), InputColumnNames = [column],
                Training = new() { LearningRate = 1e-2, BatchSize = 16 } }))
            .Append(_ml.Transforms.Prune(0.5)).Append(_ml.Transforms.FineTune(3));
        var model = chain.Fit(rows);
        Assert.IsGreaterThan(0.8, _ml.MulticlassClassification.Evaluate(model.Transform(rows)).MicroAccuracy, "the class is the first token's last digit");
        Assert.AreEqual(0.5, model.LastTransformer.Masks.Values.Sum(mask => (double)mask.Count - mask.Kept)
            / model.LastTransformer.Masks.Values.Sum(mask => (double)mask.Count), 1e-3);
    }

    [TestMethod]
    public void Keys_count_from_one_and_ids_from_zero()
    {
        var rows = _ml.Data.LoadFromEnumerable(Sentences(40));
        var keyed = _ml.Transforms.Conversion.MapValueToKey("Words", "Ids",
            keyData: _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 50).Select(i => new Token { Ids = i }))).Fit(rows).Transform(rows);
        float[] Scores(string column) => [.. _ml.Transforms
            .LoadNetwork(Zoo.Network("lstm").Path, [column], labelColumnName: "None", task: LearningTask.Multiclass).Fit(keyed)
            .Transform(keyed).GetColumn<float[]>("Score").SelectMany(score => score)];
        CollectionAssert.AreEqual(Scores("Ids"), Scores("Words"));
        CollectionAssert.AreEqual(Scores("Ids"), Scores("Narrow"));
    }

    [TestMethod]
    public void An_open_number_of_steps_is_that_of_the_column()
    {
        var model = Zoo.Network("lstm_steps");
        var rows = _ml.Data.LoadFromEnumerable(Sentences(20));
        var fitted = _ml.Transforms.LoadNetwork(model.Path, [model.Inputs[0].Range.Length > 0 ? "Ids" : "Wave"], labelColumnName: "None",
            task: LearningTask.Multiclass).Fit(rows);
        Assert.IsTrue(fitted.Network.Inputs[0].Shape.Skip(1).All(size => size > 0), fitted.Network.Inputs[0].ToString());
        Assert.IsTrue(fitted.Transform(rows).GetColumn<float[]>("Score").All(score => Math.Abs(score.Sum() - 1) < 1e-4));
    }

    [TestMethod]
    public void The_label_tells_the_task_unless_it_is_given()
    {
        var rows = Rows();
        Assert.AreEqual(LearningTask.Regression, _ml.Transforms.LoadNetwork(Single(), labelColumnName: "Number").Fit(rows).Task);
        Assert.AreEqual(LearningTask.Binary, _ml.Transforms.LoadNetwork(Single(), labelColumnName: "Side").Fit(rows).Task);
        Assert.AreEqual(LearningTask.Binary, _ml.Transforms.LoadNetwork(Single(), labelColumnName: "Number", task: LearningTask.Binary).Fit(rows).Task);
        var keyed = _ml.Transforms.Conversion.MapValueToKey("Label", "Class").Append(_ml.Transforms.LoadNetwork(Network.Mlp(3, 2).Initialize(1))).Fit(rows);
        Assert.AreEqual(LearningTask.Multiclass, keyed.LastTransformer.Task);
        Assert.IsNotNull(keyed.Transform(rows).Schema["PredictedLabel"].Annotations.Schema.GetColumnOrNull("KeyValues"));

        var e = Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.LoadNetwork(Single(), labelColumnName: "Nothing").Fit(rows));
        StringAssert.Contains(e.Message, "'Nothing'");
        StringAssert.Contains(e.Message, "task");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.LoadNetwork(Single(), labelColumnName: "Class").Fit(rows)).Message,
            "MapValueToKey");
    }

    [TestMethod]
    public void A_sigmoid_that_ends_a_regression_is_part_of_it_and_one_that_ends_a_binary_network_is_not()
    {
        var rows = Rows();
        var network = Network.Sequential([3], Layer.Dense(1), Layer.Sigmoid()).Initialize(4);
        float[] logits = [.. rows.GetColumn<float[]>("Features")
            .Select(row => row.Zip(network["fc1.weight"].Values.ToArray(), (x, w) => x * w).Sum() + network["fc1.bias"].Values[0])];
        float[] probabilities = [.. logits.Select(logit => 1 / (1 + MathF.Exp(-logit)))];
        var regression = _ml.Transforms.LoadNetwork(network, labelColumnName: "Number").Fit(rows).Transform(rows);
        Close.AreEqual(probabilities, [.. regression.GetColumn<float>("Score")], 1e-5, "regression");
        var binary = _ml.Transforms.LoadNetwork(network, labelColumnName: "Side").Fit(rows).Transform(rows);
        Close.AreEqual(logits, [.. binary.GetColumn<float>("Score")], 1e-5, "binary");
        Close.AreEqual(probabilities, [.. binary.GetColumn<float>("Probability")], 1e-5, "probability");
    }

    [TestMethod]
    public void An_output_of_the_batch_alone_is_trained_row_by_row()
    {
        var dense = Network.Mlp(3, 1).Initialize(1);
        var network = new Network(dense.Parts with { Nodes = [.. dense.Nodes,
            new Node("flat", "Squeeze", [dense.Output.Name], ["flat"], [new("axes", new long[] { 1 })])], Outputs = ["flat"] });
        Assert.AreEqual(1, network.Output.Shape.Length);
        var random = new Random(1);
        var rows = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 200).Select(_ => new Row { Features = [random.NextSingle(), random.NextSingle(), 1] })
            .Select(row => new Row { Features = row.Features, Number = row.Features[0] - 2 * row.Features[1] }).ToArray());
        var model = _ml.Transforms.LoadNetwork(network, labelColumnName: "Number").Append(_ml.Transforms.FineTune(60, 3e-2)).Fit(rows);
        Assert.IsGreaterThan(0.98, _ml.Regression.Evaluate(model.Transform(rows), "Number").RSquared);
    }

    [TestMethod]
    public void Scores_with_further_dimensions_of_one_are_flattened_before_the_softmax()
    {
        var images = Network.Sequential([1, 2, 2], Layer.Conv2d(3, 2), Layer.Softmax()).Initialize(1);
        Assert.AreEqual(4, images.Output.Shape.Length);
        var rows = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(i => new Square { Features = [i, 1, 2, 3] }).ToArray());
        var scored = _ml.Transforms.LoadNetwork(images, labelColumnName: "None", task: LearningTask.Multiclass).Fit(rows).Transform(rows);
        var expected = rows.GetColumn<float[]>("Features").SelectMany(row =>
        {
            double[] logits = [.. Enumerable.Range(0, 3).Select(k =>
                row.Select((x, i) => (double)x * images["conv1.weight"].Values[4 * k + i]).Sum() + images["conv1.bias"].Values[k])];
            return logits.Select(logit => (float)(Math.Exp(logit) / logits.Sum(Math.Exp)));
        }).ToArray();
        Close.AreEqual(expected, [.. scored.GetColumn<float[]>("Score").SelectMany(score => score)], 1e-5, "Score");
    }

    [TestMethod]
    public void A_file_of_a_fixed_batch_of_one_scores_batches()
    {
        var model = Zoo.Network("lenet5_batch1");
        var open = Zoo.Network("lenet5");
        var random = new Random(2);
        var rows = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 5)
            .Select(_ => new Picture { Input = [.. Enumerable.Range(0, 784).Select(_ => random.NextSingle())] }).ToArray());
        foreach (var path in new[] { model.Path, open.Path })
        {
            var scores = _ml.Transforms.LoadNetwork(path, ["Input"], labelColumnName: "None", task: LearningTask.Multiclass).Fit(rows).Transform(rows)
                .GetColumn<float[]>("Score").ToArray();
            Assert.HasCount(5, scores);
            Assert.IsTrue(scores.All(score => Math.Abs(score.Sum() - 1) < 1e-4));
        }
    }

    [TestMethod]
    public void Without_a_label_it_scores_and_fine_tuning_says_what_is_missing()
    {
        var rows = Rows();
        var chain = _ml.Transforms.LoadNetwork(Single(), labelColumnName: "Nothing", task: LearningTask.Regression);
        Assert.AreEqual(40, chain.Fit(rows).Transform(rows).GetColumn<float>("Score").Count());
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => chain.Append(_ml.Transforms.FineTune(1)).Fit(rows)).Message,
            "label column 'Nothing'");
    }

    [TestMethod]
    public void Columns_that_do_not_fit_are_named_with_what_was_found_and_expected()
    {
        var rows = Rows();
        string Refused(params string[] inputs) => Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => _ml.Transforms.LoadNetwork(Single(), inputs, labelColumnName: "Number").Fit(rows)).Message;
        StringAssert.Contains(Refused("Missing"), "'Missing'");
        StringAssert.Contains(Refused("Missing"), "Features");
        StringAssert.Contains(Refused("Number"), "Vector<Single, 3>");
        StringAssert.Contains(Refused("Class"), "FeaturizeText");
        StringAssert.Contains(Refused("Ids"), "Int32");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.LoadNetwork(Single(), ["Features", "Number"])).Message, "1 inputs");

        var lstm = Zoo.Network("lstm").Path;
        string Tokens(string column) => Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => _ml.Transforms.LoadNetwork(lstm, [column], labelColumnName: "Number", task: LearningTask.Multiclass).Fit(rows)).Message;
        StringAssert.Contains(Tokens("Class"), "tokenizer");
        StringAssert.Contains(Tokens("Ids"), "12 integers");
        StringAssert.Contains(Tokens("Features"), "integers or keys");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.LoadNetwork(lstm, outputs: ["other"])).Message, "'other'");
        Assert.ThrowsExactly<FileNotFoundException>(() => _ml.Transforms.LoadNetwork("nowhere.onnx"));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.LoadNetwork(Network.Mlp(3, 1))).Message, "without values");
    }

    [TestMethod]
    [DataRow(50)]
    [DataRow(-1)]
    public void Ids_beyond_the_table_are_refused_with_row_column_and_range(int id)
    {
        var sentences = Sentences(30);
        sentences[17].Ids[3] = id;
        var rows = _ml.Data.LoadFromEnumerable(sentences);
        var chain = _ml.Transforms.Conversion.MapValueToKey("Label", "Class").Append(_ml.Transforms.LoadNetwork(Zoo.Network("lstm").Path, ["Ids"]));
        void Check(Func<object> run)
        {
            var e = Assert.ThrowsExactly<TrainingDataException>(run);
            Assert.AreEqual("Ids", e.Column);
            Assert.AreEqual(17, e.Row);
            StringAssert.Contains(e.Message, $"value 3 of column 'Ids' is {id}; expected 0 to 49");
        }

        var model = chain.Fit(rows);
        Check(() => model.Transform(rows).GetColumn<float[]>("Score").Count());
        Check(() => chain.Append(_ml.Transforms.FineTune(1)).Fit(rows));
    }

    /// <summary>Sentences of 12 tokens of 50 whose class is the last digit of the first token, and the same in other types.</summary>
    internal static Sentence[] Sentences(int count)
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            long[] ids = [.. Enumerable.Range(0, 12).Select(_ => (long)random.Next(50))];
            ids[11] = i % 10;
            return new Sentence { Ids = ids, Narrow = [.. ids.Select(id => (byte)id)], Texts = [.. ids.Select(id => $"w{id:00}")],
                Wave = [.. ids.SelectMany(id => new float[16].Select((_, k) => (float)Math.Sin(id + k)))], Class = $"class {ids[11]}" };
        })];
    }

    private static Network Single() => Network.Mlp(3, 4, 1).Initialize(1);

    private IDataView Rows() => _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 40)
        .Select(i => new Row { Features = [i % 5, i % 7, 1], Ids = [i, 1], Class = i % 2 == 0 ? "even" : "odd", Number = i, Side = i % 2 == 0 }).ToArray());

    internal sealed class Sentence
    {
        [VectorType(12)]
        public long[] Ids { get; set; } = [];

        [VectorType(12)]
        public byte[] Narrow { get; set; } = [];

        [VectorType(12)]
        public string[] Texts { get; set; } = [];

        [VectorType(192)]
        public float[] Wave { get; set; } = [];

        public string Class { get; set; } = "";
    }

    private sealed class Row
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];

        [VectorType(2)]
        public int[] Ids { get; set; } = [];

        public string Class { get; set; } = "";

        public float Number { get; set; }

        public bool Side { get; set; }
    }

    private sealed class Square
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Picture
    {
        [VectorType(784)]
        public float[] Input { get; set; } = [];
    }

    private sealed class Token
    {
        public long Ids { get; set; }
    }
}
