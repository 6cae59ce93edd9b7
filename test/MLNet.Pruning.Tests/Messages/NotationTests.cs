using MLNet.Pruning.Messages;

namespace MLNet.Pruning.Tests.Messages;

[TestClass]
public class NotationTests
{
    [TestMethod]
    [DataRow("Sgd(0.9, true)")]
    [DataRow("AdamW(0.8, 0.99, 1e-07)")]
    public void An_optimizer_is_made_again_from_its_text(string text) => Assert.AreEqual(text, Notation.Parse<Optimizer>(text).ToString());

    [TestMethod]
    [DataRow("Constant")]
    [DataRow("Constant.WithWarmup(2.5)")]
    [DataRow("Step(3, 0.5)")]
    [DataRow("OneCycle(0.3, 0.04, 4e-06).WithWarmup(1)")]
    public void A_schedule_is_made_again_from_its_text(string text) => Assert.AreEqual(text, Notation.Parse<LearningRateSchedule>(text).ToString());

    [TestMethod]
    [DataRow("ElasticNet(0.1, 0) + GroupLasso(0.2, Slice(-1)) + BatchNormScale(0.3)")]
    [DataRow("GroupLasso(0.2, WeightBlock(2, 3)) + GroupLasso(1, Column) + GroupLasso(1, HiddenUnit) + GroupLasso(1, UnitWithinHeads)")]
    public void Penalties_are_made_again_from_their_text(string text) => Assert.AreEqual(text, Notation.Parse<Regularization>(text).ToString());

    [TestMethod]
    [DataRow("Response(4, 0.9) + Logits(0.1)")]
    [DataRow("Features([(\"a \\\"quoted\\\\\", \"b\")], 0.5) + Relations(0, 0.1, null) + Relations(1, 2, (\"x\", \"y\"))")]
    [DataRow("(Response(3, 0.4) + Similarity((\"x\", \"y\"), 3000)).Scheduled(Linear(0.5), Step(2, 0.3)).WithMemoryLimit(12345)")]
    public void A_distillation_is_made_again_from_its_text(string text) => Assert.AreEqual(text, Notation.Parse<Distillation>(text).ToString());

    [TestMethod]
    public void Every_granularity_is_made_again_from_its_call()
    {
        Granularity[] all =
        [
            Granularity.Weight, Granularity.Row, Granularity.Column, Granularity.Kernel, Granularity.Neuron, Granularity.Filter, Granularity.ChannelGroup,
            Granularity.Head,
            Granularity.HiddenUnit, Granularity.Unit, Granularity.UnitWithinHeads, Granularity.Block, Granularity.Layer, Granularity.Slice(-2),
            Granularity.WeightBlock(1, 4), Granularity.NToM(1, 3),
        ];
        foreach (var granularity in all)
        {
            Assert.AreEqual(granularity.ToString(), Notation.Parse<Granularity>(granularity.ToString()).ToString());
        }
    }

    [TestMethod]
    public void What_is_left_out_has_its_default_and_case_does_not_matter()
    {
        Assert.AreEqual("Sgd(0.9, false)", Notation.Parse<Optimizer>("sgd").ToString());
        Assert.AreEqual("Adam(0.5, 0.999, 1e-08)", Notation.Parse<Optimizer>(" ADAM ( 0.5 ) ").ToString());
    }

    [TestMethod]
    [DataRow("", "expected a name")]
    [DataRow("Sdg(0.9)", "there is no Optimizer.Sdg. Nearest: 'Sgd'")]
    [DataRow("Sgd(0.9", "expected ','")]
    [DataRow("Sgd(0.9, true, 3)", "at most 2 arguments")]
    [DataRow("Sgd(x)", "expected a number")]
    [DataRow("Sgd(0.9) + Sgd(0.9)", "cannot be joined")]
    [DataRow("Sgd(0.9).Nesterov", "there is no Optimizer.Nesterov")]
    [DataRow("Sgd(0.9) and more", "expected the end")]
    public void Texts_that_stand_for_nothing_are_refused_with_the_place(string text, string problem)
        => StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => Notation.Parse<Optimizer>(text)).Message, problem);

    [TestMethod]
    public void Numbers_out_of_range_are_refused_as_where_they_are_given_in_code()
    {
        Assert.AreEqual("momentum", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Notation.Parse<Optimizer>("Sgd(2)")).ParamName);
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => Notation.Parse<LearningRateSchedule>("Step(1.5)")).Message, "no whole number");
    }

    [TestMethod]
    public void Depth_and_length_are_bounded()
    {
        Assert.ThrowsExactly<FormatException>(() => Notation.Parse<Regularization>(new string('(', 60_000)));
        Assert.ThrowsExactly<FormatException>(() => Notation.Parse<Regularization>(new string(' ', 70_000)));
    }
}
