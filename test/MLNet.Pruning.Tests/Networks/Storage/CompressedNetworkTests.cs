using System.Runtime.InteropServices;
using Google.Protobuf;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Networks.Storage;

namespace MLNet.Pruning.Tests.Networks.Storage;

/// <summary>Networks through the arithmetic coder and back.</summary>
[TestClass]
public class CompressedNetworkTests
{
    public static IEnumerable<object[]> Zoos => Zoo.Networks.Where(name => new FileInfo(Zoo.Network(name).Path).Length < 1 << 19)
        .Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Zoos))]
    public void A_network_comes_back_with_the_bytes_of_its_onnx_file(string name)
    {
        var network = Network.FromOnnx(Zoo.Network(name).Path);
        var (back, length) = Back(network);
        Same(Network.FromOnnx(Onnx(network)), back, name);
        Assert.IsLessThan(Onnx(network).Length, length, name);
    }

    [TestMethod]
    [DataRow("integers")]
    [DataRow("16-bit floats")]
    [DataRow("few values")]
    [DataRow("a list of non-zeros")]
    [DataRow("no zeros but negative ones")]
    [DataRow("nothing but zeros")]
    [DataRow("what is no number")]
    public void Values_of_any_kind_come_back_to_the_bit(string kind)
    {
        var network = Network.Mlp(40, 30, 20, 5).Initialize(3);
        var first = network.Parameters[0];
        network = kind switch
        {
            "integers" => network.Quantize(Quantizer.Int8(), Enumerable.Range(0, 400).Select(i => MathF.Sin(i)).ToArray()),
            "16-bit floats" => network.Quantize(Quantizer.Float16),
            "few values" => network.Quantize(Quantizer.Codebook(3)),
            "a list of non-zeros" => Network.FromOnnx(Onnx(network.Prune(Amount.Fraction(0.9)).Network, sparse: true)),
            "no zeros but negative ones" => network.With(first.Name, first.Values.ToArray().Select((value, i) => i % 3 == 0 ? -0f : value).ToArray()),
            "nothing but zeros" => network.With(first.Name, new float[first.Count]),
            _ => network.With(first.Name, first.Values.ToArray().Select((value, i) => (i % 7) switch
            {
                0 => float.NaN, 1 => BitConverter.UInt32BitsToSingle(0xFFC01234), 2 => float.NegativeInfinity, 3 => float.Epsilon, 4 => float.MaxValue,
                _ => value,
            }).ToArray()),
        };
        // What was a list of non-zeros comes back as floats.
        Same(network, Back(network).Network, kind, isFile: kind != "a list of non-zeros");
    }

    [TestMethod]
    [DataRow(0.5, 1)]
    [DataRow(0.05, 3)]
    [DataRow(0.01, 3)]
    [DataRow(0.05, 5)]
    public void Independent_values_take_little_more_than_their_entropy(double density, int bits)
    {
        // Positions and values are drawn by themselves: no coder can do better than the entropy, and contexts have nothing to find.
        var random = new Random(7);
        var values = new float[200 * 1000];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = random.NextDouble() < density ? random.Next(1 << bits) + 1 : 0;
        }

        var network = Network.Sequential([1000], Layer.Dense(200, bias: false)).Initialize(1);
        network = network.With(network.Parameters[0].Name, values);
        var entropy = values.Length * (-density * Math.Log2(density) - (1 - density) * Math.Log2(1 - density) + density * bits) / 8;
        var length = Back(network).Length - Back(network.With(network.Parameters[0].Name, new float[values.Length])).Length;
        Console.WriteLine($"{length} bytes, entropy {entropy:0}");
        Assert.IsLessThan(entropy * 1.03 + 60, (double)length);
        Assert.IsGreaterThan(entropy * 0.99, (double)length);
    }

    [TestMethod]
    public void Rows_and_columns_without_weights_cost_nearly_nothing()
    {
        // 300 of 60,000 places hold the weights: known where, they would need 300 bits.
        var random = new Random(3);
        var network = Network.Sequential([300], Layer.Dense(200, bias: false)).Initialize(1);
        var weight = network.Parameters[0];
        float[] Scattered(int every) => [.. Enumerable.Range(0, weight.Count).Select(i => i / 300 % every == 0 && i % 300 % every == 0
            && random.NextDouble() < 0.5 ? 1f : 0f)];
        var (grouped, sparse) = (Back(network.With(weight.Name, Scattered(10))).Length, Back(network.With(weight.Name,
            [.. Enumerable.Range(0, weight.Count).Select(_ => random.Next(200) == 0 ? 1f : 0f)])).Length);
        Console.WriteLine($"{grouped} bytes in tenth rows and columns, {sparse} anywhere");
        Assert.IsLessThan(0.7 * sparse, (double)grouped);
    }

    [TestMethod]
    public void What_a_network_carries_beside_itself_can_be_left_out()
    {
        var network = Network.Mlp(20, 50, 4).Initialize(1).Prune(Amount.Count(13), granularity: Granularity.Neuron).Network;
        using var without = new MemoryStream();
        network.SaveCompressed(without, metadata: false);
        Assert.IsLessThan(Back(network).Length, (int)without.Length);
        var back = Network.FromCompressed(new MemoryStream(without.ToArray()));
        Assert.IsEmpty(back.Graph.Metadata);
        Assert.IsNotEmpty(Back(network).Network.Graph.Metadata);
        foreach (var parameter in network.Parameters)
        {
            Assert.IsTrue(MemoryMarshal.AsBytes(parameter.Values).SequenceEqual(MemoryMarshal.AsBytes(back[parameter.Name].Values)));
        }
    }

    [TestMethod]
    public void Files_and_streams_hold_the_same_and_the_same_network_the_same_bytes()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory().FullName, "model.nnp");
        var network = Network.Mlp(9, 7, 3).Initialize(5);
        using var stream = new MemoryStream();
        network.SaveCompressed(path);
        network.SaveCompressed(stream);
        CollectionAssert.AreEqual(File.ReadAllBytes(path), stream.ToArray());
        Same(network, Network.FromCompressed(path), path);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        Assert.ThrowsExactly<FileNotFoundException>(() => Network.FromCompressed(path));
        Assert.ThrowsExactly<ModelFileException>(() => Network.FromCompressed(Path.GetTempPath()));
    }

    [TestMethod]
    public void Probabilities_are_those_of_the_logistic_function()
    {
        for (var odds = -Logistic.Most; odds <= Logistic.Most; odds++)
        {
            Assert.AreEqual(Logistic.One / (1 + Math.Exp(-odds / 256.0)), Logistic.Probability(odds), 1.01, $"{odds}");
        }

        for (var probability = 1 << 10; probability < Logistic.One - (1 << 10); probability++)
        {
            var exact = Math.Log(probability / (double)(Logistic.One - probability)) * 256;
            Assert.AreEqual(exact, Logistic.Odds(probability), 1 + (16 * 256.0 * Logistic.One / probability / (Logistic.One - probability)));
        }
    }

    internal static (Network Network, int Length) Back(Network network)
    {
        using var stream = new MemoryStream();
        network.SaveCompressed(stream);
        stream.Position = 0;
        return (Network.FromCompressed(stream), (int)stream.Length);
    }

    private static MemoryStream Onnx(Network network, bool sparse = false)
    {
        var stream = new MemoryStream();
        network.SaveOnnx(stream, sparse);
        stream.Position = 0;
        return stream;
    }

    private static void Same(Network expected, Network actual, string name, bool isFile = true)
    {
        foreach (var parameter in expected.Parameters)
        {
            Assert.IsTrue(MemoryMarshal.AsBytes(parameter.Values).SequenceEqual(MemoryMarshal.AsBytes(actual[parameter.Name].Values)), $"{name} {parameter}");
            Assert.AreEqual(parameter.Grid is null, actual[parameter.Name].Grid is null, $"{name} {parameter}");
            Assert.AreEqual(parameter.CodeLength, actual[parameter.Name].CodeLength, $"{name} {parameter}");
        }

        if (isFile)
        {
            CollectionAssert.AreEqual(Onnx(expected).ToArray(), Onnx(actual).ToArray(), name);
        }
    }
}
