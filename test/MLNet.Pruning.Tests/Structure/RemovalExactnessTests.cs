using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Tests.Structure;

/// <summary>The removed network computes in ONNX Runtime what the network with the same groups at zero computes there.</summary>
[TestClass]
public class RemovalExactnessTests
{
    private const double Tolerance = 1e-4;

    /// <summary>Networks in which nothing can go: every dimension is normalised over, or is an output.</summary>
    private static readonly string[] s_fixed =
    [
        "attention_residual", "cumulative_sum_channels", "custom_domain", "gemm_trans_a", "group_norm_one", "if_subgraph",
        "layer_norm", "layer_norm_2d", "layer_norm_decomposed", "layer_norm_image", "log_softmax", "lrn", "reduce_mean_channels", "softmax_channels",
        "softmax_opset11",
        "tokens_of_image", "top_k_channels",
    ];

    public static IEnumerable<object[]> Networks => Zoo.Networks.Select(name => new object[] { name });

    public static IEnumerable<object[]> Attention => Zoo.Networks.Where(name => name.StartsWith("transformer", StringComparison.Ordinal) || name == "vit")
        .Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void Half_of_a_networks_groups_removed_equals_half_masked(string name) => Compare(Zoo.Network(name), new());

    [TestMethod]
    [DynamicData(nameof(Attention))]
    public void The_same_index_of_every_head_removed_equals_masked(string name) => Compare(Zoo.Network(name), new() { WholeHeads = false });

    [TestMethod]
    [DataRow(true, false)]
    [DataRow(false, false)]
    [DataRow(true, true)]
    public void Through_every_operator_removed_equals_masked(bool wholeHeads, bool wholeGroups)
    {
        var differing = new List<string>();
        foreach (var model in Zoo.Operators.Where(model => model.Runs))
        {
            try
            {
                Compare(model, new() { WholeHeads = wholeHeads, WholeGroups = wholeGroups });
            }
            catch (Exception e) when (e is AssertFailedException or ArgumentException or NotSupportedException)
            {
                differing.Add($"{model.Name}: {e.GetType().Name} {e.Message}");
            }
        }

        Assert.IsEmpty(differing, string.Join(Environment.NewLine, differing));
    }

    [TestMethod]
    public void Every_single_group_of_small_networks_can_go_alone()
    {
        foreach (var name in new[] { "channel_shuffle", "attention_packed", "lstm_both_sequence", "residual_chain", "concat", "squeeze_excite", "conv_grouped",
            "embedding" })
        {
            var model = Zoo.Operator(name);
            var network = Network.FromOnnx(model.Path);
            foreach (var group in network.Groups())
            {
                Compare(model, network, [group]);
            }
        }
    }

    private static void Compare(ZooModel model, StructureOptions options)
    {
        var network = Network.FromOnnx(model.Path);
        var structure = network.Groups(options);
        if (s_fixed.Contains(model.Name) && (options.WholeHeads || model.Name != "attention_residual"))
        {
            Assert.IsEmpty(structure, $"{model.Name}: {structure}");
            Assert.IsNotEmpty(structure.Reasons().ToArray(), $"{model.Name} says why");
            return;
        }

        Assert.IsNotEmpty(structure, $"{model.Name}: {structure}");
        if (structure.Count == 1)
        {
            // Whole groups whose channels a shuffle mixes are all one.
            Assert.ThrowsExactly<ArgumentException>(() => network.Remove(structure));
            return;
        }

        Compare(model, network, Half(structure));
    }

    internal static void Compare(ZooModel model, Network network, IReadOnlyList<PruningGroup> groups)
    {
        var folder = Directory.CreateTempSubdirectory("removal");
        try
        {
            var (masked, removed) = (Path.Combine(folder.FullName, "masked.onnx"), Path.Combine(folder.FullName, "removed.onnx"));
            network.Mask(groups).SaveOnnx(masked);
            var smaller = network.Remove(groups);
            smaller.SaveOnnx(removed);
            Assert.IsLessThan(network.Parameters.Sum(parameter => (long)parameter.Count), smaller.Parameters.Sum(parameter => (long)parameter.Count),
                model.Name);
            var inputs = model.Draw(seed: 3);
            if (model.Inputs[0].Shape[0] != "N")
            {
                inputs = model.Draw(seed: 3, batch: 1);
            }

            var (expected, actual) = (Reference.Run(masked, inputs), Reference.Run(removed, inputs));
            foreach (var (output, (shape, values)) in expected)
            {
                CollectionAssert.AreEqual(shape, actual[output].Shape, $"{model.Name}, shape of {output}");
                var largest = values.Max(Math.Abs);
                Assert.IsGreaterThan(1e-3f, largest, $"{model.Name}: {output} is near zero, which would prove nothing");
                var worst = values.Zip(actual[output].Values, (a, b) => float.IsNaN(a - b) ? float.PositiveInfinity : Math.Abs(a - b)).Max();
                Assert.IsLessThanOrEqualTo(Tolerance, worst / largest, $"{model.Name}, {output}: {groups.Count} of the groups, relative error");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A seeded half of the groups of every layer, at least one left of everything.</summary>
    private static List<PruningGroup> Half(NetworkStructure structure)
    {
        var random = new Random(7);
        var groups = structure.Families.SelectMany(family => family.Groups.Where(_ => random.Next(2) == 0).Take(Math.Max(1, family.Groups.Length - 1)))
            .ToList();
        while (groups.Count > 0 && new StructureRemoval(structure, groups).Emptied().FirstOrDefault() is { Name: not null } emptied)
        {
            var classes = emptied.Classes.Select(structure.Coupling.Classes.Find).ToHashSet();
            groups.Remove(groups.First(group => classes.Contains(group.Root)));
        }

        return groups;
    }
}
