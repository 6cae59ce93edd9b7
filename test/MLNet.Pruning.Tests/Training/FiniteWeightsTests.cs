using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Training;

/// <summary>No step hands on a network with weights that are not finite, though only losses before the last step could tell.</summary>
[TestClass]
public class FiniteWeightsTests
{
    private const int Count = 64;

    private readonly MLContext _ml = new(1);

    /// <summary>Without a gradient the update is 0 / 0: a unit that is never active loses its 4 weights, its bias, and the 3 weights that read it.</summary>
    private static Optimizer Breaking => Optimizer.Adam(epsilon: 0);

    [TestMethod]
    public void A_last_step_that_diverges_is_reported_with_the_layer_and_the_count()
    {
        var options = Options(Breaking);
        var e = Assert.ThrowsExactly<InvalidOperationException>(() => _ml.MulticlassClassification.Trainers.NeuralNetwork(options).Fit(Rows()));
        StringAssert.Contains(e.Message, "4 of the 16 values of layer 'fc1' ('fc1.weight')");
        StringAssert.Contains(e.Message, "1 of the 4 values of layer 'fc1' ('fc1.bias')");
        StringAssert.Contains(e.Message, "3 of the 12 values of layer 'fc2' ('fc2.weight')");
        StringAssert.Contains(e.Message, "Lower the learning rate (0.001)");
    }

    [TestMethod]
    [DataRow("FineTune")]
    [DataRow("Prune")]
    [DataRow("Gradual")]
    [DataRow("RigL")]
    [DataRow("Soft")]
    [DataRow("Distill")]
    [DataRow("AutoPrune")]
    public void So_is_that_of_every_later_step(string step)
    {
        var breaking = Options(Breaking);
        IEstimator<ITransformer> later = step switch
        {
            "FineTune" => _ml.Transforms.FineTune(breaking),
            "Prune" => _ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(0.1), FineTuneEpochs = 1, FineTuning = breaking }),
            "Distill" => _ml.Transforms.Distill(breaking),
            "AutoPrune" => _ml.Transforms.AutoPrune(new AutoPruneOptions { Budget = Budget.Parameters(28), FineTuneEpochs = 1, FineTuning = breaking }),
            _ => _ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(0.1), Training = Training(step), FineTuneEpochs = 1,
                FineTuning = breaking }),
        };
        var chain = _ml.MulticlassClassification.Trainers.NeuralNetwork(Options(Optimizer.Sgd())).Append(later);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => chain.Fit(Rows())).Message, "are not finite numbers");
    }

    [TestMethod]
    public void Weights_that_a_penalty_drives_out_of_range_are_reported()
    {
        var options = Options(Optimizer.Sgd()) with { Regularization = Regularization.L2(float.MaxValue), LearningRate = 1 };
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() =>
            _ml.MulticlassClassification.Trainers.NeuralNetwork(options).Fit(Rows())).Message, "diverged");
    }

    private static SparseTraining Training(string name) => name switch
    {
        "Gradual" => SparseTraining.Gradual(every: 1),
        "RigL" => SparseTraining.RigL(every: 1),
        _ => SparseTraining.Soft(every: 1),
    };

    private static NeuralNetworkOptions Options(Optimizer optimizer)
    {
        var network = Network.Mlp(4, 4, 3).Initialize(1);
        var (weights, biases) = (network["fc1.weight"].Values.ToArray(), network["fc1.bias"].Values.ToArray());
        // All inputs lie in [0, 1].
        weights.AsSpan(0, 4).Fill(-0.5f);
        biases[0] = -5;
        return new()
        {
            Network = network.With("fc1.weight", weights).With("fc1.bias", biases),
            Epochs = 1,
            BatchSize = Count,
            ValidationFraction = 0.2,
            Optimizer = optimizer,
        };
    }

    private IDataView Rows()
    {
        var random = new Random(1);
        var rows = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, Count)
            .Select(i => new Row { Features = [.. Enumerable.Range(0, 4).Select(_ => random.NextSingle())], Label = i % 3 }).ToArray());
        return _ml.Transforms.Conversion.MapValueToKey("Label").Fit(rows).Transform(rows);
    }

    private sealed class Row
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }
}
