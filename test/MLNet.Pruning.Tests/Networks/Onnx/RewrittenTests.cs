using MLNet.Pruning.Tests.Cases;
using MLNet.Pruning.Tests.Scoring;
using MLNet.Pruning.Tests.Structure;
using Microsoft.ML.OnnxRuntime;

namespace MLNet.Pruning.Tests.Networks.Onnx;

/// <summary>Networks of operators that are rewritten as simpler ones: scored as ONNX Runtime scores the file, and pruned exactly.</summary>
[TestClass]
public class RewrittenTests
{
    [TestMethod]
    [DataRow("opset23_attention", "6,32", 3_648L)]
    [DataRow("einsum", "6,16", 0L)]
    [DataRow("groupnorm", "3,8,8", 0L)]
    [DataRow("ms_attention", "6,32", 8_576L)]
    [DataRow("fused_conv", "3,8,8", 0L)]
    public void A_network_scores_and_shrinks_as_in_ONNX_Runtime(string name, string row, long parameters)
    {
        var model = new ZooModel(name, Case.File(name), [new("x", ["N", .. row.Split(',')], "float", [])], ["y"], true);
        OnnxRuntimeTests.Compare(model, ZooModel.Batch);
        OnnxRuntimeTests.Compare(model, 1);
        var network = Network.FromOnnx(model.Path);
        Assert.IsTrue(network.Nodes.All(node => node.Domain.Length == 0), string.Join('\n', network.Nodes));
        Assert.IsNotNull(NetworkCost.Of(network).Total.MultiplyAdds);
        if (parameters > 0)
        {
            Assert.AreEqual(parameters, network.ParameterCount);
        }

        var structure = network.Groups();
        Assert.IsGreaterThan(1, structure.Count, structure.ToString());
        RemovalExactnessTests.Compare(model, network, [.. structure.Families.SelectMany(family => family.Groups.Where((_, i) => i % 2 == 1))]);
    }

    [TestMethod]
    [DataRow("transformer")]
    [DataRow("vit")]
    [DataRow("lenet5")]
    [DataRow("mobilenet_v3_small")]
    public void What_ONNX_Runtime_optimizes_counts_and_shrinks_as_before(string name)
    {
        var model = Zoo.Network(name);
        var path = Path.Combine(Path.GetTempPath(), $"optimized-{Guid.NewGuid():N}.onnx");
        try
        {
            using (var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED, OptimizedModelFilePath = path })
            {
                new InferenceSession(model.Path, options).Dispose();
            }

            var (before, network) = (Network.FromOnnx(model.Path), Network.FromOnnx(path));
            Assert.AreEqual(NetworkCost.Of(before).Total.MultiplyAddsFormula, NetworkCost.Of(network).Total.MultiplyAddsFormula);
            var structure = network.Groups();
            Assert.AreEqual(before.Groups().Count, structure.Count, structure.ToString());
            OnnxRuntimeTests.Compare(model with { Path = path }, model.Inputs[0].Shape[0] == "N" ? ZooModel.Batch : 1);
            RemovalExactnessTests.Compare(model with { Path = path }, network,
                [.. structure.Families.SelectMany(family => family.Groups.Where((_, i) => i % 2 == 1))]);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void Whole_groups_of_a_group_normalisation_go()
    {
        var structure = Network.FromOnnx(Case.File("groupnorm")).Groups();
        CollectionAssert.AreEqual(new[] { 8, 16 }, structure.Families.Select(family => family.Groups.Length).ToArray(), structure.ToString());
    }
}
