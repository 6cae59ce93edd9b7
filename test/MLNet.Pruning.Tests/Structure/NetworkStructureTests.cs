using System.Diagnostics;
using MLNet.Pruning.Networks;

namespace MLNet.Pruning.Tests.Structure;

[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public class NetworkStructureTests
{
    [TestMethod]
    public void Groups_of_known_architectures_are_those_their_definition_gives()
    {
        // Counted from the definitions: ResNet-18 has four stages whose shortcut is one width (64, 128, 256, 512), and the eight widths within its blocks.
        var resnet = Read("resnet18");
        CollectionAssert.AreEquivalent(new[] { 64, 64, 64, 128, 128, 128, 256, 256, 256, 512, 512, 512 }, Widths(resnet));

        // A growth of 32 twice a layer (bottleneck of 128), 58 layers, the stem, and three transitions that halve 256, 512 and 1024; the stem's and each
        // layer's new features are read together.
        var densenet = Read("densenet121");
        Assert.AreEqual(1 + 58 + 58 + 3, Widths(densenet).Length);
        Assert.AreEqual(64 + 58 * (32 + 128) + 128 + 256 + 512, densenet.Count);

        // Two layers in two directions share one hidden size each: 32 and 32 units, and the embedding's columns.
        var lstm = Read("bilstm2");
        Assert.AreEqual(2, lstm.Count(group => group.Kind == StructureKind.HiddenUnit && group.Number == 0));

        // Heads of both layers, neurons of both feed-forward parts; the residual width is normalised over.
        var transformer = Read("transformer");
        Assert.AreEqual(2, transformer.Count(group => group.Kind == StructureKind.Head && group.Number == 0));
        Assert.AreEqual(2, transformer.Count(group => group.Kind == StructureKind.Neuron && group.Number == 0));
    }

    [TestMethod]
    public void A_group_explains_itself()
    {
        var network = Network.Sequential([1, 8, 8], Layer.Conv2d(4, 3), Layer.BatchNorm(), Layer.Relu(), Layer.Flatten(), Layer.Dense(3)).Initialize(1);
        var group = network.Groups()[3];
        var lines = network.Explain(group).Split(Environment.NewLine);
        CollectionAssert.AreEqual(new[]
        {
            "Channel 3 of layer 'conv1'",
            "conv1.weight[3] goes with conv1.bias[3] because node 'conv1' (Conv) shifts or scales it",
            "conv1.weight[3] goes with bn1.weight[3] because node 'bn1' (BatchNormalization) shifts or scales it",
            "conv1.weight[3] goes with bn1.bias[3] because node 'bn1' (BatchNormalization) shifts or scales it",
            "conv1.weight[3] goes with bn1.mean[3] because node 'bn1' (BatchNormalization) shrinks with it",
            "conv1.weight[3] goes with bn1.variance[3] because node 'bn1' (BatchNormalization) shrinks with it",
            "conv1.weight[3] goes with fc1.weight[:,108-143] because node 'fc1' (Gemm) reads it",
        }, lines);
    }

    [TestMethod]
    public void What_cannot_shrink_says_why()
    {
        StringAssert.Contains(string.Join("\n", Network.Mlp(4, 3, 2).Groups().Reasons()),
            "fc2.weight (Gemm 'fc2'), dimension 0: 2 of 2 stay: it is a dimension of the network's output 'fc2.out'");
        StringAssert.Contains(string.Join("\n", Network.FromOnnx(Zoo.Operator("custom_domain").Path).Groups().Reasons()),
            "whose operator Wobble is not analysed");
        StringAssert.Contains(string.Join("\n", Network.FromOnnx(Zoo.Operator("layer_norm").Path).Groups().Reasons()),
            "(LayerNormalization) works over it, and a masked index still counts there");
    }

    [TestMethod]
    public void A_layer_is_never_emptied_and_groups_of_another_network_are_refused()
    {
        var network = Network.Mlp(4, 3, 2).Initialize(1);
        var groups = network.Groups();
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => network.Remove(groups)).Message,
            "Nothing would be left of 'fc1.weight, dimension 0'");
        var other = Network.Mlp(4, 3, 2).Initialize(1);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => other.Remove(groups.Take(1))).Message, "belongs to another network");
        Assert.AreEqual(2, network.Remove(groups.Take(1))["fc1.weight"].Shape[0]);
        Assert.AreEqual(3, network["fc1.weight"].Shape[0], "the network it was given stays as it is");
    }

    [TestMethod]
    public void Removing_twice_remembers_the_indices_of_the_original()
    {
        var network = Network.Mlp(4, 6, 2).Initialize(1);
        var once = network.Remove(network.Groups().Where(group => group.Number is 1 or 4));
        var twice = once.Remove(once.Groups().Where(group => group.Number is 0 or 2));
        var kept = KeptMetadata.Read(twice.Graph.Metadata);
        Assert.AreEqual("2,5", kept["fc1.weight"].Kept[0]);
        Assert.AreEqual("2,5", kept["fc2.weight"].Kept[1]);
        CollectionAssert.AreEqual(new[] { 6, 4 }, kept["fc1.weight"].Shape);
        CollectionAssert.AreEqual(network["fc1.weight"].Values[20..24].ToArray(), twice["fc1.weight"].Values[4..8].ToArray());
    }

    [TestMethod]
    public void A_ResNet_50_is_analysed_in_a_twentieth_of_a_second()
    {
        var network = Network.FromOnnx(Zoo.Network("resnet50").Path);
        var best = Enumerable.Range(0, 12).Min(_ =>
        {
            var watch = Stopwatch.StartNew();
            Assert.IsNotEmpty(network.Groups());
            return watch.Elapsed.TotalSeconds;
        });
        Assert.IsLessThan(0.05, best, "the best of 12 runs, so that a busy machine does not count");
    }

    [TestMethod]
    public void Analysis_takes_a_fraction_of_the_weights_memory()
    {
        var network = Network.FromOnnx(Zoo.Network("resnet50").Path);
        _ = network.Groups();
        network = new Network(network.Parts);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var groups = network.Groups();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.IsNotEmpty(groups);
        Assert.IsLessThan(0.3 * 4 * network.Parameters.Sum(parameter => (long)parameter.Count), allocated, "bytes allocated");
    }

    private static NetworkStructure Read(string name) => Network.FromOnnx(Zoo.Network(name).Path).Groups();

    private static int[] Widths(NetworkStructure structure) => [.. structure.Families.Select(family => family.Groups.Length)];
}
