using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Which runtime scores a network of a chain.</summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public class RuntimeTests
{
    private const int Inputs = 256;
    private static readonly MLContext s_ml = new(1);

    [TestMethod]
    [DataRow(ScoringRuntime.OnnxRuntime)]
    [DataRow(ScoringRuntime.Sparse)]
    [DataRow(ScoringRuntime.Torch)]
    public void Every_runtime_gives_the_same_scores(ScoringRuntime runtime)
    {
        var (model, rows) = Model(0.8);
        var view = s_ml.Data.LoadFromEnumerable(rows);
        var expected = Scores(model, view);
        var other = model.WithRuntime(runtime);
        Assert.AreEqual(runtime, ((NeuralNetworkTransformer)other).Runtime.Single.Runtime);
        Near(expected, Scores(other, view));
        var engine = s_ml.Model.CreatePredictionEngine<Row, Scored>(other);
        Near(expected, [.. rows.Select(row => engine.Predict(row).Score)]);
        Assert.AreEqual(ScoringRuntime.Auto, model.Runtime.Requested, "the model itself stays as it is");
    }

    [TestMethod, DoNotParallelize]
    public void Compact_times_a_network_of_zeros_and_keeps_what_was_faster()
    {
        var (model, rows) = Model(0.97);
        Assert.IsNull(model.Runtime.Machine);
        StringAssert.Contains(model.Runtime.ToString(), "not timed yet");
        var copy = s_ml.Transforms.CopyColumns("Copy", "Score").Fit(model.Transform(s_ml.Data.LoadFromEnumerable(rows)));
        var chain = new TransformerChain<ITransformer>(model, copy);
        var compact = (TransformerChain<ITransformer>)chain.Compact();
        var timed = compact.OfType<NeuralNetworkTransformer>().Single().Runtime;
        foreach (var choice in new[] { timed.Single, timed.Batch })
        {
            // Thirty times fewer multiplications: slower would be a fault.
            Assert.AreEqual(ScoringRuntime.Sparse, choice.Runtime, timed.ToString());
            Assert.IsLessThan(choice.Microseconds["OnnxRuntime"], choice.Microseconds.Values.Min());
            CollectionAssert.IsSubsetOf(new[] { "fc1", "fc2" }, choice.Layers.Select(layer => layer.Layer).ToArray());
        }

        StringAssert.Contains(timed.ToString(), "Single rows: Sparse");
        StringAssert.Contains(timed.ToString(), "fc1");
        var view = s_ml.Data.LoadFromEnumerable(rows);
        Near(Scores(model, view), Scores(compact, view));
        Assert.AreSame(compact, compact.Compact(), "what was timed is not timed again");
    }

    /// <summary>
    /// Not beside other tests: it is timed. Kernels of a few thousand non-zeros against a dense product of two million.
    /// </summary>
    [TestMethod, DoNotParallelize]
    public void Latency_is_measured_on_the_runtime_that_scores()
    {
        var network = Network.Mlp(Inputs, 1500, 1200, 10).Initialize(1).Prune(Amount.Fraction(0.998), granularity: Granularity.Weight).Network;
        var rows = s_ml.Data.LoadFromEnumerable([new Row { Features = new float[Inputs] }]);
        var model = s_ml.Transforms.LoadNetwork(new LoadNetworkOptions { Network = network, InputColumnNames = ["Features"] }).Fit(rows);
        MetricValue Time(ScoringRuntime runtime)
            => s_ml.Compression().Evaluate(model.WithRuntime(runtime), rows, Metric.LatencyPercentile(50)).Values.Single();
        var (sparse, onnx) = (Time(ScoringRuntime.Sparse), Time(ScoringRuntime.OnnxRuntime));
        Assert.IsLessThan(onnx.Value / 2, sparse.Value);
        StringAssert.EndsWith(sparse.Note, "on this machine's CPU (Sparse)");
        StringAssert.EndsWith(onnx.Note, "on this machine's CPU (OnnxRuntime)");
        StringAssert.EndsWith(Time(ScoringRuntime.Torch).Note, "on this machine's CPU (Torch)");
        var (report, asked) = (s_ml.Compression().Report(model), s_ml.Compression().Report(model.WithRuntime(ScoringRuntime.Sparse)));
        Assert.IsLessThan(report.Steps[0].Milliseconds!.Value / 2, asked.Steps[0].Milliseconds!.Value);
    }

    [TestMethod]
    public void A_dense_network_is_not_timed_unless_that_is_asked_for()
    {
        var (model, _) = Model(0);
        Assert.AreSame(model, model.Compact());
        var asked = model.WithRuntime(ScoringRuntime.Auto);
        Assert.IsNotNull(asked.Runtime.Machine);
        Assert.IsNotEmpty(asked.Runtime.Batch.Microseconds);
    }

    [TestMethod]
    public void A_network_of_bytes_is_timed_and_scores_alike_in_each_runtime()
    {
        var (model, rows) = Model(0);
        var bytes = s_ml.Transforms.LoadNetwork(new LoadNetworkOptions
        {
            Network = model.Network.Quantize(Quantizer.Int8(), [.. rows.SelectMany(row => row.Features)]), Task = LearningTask.Multiclass,
        }).Fit(s_ml.Data.LoadFromEnumerable(rows));
        var timed = (NeuralNetworkTransformer)bytes.Compact();
        Assert.IsNotNull(timed.Runtime.Machine);
        StringAssert.Contains(timed.Runtime.ToString(), "integer sparse product");
        var view = s_ml.Data.LoadFromEnumerable(rows);
        var expected = Scores(bytes.WithRuntime(ScoringRuntime.OnnxRuntime), view);
        Near(expected, Scores(bytes.WithRuntime(ScoringRuntime.Sparse), view));
        Near(expected, Scores(timed, view));
    }

    /// <summary>In a batch and alone, whatever scores it.</summary>
    [TestMethod]
    [DataRow("floats", new[] { ScoringRuntime.OnnxRuntime, ScoringRuntime.Sparse, ScoringRuntime.Torch })]
    [DataRow("Int8", new[] { ScoringRuntime.OnnxRuntime, ScoringRuntime.Sparse, ScoringRuntime.Torch })]
    [DataRow("DynamicInt8", new[] { ScoringRuntime.OnnxRuntime, ScoringRuntime.Torch })]
    public void A_value_that_is_not_a_number_spoils_the_scores_of_its_own_row_alone(string form, ScoringRuntime[] runtimes)
    {
        var (model, rows) = Model(0.8);
        var network = form switch
        {
            "Int8" => model.Network.Quantize(Quantizer.Int8(), [.. rows.SelectMany(row => row.Features)]),
            "DynamicInt8" => model.Network.Quantize(Quantizer.DynamicInt8()),
            _ => model.Network,
        };
        var loaded = s_ml.Transforms.LoadNetwork(new LoadNetworkOptions { Network = network, Task = LearningTask.Multiclass })
            .Fit(s_ml.Data.LoadFromEnumerable(rows));
        const int Spoilt = 5;
        // A form that measures ranges as it scores has those of the batch, so that the other rows are compared to the same batch with zeros for that row.
        Row[] Rows(Func<float, int, float> spoil) => [.. rows.Select((row, i) => i == Spoilt ? new Row { Features = [.. row.Features.Select(spoil)] } : row)];
        var (some, zeros) = (Rows((value, j) => j == 7 ? float.NaN : value), Rows((_, _) => 0));
        foreach (var runtime in runtimes)
        {
            var scored = loaded.WithRuntime(runtime);
            var (expected, found) = (Scores(scored, s_ml.Data.LoadFromEnumerable(zeros)), Scores(scored, s_ml.Data.LoadFromEnumerable(some)));
            using var engine = s_ml.Model.CreatePredictionEngine<Row, Scored>(scored);
            for (var i = 0; i < rows.Length; i++)
            {
                float[] alone = engine.Predict(some[i]).Score;
                if (i == Spoilt)
                {
                    Assert.IsTrue(found[i].Concat(alone).All(float.IsNaN), $"{runtime}: {string.Join(" ", found[i].Concat(alone))}");
                }
                else
                {
                    Assert.IsFalse(found[i].Concat(alone).Any(float.IsNaN));
                    CollectionAssert.AreEqual(expected[i], found[i], $"{runtime}: row {i}");
                }
            }
        }
    }

    [TestMethod]
    public void A_file_keeps_the_choice()
    {
        var (model, rows) = Model(0.9);
        var view = s_ml.Data.LoadFromEnumerable(rows);
        foreach (var runtime in Enum.GetValues<ScoringRuntime>())
        {
            var saved = model.WithRuntime(runtime);
            using var stream = new MemoryStream();
            s_ml.Compression().Save(saved, view.Schema, stream);
            stream.Position = 0;
            var loaded = (NeuralNetworkTransformer)s_ml.Compression().Load(stream, out _);
            Assert.AreEqual(saved.Runtime.ToString(), loaded.Runtime.ToString());
            Assert.AreEqual(saved.Runtime.Requested, loaded.Runtime.Requested);
            CollectionAssert.AreEqual(Scores(saved, view).SelectMany(score => score).ToArray(), Scores(loaded, view).SelectMany(score => score).ToArray());
        }
    }

    [TestMethod]
    public void What_ML_NET_saves_scores_alike()
    {
        var (model, rows) = Model(0.9);
        var view = s_ml.Data.LoadFromEnumerable(rows);
        var sparse = model.WithRuntime(ScoringRuntime.Sparse);
        using var stream = new MemoryStream();
        s_ml.Model.Save(sparse, view.Schema, stream);
        stream.Position = 0;
        Near(Scores(sparse, view), Scores(s_ml.Model.Load(stream, out _), view));
    }

    [TestMethod]
    public void What_a_runtime_does_not_run_is_refused_by_name()
    {
        var file = Zoo.Network("lstm_sequence").Path;
        var network = Network.FromOnnx(file);
        var shape = network.Input.Shape.Skip(1).Aggregate(1, (product, size) => product * size);
        var view = s_ml.Data.LoadFromEnumerable(new[] { new Wide { Features = new float[shape] } }, SchemaOf(shape));
        var model = s_ml.Transforms.LoadNetwork(new LoadNetworkOptions { Network = network, Task = LearningTask.Multiclass }).Fit(view);
        var message = Assert.ThrowsExactly<NotSupportedException>(() => model.WithRuntime(ScoringRuntime.Sparse)).Message;
        StringAssert.Contains(message, "Sparse kernels do not run the network: it reads");
        StringAssert.Contains(model.WithRuntime(ScoringRuntime.Auto).Runtime.ToString(), "sparse kernels do not run it, as it reads");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => model.WithRuntime((ScoringRuntime)9));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ((ITransformer)model).WithRuntime((ScoringRuntime)9));
    }

    [TestMethod]
    public void Prediction_engines_share_a_network_across_threads()
    {
        var (model, rows) = Model(0.9);
        var sparse = model.WithRuntime(ScoringRuntime.Sparse);
        float[][] Predict()
        {
            var engine = s_ml.Model.CreatePredictionEngine<Row, Scored>(sparse);
            return [.. rows.Select(row => engine.Predict(row).Score)];
        }

        var expected = Predict();
        Parallel.For(0, 64, new() { MaxDegreeOfParallelism = 64 }, _ =>
        {
            var found = Predict();
            for (var row = 0; row < expected.Length; row++)
            {
                CollectionAssert.AreEqual(expected[row], found[row]);
            }
        });
    }

    [TestMethod]
    public void A_single_row_allocates_nothing_of_ours()
    {
        var (floats, rows) = Model(0.9);
        var bytes = s_ml.Transforms.LoadNetwork(new LoadNetworkOptions
        {
            Network = floats.Network.Quantize(Quantizer.Int8(), [.. rows.SelectMany(row => row.Features)]), Task = LearningTask.Multiclass,
        }).Fit(s_ml.Data.LoadFromEnumerable(rows));
        foreach (var model in new[] { floats, bytes })
        {
            foreach (var runtime in new[] { ScoringRuntime.OnnxRuntime, ScoringRuntime.Sparse })
            {
                var engine = s_ml.Model.CreatePredictionEngine<Row, Scored>(model.WithRuntime(runtime));
                var scored = new Scored();
                Assert.AreEqual(0, Allocations.Of(() =>
                {
                    for (var i = 0; i < 1000; i++)
                    {
                        engine.Predict(rows[i % rows.Length], ref scored);
                    }
                }), runtime.ToString());
            }
        }
    }

    private static (NeuralNetworkTransformer Model, Row[] Rows) Model(double zeros)
    {
        var random = new Random(3);
        Row[] rows = [.. Enumerable.Range(0, 300).Select(_ => new Row
        {
            Features = [.. Enumerable.Range(0, Inputs).Select(_ => random.NextSingle())], Label = (uint)random.Next(10),
        })];
        var network = Scoring.Sparse.SparseProgramTests.Pruned(Network.Mlp(Inputs, 300, 10).Initialize(1), zeros);
        return (s_ml.Transforms.LoadNetwork(new LoadNetworkOptions { Network = network, Task = LearningTask.Multiclass })
            .Fit(s_ml.Data.LoadFromEnumerable(rows)), rows);
    }

    private static float[][] Scores(ITransformer model, IDataView view) => [.. model.Transform(view).GetColumn<float[]>("Score")];

    private static void Near(float[][] expected, float[][] found)
    {
        Assert.HasCount(expected.Length, found);
        foreach (var (one, other) in expected.Zip(found))
        {
            for (var i = 0; i < one.Length; i++)
            {
                Assert.AreEqual(one[i], other[i], 1e-5);
            }
        }
    }

    private static SchemaDefinition SchemaOf(int width)
    {
        var schema = SchemaDefinition.Create(typeof(Wide));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, width);
        return schema;
    }

    private sealed class Row
    {
        [VectorType(Inputs)]
        public float[] Features { get; set; } = [];

        [KeyType(10)]
        public uint Label { get; set; }
    }

    private sealed class Wide
    {
        public float[] Features { get; set; } = [];
    }

    private sealed class Scored
    {
        public float[] Score { get; set; } = [];
    }
}
