using System.Collections.Immutable;
using MLNet.Pruning.Data;
using MLNet.Pruning.Data.Teachers;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Training;
using MLNet.Pruning.Training.Distilling;
using MLNet.Pruning.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Training.Distilling;

/// <summary>Losses and weights of students, with every kind of distillation, equal those of PyTorch, by test/peers/distillation.py.</summary>
[TestClass]
public class TorchDistillationTests
{
    public static IEnumerable<object[]> Cases => Fixture.Read<DistillationFixture>("distillation").Cases.Select(c => new object[] { c.Name });

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Losses_and_weights_equal_those_of_PyTorch(string name)
    {
        var expected = Fixture.Read<DistillationFixture>("distillation").Cases.Single(c => c.Name == name);
        var (distillation, teacher, student) = Case(name);
        var task = name switch
        {
            "response of sides" => LearningTask.Binary,
            "response of numbers" or "distances" => LearningTask.Regression,
            _ => LearningTask.Multiclass,
        };
        (teacher, student) = (Load(teacher, expected.Teacher), Load(student, expected.Start));
        var data = Data(expected);
        var rows = data.TrainingRows.ToArray();
        using var scope = NewDisposeScope();
        using var session = distillation.Bind(new TeacherStep
        {
            View = null!,
            Data = data,
            Inputs = new() { Columns = [] },
            Label = "Label",
            Task = task,
            Keys = null,
            Device = CPU,
            BatchSize = 4,
            Read = (_, _, _) => data,
        }, teacher);
        using var taught = new DistillationLoss(session, student, CPU, seed: 1);
        using var weights = new TrainedWeights(student, ImmutableDictionary<string, WeightMask>.Empty, CPU);
        using var rule = Optimizer.Sgd(0.9).Create([.. weights.Trainable, .. taught.Trained], 0);
        using var batch = new Batch(data, task, rows.Length, CPU);
        Start(taught, expected.Projection);
        for (var step = 0; step < expected.Losses.Length; step++)
        {
            using var inner = NewDisposeScope();
            var (features, targets, _) = batch.Gather(rows);
            rule.ClearGradients();
            var logits = weights.Graph.Forward(features, training: true, visit: taught.Visit);
            // Every other step as if augmentation had changed the rows: the teacher then sees them anew.
            var changed = step % 2 == 0 ? null : features;
            var loss = taught.Mix(LossFunction.Mean(LossFunction.Resolve(Loss.Default, task), logits, targets), logits, rows, changed,
                schedule => schedule.Factor(step, expected.Losses.Length, 1));
            loss.backward();
            rule.Step(0.05);
            Assert.AreEqual(expected.Losses[step], LossFunction.Value(loss), 2e-5 * Math.Max(1, expected.Losses[step]), $"loss of step {step}");
        }

        foreach (var (parameter, values) in weights.Snapshot().Parameters.Zip(expected.Weights))
        {
            Close.AreEqual(values, parameter.Values, 2e-5, parameter.Name);
        }

        foreach (var (parameter, values) in taught.Trained.Zip(expected.Projected))
        {
            Close.AreEqual(values, TensorValues.Of(parameter), 2e-5, "projection");
        }
    }

