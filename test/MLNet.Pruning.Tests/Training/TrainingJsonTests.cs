using System.Reflection;
using MLNet.Pruning.Training;

namespace MLNet.Pruning.Tests.Training;

/// <summary>Every training option, whatever is added, survives files.</summary>
[TestClass]
public class TrainingJsonTests
{
    /// <summary>What belongs to the process that trains.</summary>
    private static readonly string[] s_process = [nameof(NeuralNetworkOptions.Network), nameof(TrainingOptions.Progress),
        nameof(TrainingOptions.CancellationToken)];

    /// <summary>For each option a value that is not its default.</summary>
    internal static readonly NeuralNetworkOptions Other = new()
    {
        Network = Network.Mlp(4, 2),
        FeatureColumnName = "Other",
        LabelColumnName = "Class",
        Epochs = 3,
        BatchSize = 7,
        LearningRate = 0.02,
        LearningRateSchedule = LearningRateSchedule.Cosine(0.1).WithWarmup(1.5),
        Optimizer = Optimizer.Sgd(0.8, nesterov: true),
        Loss = Loss.CrossEntropy,
        WeightDecay = 1e-5,
        Regularization = Regularization.ElasticNet(1e-5, 2e-5) + Regularization.GroupLasso(3e-5, Granularity.Row),
        TargetedDropout = new TargetedDropout(0.3, 0.4),
        Distillation = (Distillation.Response(3, 0.4) + Distillation.Features([("fc1", "fc1")], 0.5)).Scheduled(LearningRateSchedule.Linear(0.5),
            LearningRateSchedule.Step(2, 0.3)).WithMemoryLimit(12345),
        Augmentation = Augmentation.Shift(1, 4, 4),
        Quantization = Quantizer.Weights(3),
        LastLayers = 2,
        GradientClipping = 5,
        Metric = Metric.LogLoss,
        EarlyStoppingPatience = 4,
        Seed = 11,
        ValidationFraction = 0.2,
        SkipInvalidRows = true,
        RewindEpoch = 2,
        ExampleWeightColumnName = "Weight",
        Progress = new Progress<EpochResult>(),
        CancellationToken = new CancellationToken(true),
    };

    private static IEnumerable<PropertyInfo> Options => typeof(NeuralNetworkOptions).GetProperties()
        .Where(property => property.SetMethod is { IsPublic: true });

    [TestMethod]
    public void Every_option_survives_a_file()
    {
        var defaults = new NeuralNetworkOptions();
        var read = TrainingJson.Read(TrainingJson.Write(Other));
        foreach (var option in Options)
        {
            Assert.AreNotEqual(Text(option, defaults), Text(option, Other), $"{option.Name} needs another value in this test");
            Assert.AreEqual(Text(option, s_process.Contains(option.Name) ? defaults : Other), Text(option, read), option.Name);
        }
    }

    [TestMethod]
    public void An_option_that_a_file_does_not_name_has_its_default()
        => Assert.AreEqual(new TrainingOptions().BatchSize, TrainingJson.Read(System.Text.Json.JsonDocument.Parse("{}").RootElement).BatchSize);

    private static string Text(PropertyInfo option, object of) => option.GetValue(of) switch
    {
        TargetedDropout dropout => $"{dropout.Targeted} {dropout.Rate}",
        CancellationToken token => $"{token.IsCancellationRequested}",
        var value => value?.ToString() ?? "null",
    };
}
