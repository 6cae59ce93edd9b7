using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Tests.Cases;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Tests.Scoring;

/// <summary>Scoring in ONNX Runtime against the interpreter, which other tests hold against PyTorch.</summary>
[TestClass]
public class OnnxScorerTests
{
    private const int Rows = 7;

    public static IEnumerable<object[]> Networks => Zoo.Networks.Select(name => new object[] { name });

    [TestMethod]
    public void What_neither_runtime_has_is_refused_with_what_both_say()
    {
        var file = File.ReadAllBytes(Zoo.Operator("custom_domain").Path);
        var said = Assert.Throws<OnnxRuntimeException>(() => new InferenceSession(file)).Message;
        var message = Assert.ThrowsExactly<NotSupportedException>(() =>
            Scorer.Create(Network.FromOnnx(Zoo.Operator("custom_domain").Path), softmax: false, 1)).Message;
        StringAssert.Contains(said, "Wobble");
        StringAssert.Contains(message, said[said.IndexOf("example.custom", StringComparison.Ordinal)..].TrimEnd('.'));
        StringAssert.Contains(message, "operator 'example.custom.Wobble'");
    }

    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void Rows_get_the_scores_that_the_interpreter_gives(string name)
    {
        var model = Zoo.Network(name);
        if (model.Inputs.Any(input => input.Shape.Contains("T")))
        {
            Assert.IsNull(OnnxScorer.Create(Network.FromOnnx(model.Path), softmax: false, Rows, out _), "the interpreter takes the open size from the rows");
            return;
        }

        // Some files fix the rows of a run to one, and the network takes any number.
        model = model with { Inputs = [.. model.Inputs.Select(input => input with { Shape = ["N", .. input.Shape[1..]] })] };

        var network = ScoreOutput.Fit(Network.FromOnnx(model.Path), LearningTask.Multiclass);
        var values = model.Draw(seed: 3, Rows);
        foreach (var softmax in new[] { false, true })
        {
            using var scorer = OnnxScorer.Create(network, softmax, Rows, out _)!;
            using var reference = new TorchScorer(network, softmax, Rows);
            // A full batch, the last of a view, and rows again where the larger one has left its own.
            foreach (var count in new[] { Rows, 3, Rows, 1 })
            {
                foreach (var (rows, width) in new[] { (scorer.Rows, scorer.Width), (reference.Rows, reference.Width) })
                {
                    for (var row = 0; row < count; row++)
                    {
                        var start = row * width;
                        foreach (var input in values)
                        {
                            var size = input.Values.Length / Rows;
                            input.Values.AsSpan((Rows - 1 - row) * size, size).CopyTo(rows.AsSpan(start));
                            start += size;
                        }
                    }
                }

                scorer.Run(count);
                reference.Run(count);
                for (var row = 0; row < count; row++)
                {
                    var (found, expected) = (scorer.Scores(row).ToArray(), reference.Scores(row).ToArray());
                    var largest = expected.Max(Math.Abs);
                    for (var i = 0; i < expected.Length; i++)
                    {
                        Assert.AreEqual(expected[i], found[i], 1e-4 * largest, $"{name}, row {row} of {count}");
                    }
                }
            }
        }
    }

    [TestMethod]
    public void A_softmax_of_large_logits_stays_finite()
    {
        var network = Network.Mlp(1, 3).With("fc1.weight", [1000, -1000, 999]).With("fc1.bias", [0, 0, 0]);
        using var scorer = OnnxScorer.Create(network, softmax: true, 1, out _)!;
        scorer.Rows[0] = 1;
        scorer.Run(1);
        double[] expected = [1 / (1 + Math.Exp(-1)), 0, Math.Exp(-1) / (1 + Math.Exp(-1))];
        for (var i = 0; i < 3; i++)
        {
            Assert.AreEqual(expected[i], scorer.Scores(0)[i], 1e-6);
        }
    }

    [TestMethod]
    public void Threads_share_a_session_and_get_their_own_scores()
    {
        var network = Network.Mlp(5, 4, 2).Initialize(1);
        using var first = OnnxScorer.Create(network, softmax: false, 4, out _)!;
        var expected = Enumerable.Range(0, 64).Select(i => Score(first, i)).ToArray();
        Parallel.For(0, 64, i =>
        {
            using var scorer = OnnxScorer.Create(network, softmax: false, 4, out _)!;
            CollectionAssert.AreEqual(expected[i], Score(scorer, i));
        });

        static float[] Score(OnnxScorer scorer, int seed)
        {
            var random = new Random(seed);
            for (var i = 0; i < scorer.Rows.Length; i++)
            {
                scorer.Rows[i] = random.NextSingle();
            }

            scorer.Run(4);
            return [.. Enumerable.Range(0, 4).SelectMany(row => scorer.Scores(row).ToArray())];
        }
    }

    [TestMethod]
    public void A_file_of_training_scores_as_for_inference_before_and_after_it_is_saved()
    {
        var ml = new MLContext(1);
        var random = new Random(2);
        var rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 6)
            .Select(i => new Picture { Pixels = [.. Enumerable.Range(0, 192).Select(_ => random.NextSingle())] }));
        rows = ml.Data.Cache(rows);
        var model = ml.Transforms.LoadNetwork(Case.File("train_mode"), ["Pixels"], labelColumnName: "None", task: LearningTask.Multiclass).Fit(rows);
        var network = Network.FromOnnx(Case.File("train_mode"));
        Assert.IsTrue(network.Nodes.Any(node => node.IsTraining));
        var scores = model.Transform(rows).GetColumn<float[]>("Score").ToArray();
        // A row alone has no statistics of a batch to be computed with.
        var alone = ml.Model.CreatePredictionEngine<Picture, Scored>(model);
        var path = Path.GetTempFileName();
        ml.Model.Save(model.Compact(), rows.Schema, path);
        var loaded = ml.Model.Load(path, out _);
        var saved = loaded.Transform(rows).GetColumn<float[]>("Score").ToArray();
        var pixels = rows.GetColumn<float[]>("Pixels").ToArray();
        for (var row = 0; row < scores.Length; row++)
        {
            var single = alone.Predict(new() { Pixels = pixels[row] }).Score;
            for (var i = 0; i < single.Length; i++)
            {
                Assert.AreEqual(scores[row][i], single[i], 1e-6);
                Assert.AreEqual(scores[row][i], saved[row][i], 1e-6);
            }
        }

        (loaded as IDisposable)?.Dispose();
        File.Delete(path);
    }

    private sealed class Picture
    {
        [VectorType(192)]
        public float[] Pixels { get; set; } = [];
    }

    private sealed class Scored
    {
        public float[] Score { get; set; } = [];
    }
}
