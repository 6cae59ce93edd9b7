using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Google.Protobuf;
using MLNet.Pruning.Networks.Format;

namespace MLNet.Pruning.Tests;

/// <summary>The graphs are all there, and their drawn weights make networks whose outputs tell something.</summary>
[TestClass]
public class ZooTests
{
    public static IEnumerable<object[]> Networks => Zoo.Networks.Select(name => new object[] { name });

    [TestMethod]
    [DataRow("networks", 47)]
    [DataRow("operators", 258)]
    public void Every_graph_is_listed(string name, int count)
    {
        var archive = new ZooArchive(name);
        Assert.HasCount(count, archive.Names);
        CollectionAssert.AreEqual(archive.Names.ToArray(), archive.Graphs().ToArray());
    }

    [TestMethod]
    [DataRow("mlp")]
    [DataRow("tiny_resnet")]
    [DataRow("lstm")]
    public void Weights_are_equal_whenever_they_are_drawn(string name)
    {
        var archive = new ZooArchive("networks");
        var bytes = archive.Draw(name).ToByteArray();
        CollectionAssert.AreEqual(bytes, archive.Draw(name).ToByteArray());
        CollectionAssert.AreEqual(bytes, File.ReadAllBytes(Zoo.Network(name).Path));
    }

    [TestMethod]
    public void Weights_are_equal_wherever_they_are_drawn()
    {
        var (normal, uniform, filters) = (Drawn("normal 0.5 2", 30, 20), Drawn("uniform 0.5 1.5", 600), Drawn("normal 0 2", 5, 4, 3, 3));
        Assert.AreEqual("D226FFAFE66D78515828EFE506E9E0F8D3BE5364045F7C514F1463FBA85E43DD", Hash(normal));
        Assert.AreEqual("C312D18F684BFB7CFEB3CA6CCC2A665D919AD16EB8F45E7A5BE4C845DDFCAEA7", Hash(uniform));
        Assert.AreEqual("1E69B60EBD86E70095006A99EAF846641D15F1981D55F53FA3AF854D3D26576E", Hash(filters));
    }

    [TestMethod]
    public void Weights_are_distributed_as_noted_and_those_of_an_output_sum_to_zero()
    {
        var uniform = Drawn("uniform 0.5 1.5", 5000);
        Assert.AreEqual(0.5, uniform.Min(), 0.01);
        Assert.AreEqual(1.5, uniform.Max(), 0.01);
        Assert.AreEqual(1, uniform.Average(), 0.02);

        var vector = Drawn("normal 3 2", 5000);
        Assert.AreEqual(3, vector.Average(), 0.1);
        Assert.AreEqual(2, Deviation(vector), 0.1);

        var matrix = Drawn("normal 0 2", 100, 50);
        Assert.AreEqual(2, Deviation(matrix), 0.1);
        for (var i = 0; i < 50; i++)
        {
            Assert.AreEqual(0, matrix.Skip(50 * i).Take(50).Sum(), 1e-4, "row");
            Assert.AreEqual(0, matrix.Where((_, j) => j % 50 == i).Sum(), 1e-4, "column");
        }

        var filters = Drawn("normal 0 2", 500, 3, 3, 3);
        Assert.AreEqual(2, Deviation(filters), 0.1);
        for (var i = 0; i < filters.Length; i += 27)
        {
            Assert.AreEqual(0, filters[i..(i + 27)].Sum(), 1e-4, "filter");
            Assert.AreEqual(1, Deviation(filters[i..(i + 27)]) / 2 * Math.Sqrt(13.0 / 12), 0.51, "filter");
        }
    }

    [TestMethod]
    [DynamicData(nameof(Networks))]
    public void Outputs_of_a_network_are_of_order_one_and_depend_on_its_input(string name)
    {
        var model = Zoo.Network(name);
        var rows = Enumerable.Range(1, 16).Select(seed => Reference.Run(model.Path, model.Draw(seed, batch: 1)).Single().Value.Values).ToArray();
        var all = Deviation([.. rows.SelectMany(row => row)]);
        var between = Enumerable.Range(0, rows[0].Length).Average(i => Deviation([.. rows.Select(row => row[i])]));
        Assert.IsTrue(all is > 0.2 and < 10, $"deviation {all}");
        Assert.IsGreaterThan(0.1, between, "deviation between inputs");
    }

    private static double Deviation(float[] values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Average(value => (double)(value - mean) * (value - mean)));
    }

    private static float[] Drawn(string note, params long[] shape)
    {
        var tensor = new TensorProto { Name = "weight", DataType = (int)TensorProto.Types.DataType.Float, Dims = { shape }, DocString = note };
        ZooWeights.Draw(tensor, "model");
        Assert.IsFalse(tensor.HasDocString);
        return OnnxTensor.ToFloats(tensor, null);
    }

    private static string Hash(float[] values) => Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan())));
}