    private static (Distillation Distillation, Network Teacher, Network Student) Case(string name) => name switch
    {
        "response of classes" => (Distillation.Response(3, 0.7), Mlp(12), Mlp(8)),
        "response of sides" => (Distillation.Response(3, 0.6), Mlp(12, 1), Mlp(8, 1)),
        "response of numbers" => (Distillation.Response(3, 0.4), Mlp(12, 1), Mlp(8, 1)),
        "logits" => (Distillation.Logits(), Mlp(12), Mlp(8)),
        "features of equal size" => (Distillation.Features([("relu1", "relu1")], 1.5), Mlp(8), Mlp(8)),
        "features, projected" => (Distillation.Features([("relu1", "relu1.out")], 1.5), Mlp(12), Mlp(8)),
        "features of a convolution" => (Distillation.Features([("tanh1", "tanh1")], 2), Cnn(5, 1), Cnn(3, 1)),
        "features of a smaller convolution" => (Distillation.Features([("tanh1", "tanh1")], 2), Cnn(5, 1), Cnn(3, 2)),
        "features of a larger convolution" => (Distillation.Features([("tanh1", "tanh1")], 2), Cnn(3, 2), Cnn(3, 1)),
        "features of a sequence" => (Distillation.Features([("mixed", "mixed")], 2), AttentionNetwork.Create(6, 2), AttentionNetwork.Create(4, 2)),
        "attention maps" => (Distillation.Attention([("tanh1", "tanh1")], 1000), Cnn(5, 1), Cnn(3, 1)),
        "attention matrices" => (Distillation.Attention([("attention", "attention")], 50), AttentionNetwork.Create(6, 2, folded: true),
            AttentionNetwork.Create(4, 2)),
        "attention matrices of fewer heads" => (Distillation.Attention([("attention", "attention")], 50), AttentionNetwork.Create(6, 3),
            AttentionNetwork.Create(4, 1, folded: true)),
        "relations" => (Distillation.Relations(), Mlp(12), Mlp(8)),
        "distances" => (Distillation.Relations(distance: 3, angle: 0), Mlp(12, 1), Mlp(8, 1)),
        "angles of features" => (Distillation.Relations(distance: 0, angle: 5, pair: ("relu1", "relu1")), Mlp(12), Mlp(8)),
        "similarity" => (Distillation.Similarity(weight: 20), Mlp(12), Mlp(8)),
        "similarity of maps" => (Distillation.Similarity(("tanh1", "tanh1"), 20), Cnn(5, 1), Cnn(3, 2)),
        "several, scheduled" => ((Distillation.Response(4, 0.5) + Distillation.Logits(0.2) + Distillation.Features([("relu1", "relu1")], 0.5)
            + Distillation.Relations() + Distillation.Similarity(("relu1", "relu1"), 10))
            .Scheduled(LearningRateSchedule.Cosine(0.2), LearningRateSchedule.Step(1, 0.5)), Mlp(12), Mlp(8)),
        _ => throw new ArgumentException($"The fixture has an unknown case '{name}'."),
    };

    private static Network Mlp(int hidden, int outputs = 3) => Network.Mlp(6, hidden, outputs);

    private static Network Cnn(int filters, int stride)
        => Network.Sequential([2, 6, 6], Layer.Conv2d(filters, 3, stride, padding: 1), Layer.Tanh(), Layer.Flatten(), Layer.Dense(3));

    private static Network Load(Network network, float[][] values)
        => network.WithParameters(network.Parameters.Zip(values, (parameter, v) => parameter.WithValues(v)));

    /// <summary>The projections' values of the fixture in place of those that were drawn.</summary>
    private static void Start(DistillationLoss taught, float[][] projection)
    {
        using var noGrad = no_grad();
        var trained = taught.Trained.ToArray();
        Assert.HasCount(projection.Length, trained);
        foreach (var (parameter, values) in trained.Zip(projection))
        {
            parameter.copy_(tensor(values).view(parameter.shape));
        }
    }

    private static TrainingData Data(DistillationCase fixture)
    {
        var width = fixture.Rows.Length / fixture.Targets.Length;
        var data = new TrainingData(width);
        for (var row = 0; row < fixture.Targets.Length; row++)
        {
            fixture.Rows.AsSpan(row * width, width).CopyTo(data.Next());
            data.Add(fixture.Targets[row]);
        }

        data.Split(0, seed: 0);
        return data;
    }

    private sealed record DistillationFixture(DistillationCase[] Cases);

    private sealed record DistillationCase(string Name, float[] Rows, float[] Targets, float[][] Teacher, float[][] Start, float[][] Projection, float[] Losses,
        float[][] Weights, float[][] Projected);
}
