using MLNet.Pruning.Data;
using MLNet.Pruning.Training;

namespace MLNet.Pruning.Tests.Training;

/// <summary>Networks that PyTorch exported are trained on.</summary>
[TestClass]
public class ZooTrainingTests
{
    private const int Rows = 64;

    [TestMethod]
    [DataRow("lstm")]
    [DataRow("bigru2")]
    [DataRow("birnn2")]
    [DataRow("transformer")]
    [DataRow("vit")]
    [DataRow("tiny_resnet")]
    [DataRow("smallcnn_opset17")]
    public void Training_lowers_the_loss(string name) => Train(Zoo.Network(name), Network.FromOnnx(Zoo.Network(name).Path), learningRate: 3e-3);

    [TestMethod]
    [DataRow("lstm")]
    [DataRow("transformer")]
    [DataRow("tiny_resnet")]
    public void Training_lowers_the_loss_of_a_shrunk_network(string name)
        => Train(Zoo.Network(name), Network.FromOnnx(Zoo.Network(name).Path).Shrink(width: 0.75, depth: name == "lstm" ? 1 : 0.5), learningRate: 3e-3);

    [TestMethod]
    public void A_network_of_two_inputs_is_trained_on_rows_that_hold_both()
        => Train(Zoo.Operator("two_inputs"), Network.FromOnnx(Zoo.Operator("two_inputs").Path), learningRate: 0.1);

    private static void Train(ZooModel model, Network network, double learningRate)
    {
        var inputs = model.Draw(seed: 1, Rows);
        var data = new TrainingData(network.RowSize);
        var random = new Random(2);
        for (var row = 0; row < Rows; row++)
        {
            var rest = data.Next();
            foreach (var input in inputs)
            {
                var size = input.Values.Length / Rows;
                input.Values.AsSpan(row * size, size).CopyTo(rest);
                rest = rest[size..];
            }

            data.Add(random.Next(network.Output.RowSize));
        }

        data.Split(0, seed: 1);
        var options = new TrainingOptions { Epochs = 12, BatchSize = 16, LearningRate = learningRate };
        var result = new TrainingLoop(data, options, LearningTask.Multiclass, TorchSharp.torch.CPU, _ => { })
            .Run(network, new Dictionary<string, WeightMask>(), seed: 3);
        Assert.IsLessThan(0.7 * result.History[0].Loss, result.History[^1].Loss,
            $"{model.Name}: {string.Join(", ", result.History.Select(epoch => epoch.Loss.ToString("F3")))}");
        foreach (var parameter in result.Network.Parameters.Where(parameter => parameter.Trainable))
        {
            Assert.IsFalse(parameter.Values.SequenceEqual(network[parameter.Name].Values), $"{model.Name}: {parameter.Name} did not change");
        }
    }
}
