using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Tests.Networks.Storage;

/// <summary>Weights that an ONNX file holds as few values and a byte a place.</summary>
[TestClass]
public class CodedWeightTests
{
    private static readonly Network s_network = Network.Sequential([3, 12, 12], Layer.Conv2d(16, 3), Layer.Relu(), Layer.MaxPool(2), Layer.Flatten(),
        Layer.Dense(64), Layer.Relu(), Layer.Dense(10)).Initialize(4).Quantize(Quantizer.Codebook(4));

    [TestMethod]
    public void Onnx_runtime_computes_what_floats_compute_and_makes_the_weights_once()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        var path = Path.Combine(folder, "optimized.onnx");
        var input = Enumerable.Range(0, 4 * s_network.Input.RowSize).Select(i => MathF.Sin(i * 0.37f)).ToArray();
        var plain = s_network.WithParameters(s_network.Parameters.Select(parameter => parameter.Coded(0)));
        CollectionAssert.AreEqual(Run(plain, input, null), Run(s_network, input, path));
        var operators = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)).Graph.Node.Select(node => node.OpType).ToArray();
        Directory.Delete(folder, recursive: true);
        Assert.DoesNotContain("Gather", operators);
        Assert.DoesNotContain("Cast", operators);
        var (coded, dense) = (OnnxWriter.Write(s_network).CalculateSize(), OnnxWriter.Write(plain).CalculateSize());
        Console.WriteLine($"{dense} bytes as floats, {coded} in codes");
        Assert.IsLessThan(0.3 * dense, (double)coded);
    }

    [TestMethod]
    public void A_file_is_read_back_and_written_again_with_the_same_bytes()
    {
        var bytes = OnnxWriter.Write(s_network).ToByteArray();
        var back = Network.FromOnnx(new MemoryStream(bytes));
        foreach (var parameter in s_network.Parameters)
        {
            Assert.IsTrue(parameter.Values.SequenceEqual(back[parameter.Name].Values), parameter.Name);
            Assert.AreEqual(parameter.CodeLength, back[parameter.Name].CodeLength, parameter.Name);
            Assert.AreEqual(parameter.Trainable, back[parameter.Name].Trainable, parameter.Name);
        }

        using var again = new MemoryStream();
        back.SaveOnnx(again);
        CollectionAssert.AreEqual(bytes, again.ToArray());
        Assert.AreEqual(s_network.ParameterCount, back.ParameterCount);
        // What is pruned is written anew, on fewer or the same values.
        var pruned = Network.FromOnnx(Saved(back.Prune(Amount.Fraction(0.5)).Network));
        Assert.AreEqual(1, pruned["fc1.weight"].CodeLength);
        // What is trained leaves its values, and is written as floats.
        var trained = back.With("fc1.weight", Enumerable.Range(0, back["fc1.weight"].Count).Select(i => i * 0.01f).ToArray());
        Assert.AreEqual(0, Network.FromOnnx(Saved(trained))["fc1.weight"].CodeLength);
    }

    [TestMethod]
    public void A_large_weight_is_read_as_one()
    {
        var network = Network.Mlp(400, 300, 10).Initialize(1).Quantize(Quantizer.Codebook(8));
        var back = Network.FromOnnx(Saved(network));
        Assert.IsTrue(network["fc1.weight"].Values.SequenceEqual(back["fc1.weight"].Values));
        Assert.HasCount(network.Nodes.Length, back.Nodes);
    }

    [TestMethod]
    [DataRow(0.2, false)]
    [DataRow(0.97, true)]
    public void Each_weight_is_written_in_the_form_that_takes_least(double sparsity, bool isSparse)
    {
        var network = Network.Mlp(60, 50, 10).Initialize(1).Prune(Amount.Fraction(sparsity)).Network.Quantize(Quantizer.Codebook(4));
        var model = ModelProto.Parser.ParseFrom(Saved(network, sparse: true).ToArray());
        Assert.AreEqual(isSparse, model.Graph.SparseInitializer.Any(tensor => tensor.Values.Name == "fc1.weight"));
        Assert.AreEqual(!isSparse, model.Graph.Node.Any(node => node.OpType == "Gather" && node.Output[0] == "fc1.weight"));
        var least = new[] { 0, 1 }.Min(length => Saved(network.WithParameters(network.Parameters.Select(one => one.Coded(length)))).Length);
        Assert.IsLessThanOrEqualTo(least, model.CalculateSize());
        var back = Network.FromOnnx(Saved(network, sparse: true));
        Assert.IsTrue(network.Parameters.All(parameter => parameter.Values.SequenceEqual(back[parameter.Name].Values)));
    }

    [TestMethod]
    public void A_code_beyond_the_values_is_refused()
    {
        var model = OnnxWriter.Write(s_network);
        var codes = model.Graph.Initializer.Single(tensor => tensor.Name == "fc1.weight_codes");
        var bytes = codes.RawData.ToByteArray();
        bytes[7] = 200;
        codes.RawData = ByteString.CopyFrom(bytes);
        var message = Assert.ThrowsExactly<OnnxFormatException>(() => Network.FromOnnx(new MemoryStream(model.ToByteArray()))).Message;
        StringAssert.Contains(message, "entry 200 of a list of 16");
    }

    private static MemoryStream Saved(Network network, bool sparse = false)
    {
        var stream = new MemoryStream();
        network.SaveOnnx(stream, sparse);
        stream.Position = 0;
        return stream;
    }

    private static float[] Run(Network network, float[] rows, string? optimized)
    {
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL };
        if (optimized is not null)
        {
            options.OptimizedModelFilePath = optimized;
        }

        using var session = new InferenceSession(OnnxWriter.Write(network).ToByteArray(), options);
        long[] shape = [rows.Length / network.Input.RowSize, .. network.Input.Shape.Skip(1).Select(size => (long)size)];
        using var input = OrtValue.CreateTensorValueFromMemory(rows, shape);
        using var run = new RunOptions();
        using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
