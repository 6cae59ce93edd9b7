namespace MLNet.Pruning.Tests.Api;

/// <summary>Sizes that no array holds, numbers that no float holds, and lists with nothing in a place are refused where they are given, by name.</summary>
[TestClass]
public class ApiSizesTests
{
    [TestMethod]
    public void Networks_larger_than_an_array_are_refused_with_the_limit()
    {
        foreach (var (name, layer, build) in new (string, string, Action)[]
        {
            ("units", "2147483647 units", () => Network.Mlp(int.MaxValue, int.MaxValue)),
            ("inputs", "30000 units", () => Network.Mlp(100_000, 30_000, 2)),
            ("layers", "'fc1.weight'", () => Network.Sequential([4], Layer.Dense(int.MaxValue))),
        })
        {
            var e = Assert.Throws<ArgumentException>(build);
            StringAssert.Contains(e.Message, layer);
            StringAssert.Contains(e.Message, $"{Array.MaxLength:N0}");
            Assert.AreEqual(name, e.ParamName);
        }
    }

    [TestMethod]
    public void Layers_that_are_null_are_refused()
    {
        Assert.AreEqual("layers", Assert.ThrowsExactly<ArgumentException>(() => Network.Sequential([4], null!)).ParamName);
        Assert.AreEqual("layers", Assert.ThrowsExactly<ArgumentNullException>(() => Network.Sequential([4], Layer.Relu(), null!)).ParamName);
        Assert.AreEqual("layers", Assert.ThrowsExactly<ArgumentNullException>(() => Layer.Residual(Layer.Relu(), null!)).ParamName);
    }

    [TestMethod]
    public void Numbers_that_training_cannot_hold_are_refused_where_they_are_given()
    {
        foreach (var (name, give) in new (string, Action)[]
        {
            ("LearningRate", () => new TrainingOptions { LearningRate = 1.7e308 }),
            ("WeightDecay", () => new TrainingOptions { WeightDecay = 1e300 }),
            ("learningRate", () => SparseTraining.L0(learningRate: 1.7e308)),
            ("strength", () => SparseTraining.VariationalDropout(strength: 1e200)),
            ("epsilon", () => Optimizer.Adam(epsilon: -1)),
            ("epsilon", () => Optimizer.AdamW(epsilon: double.PositiveInfinity)),
            ("epsilon", () => Layer.BatchNorm(epsilon: 1e-60)),
            ("slope", () => Layer.LeakyRelu(1e300)),
            ("epochs", () => LearningRateSchedule.Constant.WithWarmup(double.PositiveInfinity)),
            ("share", () => Schedule.Iterative(5e-324)),
            ("steps", () => Schedule.Linear(int.MaxValue)),
            ("dimension", () => Granularity.Slice(int.MinValue)),
        })
        {
            Assert.AreEqual(name, Assert.ThrowsExactly<ArgumentOutOfRangeException>(give).ParamName);
        }
    }
}
