using System.Collections.Immutable;
using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Compression.Pruning.SparseTrainings;
using MLNet.Pruning.Data;
using MLNet.Pruning.Data.Teachers;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Training;
using MLNet.Pruning.Training.Distilling;
using TorchSharp;

namespace MLNet.Pruning.Tests.Compression.Pruning.SparseTrainings;

/// <summary>Trainings with masks that move, targeted dropout and distillation equal those of PyTorch, by test/peers/sparse_training.py.</summary>
[TestClass]
public class TorchSparseTrainingTests
{
    private const int Steps = 10;

    public static IEnumerable<object[]> Cases => Fixture.Read<SparseFixture>("sparse_training").Cases.Select(c => new object[] { c.Name });

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Training_equals_that_of_PyTorch(string name)
    {
        var expected = Fixture.Read<SparseFixture>("sparse_training").Cases.Single(c => c.Name == name);
        var (task, outputs) = name switch
        {
            "distilled sides" => (LearningTask.Binary, 1),
            "distilled numbers" => (LearningTask.Regression, 1),
            _ => (LearningTask.Multiclass, 3),
        };
        var network = Load(Network.Mlp(6, 8, outputs), expected.Start);
        var options = new TrainingOptions { Epochs = Steps, BatchSize = expected.Targets.Length, LearningRate = 0.1, Optimizer = Optimizer.Sgd(0.9) };
        var teacher = expected.Teacher is null ? null : Load(Network.Mlp(6, 12, outputs), expected.Teacher);
        options = options with
        {
            Distillation = name switch
            {
                "distilled classes" => Distillation.Response(3, 0.7),
                "distilled sides" => Distillation.Response(3, 0.6),
                "distilled numbers" => Distillation.Response(3, 0.4, teacher),
                _ => null,
            },
            TargetedDropout = name == "targeted dropout" ? new TargetedDropout(0.5, 1) : null,
            LastLayers = name == "last layer" ? 1 : null,
        };
        var data = Data(expected);
        using var run = Moving(name)?.Training!.Bind(Moving(name)!, new PrunedNetwork(network, ImmutableDictionary<string, WeightMask>.Empty),
            new(data, task, LossFunction.Resolve(Loss.Default, task), torch.CPU, options.BatchSize, 1, default));
        using var session = options.Distillation?.Bind(new TeacherStep
        {
            View = null!,
            Data = data,
            Inputs = new() { Columns = [] },
            Label = "Label",
            Task = task,
            Keys = null,
            Device = torch.CPU,
            BatchSize = options.BatchSize,
            Read = (_, _, _) => data,
        }, teacher);
        var trained = new TrainingLoop(data, options, task, torch.CPU, _ => { })
            .Run(network, ImmutableDictionary<string, WeightMask>.Empty, 5, 0, run, session).Network;

        foreach (var (parameter, values) in trained.Parameters.Zip(expected.Weights))
        {
            Close.AreEqual(values, parameter.Values, 2e-5, parameter.Name);
        }

        foreach (var (parameter, mask) in run?.Masks ?? ImmutableDictionary<string, WeightMask>.Empty)
        {
            Assert.IsTrue(run!.IsSettled);
            Assert.IsLessThan(mask.Count, mask.Kept);
            for (var i = 0; i < mask.Count; i++)
            {
                Assert.IsTrue(mask[i] || trained[parameter].Values[i] == 0, $"{parameter}[{i}] is {trained[parameter].Values[i]}");
            }
        }
    }

    [TestMethod]
    public void Gates_and_noise_follow_their_papers()
    {
        var expected = Fixture.Read<SparseFixture>("sparse_training").Functions;
        using var scope = torch.NewDisposeScope();
        var alphas = torch.tensor(expected.Alphas);
        Close.AreEqual(expected.Divergence, TensorValues.Of(VariationalDropoutTraining.Divergence(alphas)), 1e-6, "divergence");
        Close.AreEqual(expected.Gate, TensorValues.Of(HardConcreteTraining.Gate(alphas, torch.tensor(expected.Uniform))), 1e-5, "gate");
        Close.AreEqual(expected.Mean, TensorValues.Of(HardConcreteTraining.MeanGate(alphas)), 1e-6, "mean gate");
        Close.AreEqual(expected.Open, TensorValues.Of(HardConcreteTraining.Open(alphas)), 1e-6, "open");
    }

    private static PruningOptions? Moving(string name)
    {
        var training = name switch
        {
            "gradual" or "movement" => SparseTraining.Gradual(every: 2, until: 0.6),
            "surgery" => SparseTraining.Surgery(every: 2, until: 0.6),
            "soft" => SparseTraining.Soft(every: 2, until: 0.6),
            "rigl" => SparseTraining.RigL(0.4, every: 2, until: 0.6),
            _ => null,
        };
        return training is null ? null : new()
        {
            Amount = Amount.Fraction(name == "rigl" ? 0.5 : 0.6),
            Schedule = name == "rigl" ? Schedule.OneShot : Schedule.Linear(4),
            Importance = name == "movement" ? Importance.Movement() : Importance.L1,
            Training = training,
        };
    }

    private static Network Load(Network network, float[][] values)
        => network.WithParameters(network.Parameters.Zip(values, (parameter, v) => parameter.WithValues(v)));

    private static TrainingData Data(SparseCase fixture)
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

    private sealed record SparseFixture(SparseCase[] Cases, SparseFunctions Functions);

    private sealed record SparseCase(string Name, float[] Rows, int Width, float[] Targets, float[][] Start, float[][] Weights, float[][]? Teacher);

    private sealed record SparseFunctions(float[] Alphas, float[] Uniform, float[] Divergence, float[] Gate, float[] Mean, float[] Open);
}
