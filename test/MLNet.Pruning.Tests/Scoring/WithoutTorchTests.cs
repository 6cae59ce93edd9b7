using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Scoring;

/// <summary>A web host that only scores does not pay for libtorch: test/MLNet.Pruning.WithoutTorch, a process of its own, has none.</summary>
[TestClass]
public class WithoutTorchTests
{
    private const string Program = "test/MLNet.Pruning.WithoutTorch";

    [TestMethod]
    public void What_needs_no_training_loads_neither_TorchSharp_nor_libtorch()
    {
        var folder = Directory.CreateTempSubdirectory("without-torch");
        var (onnx, saved) = (Path.Combine(folder.FullName, "network.onnx"), Path.Combine(folder.FullName, "model.zip"));
        var ml = new MLContext(seed: 1);
        var random = new Random(1);
        var rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 200)
            .Select(i => new Row { Features = [i % 7, random.NextSingle(), i % 3, 1], Label = (uint)(i % 3) }));
        var model = ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(4, 8, 6, 3), epochs: 2).Append(ml.Transforms.Prune(0.5)).Fit(rows);
        ml.Compression().Save(model, rows.Schema, saved);
        Network.Sequential([1, 8, 8], Layer.Conv2d(4, 3), Layer.BatchNorm(), Layer.Relu(), Layer.Flatten(), Layer.Dense(6), Layer.Relu(), Layer.Dense(3))
            .Initialize(1).SaveOnnx(onnx);

        Assert.IsEmpty(Directory.GetFiles(ChildProcess.OutputOf(Program), "*torch_cpu*", SearchOption.AllDirectories));
        var (exitCode, output, errors) = ChildProcess.Run(ChildProcess.Built(Program, onnx, saved, folder.FullName));

        Assert.AreEqual(0, exitCode, errors);
        Assert.AreEqual("", errors);
        var found = JsonSerializer.Deserialize<Found>(output)!;
        var same = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 5).Select(i => new Row { Features = [i, 1, -i, 0.5f], Label = 1 }));
        var expected = Softmax(model.LastTransformer.Network, same.GetColumn<float[]>("Features").ToArray());
        for (var row = 0; row < expected.Length; row++)
        {
            for (var i = 0; i < 3; i++)
            {
                Assert.AreEqual(expected[row][i], found.Scores[row][i], 1e-6);
                Assert.AreEqual(expected[3][i], found.Single[i], 1e-6);
            }
        }

        folder.Delete(recursive: true);
    }

    /// <summary>What the network computes, in doubles.</summary>
    private static double[][] Softmax(Network network, float[][] rows) => [.. rows.Select(row =>
    {
        double[] values = [.. row];
        foreach (var layer in network.Parameters.Where(parameter => parameter.Shape.Length == 2))
        {
            var bias = network[layer.Name.Replace("weight", "bias")];
            values = [.. Enumerable.Range(0, layer.Shape[0]).Select(o =>
                bias.Values[o] + values.Select((value, i) => value * layer.Values[o * layer.Shape[1] + i]).Sum())];
            values = layer.Shape[0] == 3 ? values : [.. values.Select(value => Math.Max(0, value))];
        }

        var sum = values.Sum(Math.Exp);
        return values.Select(value => Math.Exp(value) / sum).ToArray();
    })];

    private sealed record Found(float[][] Scores, float[] Single);

    private sealed class Row
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];

        [KeyType(3)]
        public uint Label { get; set; }
    }
}
