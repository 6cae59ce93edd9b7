using MLNet.Pruning.Structure;
using MLNet.Pruning.Tests.Cases;

namespace MLNet.Pruning.Tests.Structure;

/// <summary>Dense layers whose outputs are viewed as a picture: they go by channel, with all its rows and columns, or not at all.</summary>
[TestClass]
public class ViewedLayerTests
{
    [TestMethod]
    [DataRow("view_deconv_min", 6, 2, 16)]
    [DataRow("view_conv", 12, 8, 16)]
    [DataRow("view_deconv_pool_head", 12, 8, 16)]
    public void A_dense_layer_viewed_as_a_picture_goes_by_channel(string name, int inputs, int channels, int positions)
    {
        var path = Case.File(name);
        var network = Network.FromOnnx(path);
        var structure = network.Groups();
        var dense = structure.Families[0];
        Assert.AreEqual((channels, positions), (dense.Groups.Length, dense.Groups[0].Members[0].Indices.Length), structure.ToString());
        RemovalExactnessTests.Compare(Model(name, path, inputs), network, [dense.Groups[0]]);
    }

    [TestMethod]
    public void Features_that_a_window_moves_over_stay()
    {
        var path = Case.File("feat_conv1d_pool");
        var network = Network.FromOnnx(path);
        var structure = network.Groups();
        CollectionAssert.AreEqual(new[] { 8 }, structure.Families.Select(family => family.Groups.Length).ToArray(), structure.ToString());
        StringAssert.Contains(string.Join('\n', structure.Reasons()),
            "l.weight (Gemm '/l/Gemm'), dimension 0: 64 of 64 stay: node '/c/Conv' (Conv) moves a window over it");
        RemovalExactnessTests.Compare(Model("feat_conv1d_pool", path, 12), network, [structure[1], structure[6]]);
    }

    private static ZooModel Model(string name, string path, int inputs) => new(name, path, [new("x", ["N", $"{inputs}"], "float", [])], ["y"], true);
}
