using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Offline.Tests.Torch;

[TestClass]
[DoNotParallelize]
public class RandomTests
{
    [TestMethod]
    public void The_same_seed_gives_the_same_bits()
    {
        using DisposeScope scope = NewDisposeScope();
        manual_seed(7);
        Tensor first = randn(100);
        manual_seed(7);
        Assert.IsTrue(first.Equals(randn(100)));
        Assert.IsFalse(first.Equals(randn(100)));
    }

    [TestMethod]
    public void A_generator_is_independent_of_the_default_one()
    {
        using DisposeScope scope = NewDisposeScope();
        using var a = new Generator(5, CPU);
        using var b = new Generator(5, CPU);
        Tensor first = rand(10, generator: a);
        _ = randn(1000);
        Assert.IsTrue(first.Equals(rand(10, generator: b)));
        Assert.IsTrue(zeros(50).bernoulli_(0.5, a).Equals(zeros(50).bernoulli_(0.5, b)));
        Assert.IsTrue(randperm(20, generator: a).Equals(randperm(20, generator: b)));
        a.manual_seed(5);
        Assert.IsTrue(first.Equals(rand(10, generator: a)));
        Assert.AreEqual(5L, a.initial_seed());
    }

    [TestMethod]
    public void A_generators_state_can_be_set_back()
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(1);
        _ = rand(3, generator: generator);
        Tensor state = generator.get_state();
        Tensor next = rand(10, generator: generator);
        generator.set_state(state);
        Assert.IsTrue(next.Equals(rand(10, generator: generator)));
    }

    [TestMethod]
    public void A_disposed_generator_is_refused()
    {
        var generator = new Generator(1);
        generator.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => rand(3, generator: generator));
        Assert.ThrowsExactly<ObjectDisposedException>(() => generator.manual_seed(1));
    }

    [TestMethod]
    public void A_permutation_holds_every_number_once()
        => CollectionAssert.AreEqual(Enumerable.Range(0, 100).Select(i => (long)i).ToArray(), randperm(100).data<long>().ToArray().Order().ToArray());
}
