using MLNet.Pruning.Tests.Pipeline;
using MLNet.Pruning.Training.Distilling;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Training.Distilling;

/// <summary>What does not go together is refused by name, as early as it can be seen.</summary>
[TestClass]
public class DistillationErrorTests
{
    private static readonly (string, string)[] s_pair = [("a", "b")];

    [TestMethod]
    public void Settings_out_of_range_are_refused_when_they_are_made()
    {
        foreach (var weight in new[] { 0, -1, double.NaN, double.PositiveInfinity })
        {
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Distillation.Features(s_pair, weight));
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Distillation.Attention(s_pair, weight));
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Distillation.Similarity(weight: weight));
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Distillation.Logits(weight));
        }

        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Distillation.Relations(0, 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Distillation.Relations(-1, 2));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Distillation.Relations(1, double.NaN));
        Assert.ThrowsExactly<ArgumentException>(() => Distillation.Features([]));
        Assert.ThrowsExactly<ArgumentException>(() => Distillation.Attention([("a", "")]));
        Assert.ThrowsExactly<ArgumentNullException>(() => Distillation.Features(null!));
        Assert.ThrowsExactly<ArgumentException>(() => Distillation.Similarity(("", "b")));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Distillation.Response().WithMemoryLimit(-1));
    }

    [TestMethod]
    public void Kinds_that_contradict_each_other_do_not_add_up()
    {
        Network one = Network.Mlp(2, 2).Initialize(1), other = Network.Mlp(2, 2).Initialize(2);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Distillation.Response(teacher: one) + Distillation.Logits(0.1).From(other)).Message,
            "different teachers");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Distillation.Response() + Distillation.Logits(0.2)).Message, "1.1");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            Distillation.Features(s_pair).Scheduled(LearningRateSchedule.Cosine())
                + Distillation.Similarity().Scheduled(LearningRateSchedule.Linear())).Message, "temperature");
        var sum = Distillation.Response(teacher: one) + Distillation.Logits(0.1) + Distillation.Features(s_pair, 50)
            + Distillation.Relations().Scheduled(weight: LearningRateSchedule.Linear());
        Assert.AreSame(one, sum.Teacher!.Network);
        Assert.HasCount(4, sum.Terms);
        Assert.AreEqual(LearningRateSchedule.Linear().ToString(), sum.WeightSchedule.ToString());
    }

    [TestMethod]
    [DataRow("a layer the teacher lacks", "relu7", "relu1", "teacher has no layer or tensor 'relu7'")]
    [DataRow("a layer the student lacks", "relu1", "relu7", "student has no layer or tensor 'relu7'")]
    [DataRow("the rows themselves", "input", "relu1", "teacher has no layer or tensor 'input'")]
    public void Names_that_are_not_there(string what, string teacher, string student, string expected)
    {
        foreach (var distillation in new[] { Distillation.Features([(teacher, student)]), Distillation.Attention([(teacher, student)]),
            Distillation.Relations(pair: (teacher, student)), Distillation.Similarity((teacher, student)) })
        {
            StringAssert.Contains(Refused(distillation, Network.Mlp(64, 12, 10), Network.Mlp(64, 8, 10)), expected, what);
        }
    }

    [TestMethod]
    public void Tensors_that_do_not_go_together_are_named_with_their_shapes()
    {
        var (large, small) = (Convolution(5, 3), Convolution(3, 4));
        Has(Refused(Distillation.Attention([("conv1", "conv1")]), large, small), "N x 5 x 6 x 6", "N x 3 x 5 x 5", "height and width");
        Has(Refused(Distillation.Features([("conv1", "flatten1")]), large, small), "'conv1' is N x 5 x 6 x 6", "'flatten1' N x 75");
        Has(Refused(Distillation.Attention([("fc1", "fc1")]), large, small), "N x 10", "feature maps are");
        var attention = AttentionNetwork.Create(4, 2);
        Has(Refused(Distillation.Attention([("attention", "scores")]), attention, attention), "teacher's 'attention'", "softmax");
        Has(Refused(Distillation.Attention([("attention", "attention")]), attention, AttentionNetwork.Create(4, 2, length: 6), sameRows: false),
            "N x 2 x 5 x 5", "N x 2 x 6 x 6", "length");
        Has(Refused(Distillation.Features([("mixed", "mixed")]), attention, AttentionNetwork.Create(4, 2, length: 6), sameRows: false), "N x 5 x 4",
            "N x 6 x 4", "length");
        Has(Refused(Distillation.Features([("attention", "attention")]), AttentionNetwork.Create(4, 2, folded: true), attention), "'attention' is",
            "first size");

        static Network Convolution(int filters, int kernel) => Network.Sequential([1, 8, 8], Layer.Conv2d(filters, kernel), Layer.Flatten(), Layer.Dense(10));
        static void Has(string message, params string[] parts) => Array.ForEach(parts, part => StringAssert.Contains(message, part));
    }

    [TestMethod]
    public void A_student_that_does_not_fit_its_teacher()
    {
        var ml = new MLContext(1);
        var trained = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(64, 12, 10), epochs: 1));
        var data = ml.Data.Cache(Digits.Load(ml));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            trained.Append(ml.Transforms.Distill(Network.Mlp(64, 8, 10), Distillation.Features([("relu1", "relu2")]), epochs: 1)).Fit(data)).Message, "relu2");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() =>
            trained.Append(ml.Transforms.Distill(Network.Mlp(64, 8, 12), epochs: 1)).Fit(data)).Message, "12");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            trained.Append(ml.Transforms.Distill(Network.Mlp(64, 8, 10), Distillation.Similarity().From(Network.Mlp(64, 12).Initialize(1)), epochs: 1))
                .Fit(data)).Message,
            "teacher has 12 outputs, but the student 10");
        Assert.ThrowsExactly<InvalidOperationException>(() => Digits.Prepare(ml).Append(ml.Transforms.Distill(Network.Mlp(64, 8, 10))).Fit(data));
    }

    [TestMethod]
    public void A_teacher_of_scores_only_has_nothing_within()
    {
        var student = Network.Mlp(64, 8, 10);
        var context = new TermContext(student, null, 10, LearningTask.Multiclass, TorchSharp.torch.CPU, 1);
        foreach (var distillation in new[] { Distillation.Features([("relu1", "relu1")]), Distillation.Attention([("relu1", "relu1")]),
            Distillation.Relations(pair: ("relu1", "relu1")), Distillation.Similarity(("relu1", "relu1")) })
        {
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => distillation.Terms[0].Bind(context)).Message, "scores only");
        }

        // What compares logits needs no more.
        Distillation.Relations().Terms[0].Bind(context).Dispose();
        Distillation.Similarity().Terms[0].Bind(context).Dispose();
    }

    /// <summary>Message of the error of a training of the student.</summary>
    private static string Refused(Distillation distillation, Network teacher, Network student, bool sameRows = true)
    {
        (teacher, student) = (teacher.Initialize(1), student.Initialize(2));
        var context = new TermContext(student, teacher, 10, LearningTask.Multiclass, TorchSharp.torch.CPU, 1);
        Assert.AreEqual(sameRows, teacher.Input.RowSize == student.Input.RowSize);
        return Assert.ThrowsExactly<ArgumentException>(() => distillation.Terms[0].Bind(context)).Message;
    }
}
