using MLNet.Pruning.Networks.Graph;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>A network of two inputs, ids and numbers, and two outputs, against its own formula.</summary>
[TestClass]
public class SeveralInputsTests
{
    private const int Classes = 4;

    private readonly MLContext _ml = new(1);
    private readonly float[] _table = Draw(1, 10 * 2);
    private readonly float[] _weight = Draw(2, Classes * 10);

    [TestMethod]
    public void Columns_are_read_in_the_order_given_and_scores_are_those_of_the_formula()
    {
        var items = Items();
        var rows = _ml.Data.LoadFromEnumerable(items);
        var expected = items.SelectMany(item => Softmax(Logits(item))).ToArray();
        foreach (var inputs in new[] { null, new[] { "Tokens", "Numbers" } })
        {
            var fitted = _ml.Transforms.LoadNetwork(Build(inputs is null ? "Tokens" : "ids", inputs is null ? "Numbers" : "x"), inputs, ["logits"], "None",
                LearningTask.Multiclass).Fit(rows);
            Assert.AreEqual(1, fitted.Network.Outputs.Length);
            Close.AreEqual(expected, [.. fitted.Transform(rows).GetColumn<float[]>("Score").SelectMany(score => score)], 1e-5, "Score");

            var engine = _ml.Model.CreatePredictionEngine<Item, Prediction>(fitted);
            Close.AreEqual(expected[Classes..(2 * Classes)], engine.Predict(items[1]).Score, 1e-5, "one row");

            var loaded = LoaderProcess.Score(_ml, fitted, rows);
            Close.AreEqual(expected, loaded["Score"].Rows.SelectMany(row => row).ToArray(), 1e-5, "loaded");
        }
    }

    [TestMethod]
    public void An_output_of_your_choice_is_the_score_and_the_other_is_dropped()
    {
        var items = Items();
        var rows = _ml.Data.LoadFromEnumerable(items);
        var fitted = _ml.Transforms.LoadNetwork(Build("ids", "x"), ["Tokens", "Numbers"], ["sum"], "None", LearningTask.Regression).Fit(rows);
        Close.AreEqual([.. items.Select(item => item.Numbers.Sum())], [.. fitted.Transform(rows).GetColumn<float>("Score")], 1e-5, "Score");
        Assert.IsEmpty(fitted.Network.Parameters);
    }

    [TestMethod]
    public void Both_inputs_are_trained_on()
    {
        var items = Items();
        var rows = _ml.Data.LoadFromEnumerable(items);
        var chain = _ml.Transforms.Conversion.MapValueToKey("Label", "Class")
            .Append(_ml.Transforms.LoadNetwork(new LoadNetworkOptions { Network = Build("Tokens", "Numbers"), OutputName = "logits",
                Training = new() { LearningRate = 3e-2, BatchSize = 16 } }))
            .Append(_ml.Transforms.Prune(0.2)).Append(_ml.Transforms.FineTune(30));
        Assert.IsGreaterThan(0.9, _ml.MulticlassClassification.Evaluate(chain.Fit(rows).Transform(rows)).MicroAccuracy, "the class is in both columns");
    }

    [TestMethod]
    public void Rows_at_fault_are_named_by_their_own_column()
    {
        var items = Items();
        items[5].Numbers[2] = float.NaN;
        var chain = _ml.Transforms.Conversion.MapValueToKey("Label", "Class")
            .Append(_ml.Transforms.LoadNetwork(Build("Tokens", "Numbers"), outputs: ["logits"])).Append(_ml.Transforms.FineTune(1));
        var e = Assert.ThrowsExactly<TrainingDataException>(() => chain.Fit(_ml.Data.LoadFromEnumerable(items)));
        StringAssert.Contains(e.Message, "Row 5: value 2 of column 'Numbers' is NaN");
    }

    [TestMethod]
    public void A_saved_model_refuses_ids_beyond_the_table_too()
    {
        var fitted = _ml.Transforms.LoadNetwork(Build("Tokens", "Numbers"), outputs: ["logits"], labelColumnName: "None", task: LearningTask.Multiclass)
            .Fit(_ml.Data.LoadFromEnumerable(Items()));
        using var stream = new MemoryStream();
        _ml.Model.Save(fitted, fitted.InputSchema, stream);
        stream.Position = 0;
        var loaded = _ml.Model.Load(stream, out _);
        foreach (var id in new[] { -1, 10 })
        {
            var items = Items();
            items[3].Tokens[1] = id;
            var e = Assert.Throws<Exception>(() => loaded.Transform(_ml.Data.LoadFromEnumerable(items)).GetColumn<float[]>("Score").Count());
            StringAssert.Contains(e.ToString(), "out of data bounds");
        }
    }

    private Network Build(string ids, string numbers) => new(new NetworkParts
    {
        Inputs = [new(ids, [TensorInfo.Batch, 3]) { Type = TensorType.Int32 }, new(numbers, [TensorInfo.Batch, 4])],
        Outputs = ["sum", "logits"],
        Nodes =
        [
            new("embedding", "Gather", ["table", ids], ["embedded"], [new("axis", 0L)]),
            new("flatten", "Flatten", ["embedded"], ["flat"], [new("axis", 1L)]),
            new("join", "Concat", ["flat", numbers], ["joined"], [new("axis", 1L)]),
            new("fc", "Gemm", ["joined", "weight"], ["logits"], [new("transB", 1L)]),
            new("total", "ReduceSum", [numbers], ["sum"], [new("axes", new long[] { 1 }), new("keepdims", 1L)]),
        ],
        Parameters = [new("table", [10, 2], _table, true, default), new("weight", [Classes, 10], _weight, true, default)],
    });

    private float[] Logits(Item item)
    {
        float[] joined = [.. item.Tokens.SelectMany(id => _table.AsSpan(2 * id, 2).ToArray()), .. item.Numbers];
        return [.. Enumerable.Range(0, Classes).Select(k => joined.Select((value, i) => value * _weight[k * 10 + i]).Sum())];
    }

    private static IEnumerable<float> Softmax(float[] logits) => logits.Select(logit => (float)(Math.Exp(logit) / logits.Sum(other => Math.Exp(other))));

    private static Item[] Items()
    {
        var random = new Random(4);
        return [.. Enumerable.Range(0, 160).Select(i => new Item
        {
            Tokens = [i % 2, random.Next(10), random.Next(10)],
            Numbers = [i / 2 % 2, random.NextSingle(), random.NextSingle(), 1],
            Class = $"class {i % 4}",
        })];
    }

    private static float[] Draw(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextSingle() - 1)];
    }

    private sealed class Item
    {
        [VectorType(3)]
        public int[] Tokens { get; set; } = [];

        [VectorType(4)]
        public float[] Numbers { get; set; } = [];

        public string Class { get; set; } = "";
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
