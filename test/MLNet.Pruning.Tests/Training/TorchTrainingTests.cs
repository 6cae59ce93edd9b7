using System.Collections.Immutable;
using MLNet.Pruning.Data;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Training;

namespace MLNet.Pruning.Tests.Training;

/// <summary>Losses, weights and outputs equal those of PyTorch, by test/peers/training.py.</summary>
[TestClass]
public class TorchTrainingTests
{
    public static IEnumerable<object[]> Cases => Fixture.Read<TrainingFixture>("training").Cases.Select(c => new object[] { c.Name });

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Training_equals_that_of_PyTorch(string name)
    {
        var expected = Fixture.Read<TrainingFixture>("training").Cases.Single(c => c.Name == name);
        var (network, options, task) = Setting(name);
        options = options with { Epochs = expected.Steps, BatchSize = expected.Targets.Length };
        network = Load(network, expected.Start);
        var masks = ImmutableDictionary<string, WeightMask>.Empty;
        if (expected.Settings.Masks is { } amounts)
        {
            var pruned = network.Prune(Amount.Fraction(amounts[0]), scope: Scope.Parameters("fc1.weight"))
                .Prune(Amount.Fraction(amounts[1]), scope: Scope.Parameters("fc2.weight"));
            (network, masks) = (pruned.Network, pruned.Masks);
        }

        var data = Data(expected);
        var losses = new List<float>();
        var trained = new TrainingLoop(data, options, task, TorchSharp.torch.CPU, result => losses.Add((float)result.Loss))
            .Run(network, masks, seed: 5).Network;

        Close.AreEqual(expected.Losses, losses.ToArray(), 1e-5, "loss");
        foreach (var (parameter, values) in trained.Parameters.Zip(expected.Weights))
        {
            Close.AreEqual(values, parameter.Values, 2e-5, parameter.Name);
        }

        foreach (var (parameter, mask) in masks)
        {
            for (var i = 0; i < mask.Count; i++)
            {
                Assert.IsTrue(mask[i] || trained[parameter].Values[i] == 0, $"{parameter}[{i}] is {trained[parameter].Values[i]}");
            }
        }

        using var scorer = new TorchScorer(trained, softmax: false, expected.Targets.Length);
        expected.Rows.CopyTo(scorer.Rows, 0);
        scorer.Run(expected.Targets.Length);
        Close.AreEqual(expected.Outputs, Enumerable.Range(0, expected.Targets.Length).SelectMany(row => scorer.Scores(row).ToArray()).ToArray(), 1e-4,
            "output");
    }

    private static (Network, TrainingOptions, LearningTask) Setting(string name)
    {
        var mlp = Network.Mlp(6, 8, 3);
        var one = Network.Sequential([6], Layer.Dense(5), Layer.Tanh(), Layer.Dense(1));
        var options = new TrainingOptions { LearningRate = 0.01 };
        TrainingOptions Sgd(double rate, double momentum = 0, double decay = 0, bool nesterov = false, double? clip = null,
            LearningRateSchedule? schedule = null) => new()
        {
            LearningRate = rate,
            WeightDecay = decay,
            GradientClipping = clip,
            Optimizer = Optimizer.Sgd(momentum, nesterov),
            LearningRateSchedule = schedule ?? LearningRateSchedule.Constant,
        };
        return name switch
        {
            "sgd" => (mlp, Sgd(0.1), LearningTask.Multiclass),
            "momentum" or "masked momentum" => (mlp, Sgd(0.1, 0.9, 0.01), LearningTask.Multiclass),
            "nesterov" => (mlp, Sgd(0.1, 0.9, nesterov: true), LearningTask.Multiclass),
            "adam" => (mlp, new() { LearningRate = 0.01, WeightDecay = 0.02 }, LearningTask.Multiclass),
            "masked adam" => (mlp, options, LearningTask.Multiclass),
            "adamw" => (mlp, new() { LearningRate = 0.01, WeightDecay = 0.1, Optimizer = Optimizer.AdamW() }, LearningTask.Multiclass),
            "clip" => (mlp, Sgd(0.5, clip: 0.05), LearningTask.Multiclass),
            "binary" => (one, options, LearningTask.Binary),
            "mse" => (one, options, LearningTask.Regression),
            "mae" => (one, new() { LearningRate = 0.01, Loss = Loss.MeanAbsoluteError }, LearningTask.Regression),
            "step" => (mlp, Sgd(0.2, schedule: LearningRateSchedule.Step(3, 0.5)), LearningTask.Multiclass),
            "cosine" => (mlp, Sgd(0.2, schedule: LearningRateSchedule.Cosine(0.1)), LearningTask.Multiclass),
            "convolutional" => (Network.Sequential([2, 8, 8],
                Layer.Conv2d(4, 3, padding: 1), Layer.BatchNorm(), Layer.LeakyRelu(0.1), Layer.MaxPool(2),
                Layer.Conv2d(8, 3, stride: 2, padding: 2, dilation: 2, groups: 2, bias: false), Layer.Gelu(), Layer.AveragePool(3, 1, 1),
                Layer.Conv2d(4, 1), Layer.Silu(), Layer.GlobalAveragePool(), Layer.Flatten(), Layer.Dense(6), Layer.BatchNorm(), Layer.Sigmoid(),
                Layer.Dense(4)),
                Sgd(0.05, 0.9), LearningTask.Multiclass),
            _ => throw new ArgumentException(name),
        };
    }

    private static Network Load(Network network, float[][] values)
        => network.WithParameters(network.Parameters.Zip(values, (parameter, v) => parameter.WithValues(v)));

    private static TrainingData Data(TrainingCase fixture)
    {
        var data = new TrainingData(fixture.Width);
        for (var row = 0; row < fixture.Targets.Length; row++)
        {
            fixture.Rows.AsSpan(row * fixture.Width, fixture.Width).CopyTo(data.Next());
            data.Add(fixture.Targets[row]);
        }

        data.Split(0, seed: 0);
        return data;
    }

    internal sealed record TrainingFixture(TrainingCase[] Cases);

    internal sealed record TrainingCase(string Name, TrainingSettings Settings, float[] Rows, int Width, float[] Targets, float[][] Start, float[] Losses,
        float[][] Weights, float[] Outputs, int Steps);

    internal sealed record TrainingSettings(double[]? Masks);
}
