using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Tests;

namespace MLNet.Pruning.Benchmarks;

/// <summary>The networks that scoring is timed on, with drawn weights.</summary>
internal static class BenchmarkNetworks
{
    public static Network Mlp { get; } = Network.Mlp(784, 300, 100, 10).Initialize(1);

    public static Network LeNet5 { get; } = LeNet(20, 50, 500);

    /// <summary>What is left of it without 70% of its channels and units.</summary>
    public static Network SmallLeNet5 { get; } = LeNet(6, 15, 150);

    /// <summary>ResNet-18 over images of 224 x 224.</summary>
    public static Network ResNet18
    {
        get
        {
            var file = Network.FromOnnx(new ZooArchive("networks").Get("resnet18").Path);
            return new(file.Parts with { Inputs = [new TensorInfo(file.Input.Name, [TensorInfo.Batch, 3, 224, 224])], AsRead = false });
        }
    }

    /// <summary>A convolution of 64 filters of 3 x 3 over 64 channels of 28 x 28, and an average so that rows of values come out.</summary>
    public static Network Convolution { get; } = Network.Sequential([64, 28, 28], Layer.Conv2d(64, 3, padding: 1), Layer.GlobalAveragePool(), Layer.Flatten())
        .Initialize(1);

    /// <summary>A dense layer.</summary>
    public static Network Dense { get; } = Network.Mlp(1024, 1024).Initialize(1);

    private static Network LeNet(int first, int second, int dense) => Network.Sequential([1, 28, 28], Layer.Conv2d(first, 5), Layer.Relu(), Layer.MaxPool(2),
        Layer.Conv2d(second, 5), Layer.Relu(), Layer.MaxPool(2), Layer.Flatten(), Layer.Dense(dense), Layer.Relu(), Layer.Dense(10)).Initialize(1);

    /// <summary>The network with so many of its weights zero, at random.</summary>
    /// <param name="network">The network.</param>
    /// <param name="share">Share of the weights.</param>
    /// <param name="rows">Outputs that are zero together.</param>
    public static Network WithZeros(Network network, double share, int rows = 1)
    {
        var random = new Random(5);
        return network.WithParameters(network.Parameters.Where(parameter => parameter.Shape.Length > 1).Select(parameter =>
        {
            var width = parameter.Count / parameter.Shape[0];
            var zero = new bool[(parameter.Shape[0] + rows - 1) / rows * width];
            for (var i = 0; i < zero.Length; i++)
            {
                zero[i] = random.NextDouble() < share;
            }

            return parameter.WithValues([.. parameter.Array.Select((value, i) => zero[i / width / rows * width + i % width] ? 0 : value)]);
        }));
    }
}
