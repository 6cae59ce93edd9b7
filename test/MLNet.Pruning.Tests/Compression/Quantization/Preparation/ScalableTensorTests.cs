using MLNet.Pruning.Compression.Quantization.Preparation;

namespace MLNet.Pruning.Tests.Compression.Quantization.Preparation;

/// <summary>Units divided where they are made and multiplied where they are read: ONNX Runtime computes what it computed.</summary>
[TestClass]
public class ScalableTensorTests
{
    private const double Tolerance = 1e-4;

    [TestMethod]
    public void Any_factors_on_all_units_of_a_network_leave_its_outputs() => Compare(Zoo.Networks.Select(Zoo.Network), atLeast: 40);

    [TestMethod]
    public void Any_factors_leave_the_outputs_behind_every_operator() => Compare(Zoo.Operators.Where(model => model.Runs), atLeast: 40);

    [TestMethod]
    public void Units_are_followed_through_pooling_flattening_and_depthwise_layers_and_not_through_what_saturates()
    {
        var network = Network.Sequential([3, 9, 9], Layer.Conv2d(8, 3), Layer.Relu(), Layer.Conv2d(16, 3, groups: 8), Layer.LeakyRelu(), Layer.MaxPool(2),
            Layer.Flatten(), Layer.Dense(12), Layer.Tanh(), Layer.Dense(5), Layer.Relu(), Layer.Dense(4)).Initialize(3);
        CollectionAssert.AreEqual(new[] { "conv1 8 conv2.weight", "conv2 16 fc1.weight", "fc2 5 fc3.weight" }, ScalableTensor.All(network)
            .Select(tensor => $"{tensor.Maker.Name} {tensor.Units} {string.Join(' ', tensor.Readers.Select(reader => reader.Weight.Name))}").ToArray());
        // Behind the flattening, four values of a channel follow one another.
        var read = ScalableTensor.All(network)[1].Readers.Single().Weight.Units;
        CollectionAssert.AreEqual(Enumerable.Range(0, 64).Select(i => i / 4).ToArray(), read);
    }

    private static void Compare(IEnumerable<ZooModel> models, int atLeast)
    {
        var (wrong, count) = (new List<string>(), 0);
        var folder = Directory.CreateTempSubdirectory("scaled");
        foreach (var model in models)
        {
            var network = Network.FromOnnx(model.Path);
            var random = new Random(5);
            var tensors = ScalableTensor.All(network);
            count += tensors.Count;
            if (tensors.Count == 0)
            {
                continue;
            }

            var scaled = tensors.Aggregate(network, (now, tensor)
                => tensor.Divide(now, [.. Enumerable.Range(0, tensor.Units).Select(_ => Math.Pow(4, random.NextDouble() * 2 - 1))]));
            var path = Path.Combine(folder.FullName, "scaled.onnx");
            scaled.SaveOnnx(path);
            Assert.IsFalse(scaled[tensors[0].Made.Name].Values.SequenceEqual(network[tensors[0].Made.Name].Values), model.Name);
            var inputs = model.Inputs[0].Shape[0] == "N" ? model.Draw(seed: 3) : model.Draw(seed: 3, batch: 1);
            var (expected, actual) = (Reference.Run(model.Path, inputs), Reference.Run(path, inputs));
            foreach (var (output, (_, values)) in expected)
            {
                var worst = values.Zip(actual[output].Values, (a, b) => float.IsNaN(a - b) ? float.PositiveInfinity : Math.Abs(a - b)).Max();
                if (worst / values.Max(Math.Abs) > Tolerance)
                {
                    wrong.Add($"{model.Name}, {output}: {worst} of {values.Max(Math.Abs)} with {string.Join(", ", tensors.Select(one => one.Maker))}");
                }
            }
        }

        folder.Delete(recursive: true);
        Assert.IsEmpty(wrong, string.Join(Environment.NewLine, wrong));
        Assert.IsGreaterThan(atLeast, count);
    }
}
