using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>What is wrong is refused by a typed exception that names it.</summary>
[TestClass]
public class BadInputTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void Missing_columns_are_named_with_those_there_are()
    {
        var options = Options(2) with { FeatureColumnName = "Pixels" };
        var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Fit(Rows(), options));
        StringAssert.Contains(e.Message, "'Pixels'");
        StringAssert.Contains(e.Message, "Features");
        options = options with { FeatureColumnName = "Features", LabelColumnName = "Target" };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Fit(Rows(), options)).Message, "'Target'");
    }

    [TestMethod]
    public void Columns_of_another_type_are_named_with_what_is_expected()
    {
        var options = Options(2) with { FeatureColumnName = "Number" };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Fit(Rows(), options)).Message, "Vector<Single, 2>");
        options = Options(2);
        options = options with { LabelColumnName = "Number" };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Fit(Rows(), options)).Message, "MapValueToKey");
        options = Options(1);
        var binary = _ml.BinaryClassification.Trainers.NeuralNetwork(options);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => binary.Fit(Rows())).Message, "Boolean");
        // Within a chain ML.NET asks for the shapes first: the same is said before any row is read.
        var chain = new EstimatorChain<ITransformer>().Append(_ml.BinaryClassification.Trainers.NeuralNetwork(options));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => chain.Fit(Rows())).Message, "Boolean");
    }

    [TestMethod]
    public void Features_of_another_size_than_the_network_reads_are_refused()
    {
        var options = Options(2) with { Network = Network.Mlp(3, 2) };
        var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Fit(Rows(), options));
        StringAssert.Contains(e.Message, "Vector<Single, 3>");
        StringAssert.Contains(e.Message, "Vector<Single, 2>");
    }

    [TestMethod]
    public void Outputs_that_do_not_fit_the_task_are_refused()
    {
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Fit(Rows(), Options(5))).Message, "5");
        var options = Options(2) with { LabelColumnName = "Number" };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => _ml.Regression.Trainers.NeuralNetwork(options).Fit(Rows())).Message, "one output");
    }

    [TestMethod]
    public void No_rows_and_one_class_only_are_refused()
    {
        var empty = _ml.Data.FilterRowsByColumn(Rows(), "Number", lowerBound: 1e6);
        StringAssert.Contains(Assert.ThrowsExactly<TrainingDataException>(() => Fit(empty, Options(2))).Message, "no rows");
        var one = _ml.Data.FilterRowsByColumn(Rows(), "Number", upperBound: 0.5);
        var e = Assert.ThrowsExactly<TrainingDataException>(() => Fit(one, Options(2)));
        StringAssert.Contains(e.Message, "same class");
        Assert.AreEqual("Label", e.Column);
    }

    [TestMethod]
    [DataRow(float.NaN)]
    [DataRow(float.PositiveInfinity)]
    [DataRow(float.NegativeInfinity)]
    public void Values_that_are_not_finite_are_refused_with_row_and_column(float value)
    {
        var rows = Items();
        rows[7].Features[1] = value;
        var view = Keyed(rows);
        var e = Assert.ThrowsExactly<TrainingDataException>(() => Fit(view, Options(2)));
        Assert.AreEqual(7, e.Row);
        Assert.AreEqual("Features", e.Column);
        StringAssert.Contains(e.Message, "Row 7: value 1 of column 'Features'");

        rows[7].Features[1] = 0;
        rows[9].Number = value;
        var options = Options(1) with { LabelColumnName = "Number" };
        e = Assert.ThrowsExactly<TrainingDataException>(() => _ml.Regression.Trainers.NeuralNetwork(options).Fit(_ml.Data.LoadFromEnumerable(rows)));
        Assert.AreEqual(9, e.Row);
        Assert.AreEqual("Number", e.Column);
    }

    [TestMethod]
    public void Missing_labels_are_refused_or_left_out_as_asked()
    {
        var rows = Items();
        var keys = _ml.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(_ml.Data.LoadFromEnumerable(rows));
        rows[4].Class = "never seen";
        var view = keys.Transform(_ml.Data.LoadFromEnumerable(rows));
        var e = Assert.ThrowsExactly<TrainingDataException>(() => Fit(view, Options(2)));
        Assert.AreEqual(4, e.Row);
        StringAssert.Contains(e.Message, "missing");
        var options = Options(2) with { SkipInvalidRows = true };
        Assert.AreEqual(2, Fit(view, options).GetReport<TrainingReport>().Epochs.Count);
    }

    [TestMethod]
    public void Steps_without_a_network_before_them_say_which_has_to_come()
    {
        foreach (var step in new IEstimator<NeuralNetworkTransformer>[] { _ml.Transforms.Prune(0.5), _ml.Transforms.FineTune(1) })
        {
            StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => step.Fit(Rows())).Message, "Trainers.NeuralNetwork");
            StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => new EstimatorChain<ITransformer>().Append(step).Fit(Rows())).Message,
                "Trainers.NeuralNetwork");
            // A score column of another trainer carries no network.
            var linear = _ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy().Fit(Rows()).Transform(Rows());
            StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => step.Fit(linear)).Message, "carries none");
        }

        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            _ml.Compression().Measure(_ml.Transforms.NormalizeMinMax("Features").Fit(Rows()))).Message, "no neural network");
    }

    [TestMethod]
    public void Sparsities_out_of_range_are_refused()
    {
        foreach (var sparsity in new[] { -0.1, 1, 1.5, double.NaN })
        {
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.Prune(sparsity));
        }
    }

    [TestMethod]
    public void A_target_already_passed_is_refused_with_both_figures()
    {
        var chain = Trained().Append(_ml.Transforms.Prune(0.75)).Append(_ml.Transforms.Prune(0.5));
        var e = Assert.ThrowsExactly<PruningTargetException>(() => chain.Fit(Rows()));
        StringAssert.Contains(e.Message, "0.75");
        StringAssert.Contains(e.Message, "0.5");
    }

    [TestMethod]
    public void Unknown_layers_are_refused_with_the_nearest()
        => StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            Trained().Append(_ml.Transforms.Prune(0.5, scope: Scope.Network.Except("fc"))).Fit(Rows())).Message, "Nearest: 'fc1'");

    [TestMethod]
    public void Nothing_to_prune_is_refused()
        => StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            Trained().Append(_ml.Transforms.Prune(0.5, granularity: Granularity.Filter)).Fit(Rows())).Message, "No layer can be pruned");

    [TestMethod]
    public void Options_out_of_range_are_refused_by_name()
    {
        void Refused(Func<NeuralNetworkOptions, NeuralNetworkOptions> change, string name)
        {
            var e = Assert.Throws<ArgumentException>(() => _ml.MulticlassClassification.Trainers.NeuralNetwork(change(Options(2))));
            Assert.AreEqual(name, e.ParamName);
        }

        // What is wrong by itself is refused when it is set, what contradicts another setting when the step is made.
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new TrainingOptions { Epochs = 0 });
        Assert.ThrowsExactly<ArgumentNullException>(() => new PruningOptions { Scope = null! });
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new PruningOptions { Tolerance = double.NaN });
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new PruningOptions { Rewind = (Rewind)9 });
        Assert.ThrowsExactly<ArgumentException>(() => new AutoPruneOptions { Budget = Budget.Parameters(5), StatePath = "" });
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new SensitivityOptions { BatchSize = 0 });
        Refused(options => options with { Network = null }, "Network");
        Refused(options => options with { Epochs = 0 }, "Epochs");
        Refused(options => options with { BatchSize = 0 }, "BatchSize");
        Refused(options => options with { LearningRate = double.NaN }, "LearningRate");
        Refused(options => options with { GradientClipping = 0 }, "GradientClipping");
        Refused(options => options with { WeightDecay = -1 }, "WeightDecay");
        Refused(options => options with { ValidationFraction = 1 }, "ValidationFraction");
        Refused(options => options with { RewindEpoch = 99 }, "RewindEpoch");
        Refused(options => options with { EarlyStoppingPatience = 1, ValidationFraction = 0 }, "EarlyStoppingPatience");
        Assert.ThrowsExactly<ArgumentException>(() =>
        {
            var options = Options(2) with { Loss = Loss.MeanSquaredError };
            _ml.MulticlassClassification.Trainers.NeuralNetwork(options);
        });
    }

    [TestMethod]
    public void A_GPU_asked_for_and_absent_is_refused_or_replaced_with_a_warning()
    {
        if (TorchSharp.torch.cuda.is_available())
        {
            _ml.GpuDeviceId = TorchSharp.torch.cuda.device_count();
        }
        else
        {
            _ml.GpuDeviceId = 0;
        }

        _ml.FallbackToCpu = false;
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Fit(Rows(), Options(2))).Message, "GpuDeviceId");
        EvaluationReport Time() => _ml.Compression().Evaluate(Network.Mlp(2, 3).Initialize(1), null, new EvaluationOptions { Metrics = [Metric.Latency()] });
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(Time).Message, "GpuDeviceId");
        _ml.FallbackToCpu = true;
        var warnings = new List<string>();
        _ml.Log += (_, message) => warnings.Add(message.Message);
        Assert.AreEqual(2, Fit(Rows(), Options(2)).GetReport<TrainingReport>().Epochs.Count);
        StringAssert.EndsWith(Time().Values[0].Note, "on this machine's CPU");
        Assert.AreEqual(2, warnings.Count(message => message.Contains("the CPU is used")), string.Join('\n', warnings));
    }

    [TestMethod]
    public void Cancelling_in_the_middle_stops_training_and_pruning()
    {
        using var source = new CancellationTokenSource();
        var options = Options(2) with { Epochs = 1000, CancellationToken = source.Token };
        var epochs = 0;
        options = options with
        {
            Progress = new Told<EpochResult>(_ =>
            {
                if (++epochs == 3)
                {
                    source.Cancel();
                }
            }),
        };
        Assert.ThrowsExactly<OperationCanceledException>(() => Fit(Rows(), options));
        Assert.AreEqual(3, epochs);

        using var pruning = new CancellationTokenSource();
        var steps = 0;
        NeuralNetworkTransformer? trained = null;
        var chain = Trained(network => trained = network).Append(_ml.Transforms.Prune(new PruningOptions
        {
            Schedule = Schedule.Linear(4),
            CancellationToken = pruning.Token,
            Progress = new Told<PruningStep>(_ =>
            {
                steps++;
                pruning.Cancel();
            }),
        }));
        Assert.ThrowsExactly<OperationCanceledException>(() => chain.Fit(Rows()));
        Assert.AreEqual(1, steps);
        Assert.AreEqual(0, _ml.Compression().Measure(trained!).Total.Sparsity, "the network before is untouched");
    }

    [TestMethod]
    public void Diverging_training_is_reported_as_such()
    {
        var options = Options(1) with { LabelColumnName = "Number", Optimizer = Optimizer.Sgd(0.9), LearningRate = 1e6, Epochs = 50 };
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => _ml.Regression.Trainers.NeuralNetwork(options).Fit(Rows())).Message,
            "diverged");
    }

    [TestMethod]
    public void Getters_of_another_type_or_before_the_first_row_are_refused()
    {
        var scored = Trained().Fit(Rows()).Transform(Rows());
        using var cursor = scored.GetRowCursor(scored.Schema);
        Assert.ThrowsExactly<InvalidOperationException>(() => cursor.GetGetter<float>(scored.Schema["Score"]));
        var getter = cursor.GetGetter<uint>(scored.Schema["PredictedLabel"]);
        uint key = 0;
        Assert.ThrowsExactly<InvalidOperationException>(() => getter(ref key));
        while (cursor.MoveNext())
        {
            getter(ref key);
            Assert.IsTrue(key is 1 or 2);
        }

        Assert.IsFalse(cursor.MoveNext());
    }

    private NeuralNetworkTransformer Fit(IDataView view, NeuralNetworkOptions options)
        => _ml.MulticlassClassification.Trainers.NeuralNetwork(options).Fit(view);

    private EstimatorChain<NeuralNetworkTransformer> Trained(Action<NeuralNetworkTransformer>? fitted = null)
        => new EstimatorChain<ITransformer>().Append(_ml.MulticlassClassification.Trainers.NeuralNetwork(Options(2))
            .WithOnFitDelegate(network => fitted?.Invoke(network)));

    private static NeuralNetworkOptions Options(int outputs) => new() { Network = Network.Mlp(2, 8, outputs), Epochs = 2, BatchSize = 8 };

    private IDataView Rows() => Keyed(Items());

    private IDataView Keyed(Item[] rows)
    {
        var view = _ml.Data.LoadFromEnumerable(rows);
        return _ml.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(view).Transform(view);
    }

    private static Item[] Items() => [.. Enumerable.Range(0, 40)
        .Select(i => new Item { Features = [i % 5, i % 7], Class = i % 2 == 0 ? "even" : "odd", Number = i % 2 })];

    private sealed class Item
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public string Class { get; set; } = "";

        public float Number { get; set; }
    }

    private sealed class Told<T>(Action<T> action) : IProgress<T>
    {
        public void Report(T value) => action(value);
    }
}
