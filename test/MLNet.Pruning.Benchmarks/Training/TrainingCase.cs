using System.Collections.Immutable;
using System.Diagnostics;
using MLNet.Pruning.Data;
using MLNet.Pruning.Training;
using static TorchSharp.torch;

namespace MLNet.Pruning.Benchmarks;

/// <summary>One network trained by one optimizer, by the product's own training loop.</summary>
internal sealed class TrainingCase
{
    public const int BatchSize = 64;
    public const int StepsPerEpoch = 25;
    private const int Classes = 10;

    private readonly Network _network;
    private readonly TrainingOptions _options;
    private readonly TrainingData _data;

    public TrainingCase(string network, string optimizer)
    {
        (NetworkName, OptimizerName) = (network, optimizer);
        _network = (network switch { "mlp" => Network.Mlp(784, 300, 100, Classes), "lenet5" => LeNet5(), _ => Vgg() }).Initialize(1);
        _options = new()
        {
            BatchSize = BatchSize,
            Optimizer = optimizer == "sgd" ? Optimizer.Sgd(0.9) : Optimizer.Adam(),
            LearningRate = 1e-3,
        };
        _data = Data(_network.Inputs[0].RowSize);
    }

    public static IEnumerable<TrainingCase> All => from network in new[] { "mlp", "lenet5" } from optimizer in new[] { "sgd", "adam" }
        select new TrainingCase(network, optimizer);

    /// <summary>Those, and one large enough to keep a GPU busy.</summary>
    public static IEnumerable<TrainingCase> OnGpu => [.. All, new("vgg", "sgd"), new("vgg", "adam")];

    /// <summary>"mlp", "lenet5" or "vgg".</summary>
    public string NetworkName { get; }

    /// <summary>"sgd" (with momentum) or "adam".</summary>
    public string OptimizerName { get; }

    public bool Convolutional => NetworkName != "mlp";

    public override string ToString() => $"{NetworkName switch { "mlp" => "MLP 784-300-100-10", "lenet5" => "LeNet-5",
        _ => "6 convolutions of 64 to 256 channels, 3x32x32" }}, "
        + $"{(OptimizerName == "sgd" ? "SGD with momentum" : "Adam")}";

    /// <summary>Epochs that last about so many seconds.</summary>
    public int Epochs(double seconds, Device device)
    {
        StepsPerSecond(1, device);
        return Math.Max(1, (int)(seconds * StepsPerSecond(1, device) / StepsPerEpoch));
    }

    /// <summary>A whole training, copies of the weights to and from the device included.</summary>
    public double StepsPerSecond(int epochs, Device device)
    {
        var loop = new TrainingLoop(_data, _options.With(epochs), LearningTask.Multiclass, device, _ => { });
        var watch = Stopwatch.StartNew();
        loop.Run(_network, ImmutableDictionary<string, WeightMask>.Empty, seed: 1);
        return epochs * StepsPerEpoch / watch.Elapsed.TotalSeconds;
    }

    private static Network LeNet5() => Network.Sequential([1, 28, 28],
        Layer.Conv2d(20, 5), Layer.MaxPool(2), Layer.Conv2d(50, 5), Layer.MaxPool(2), Layer.Flatten(), Layer.Dense(500), Layer.Relu(), Layer.Dense(Classes));

    private static Network Vgg() => Network.Sequential([3, 32, 32], [.. Block(64), .. Block(64), Layer.MaxPool(2), .. Block(128), .. Block(128),
        Layer.MaxPool(2), .. Block(256), .. Block(256), Layer.MaxPool(2), Layer.Flatten(), Layer.Dense(Classes)]);

    private static Layer[] Block(int channels) => [Layer.Conv2d(channels, 3, padding: 1), Layer.BatchNorm(), Layer.Relu()];

    private static TrainingData Data(int width)
    {
        var random = new Random(1);
        var data = new TrainingData(width);
        for (var row = 0; row < BatchSize * StepsPerEpoch; row++)
        {
            foreach (ref var value in data.Next())
            {
                value = random.NextSingle();
            }

            data.Add(random.Next(Classes));
        }

        data.Split(validationFraction: 0, seed: 1);
        return data;
    }
}
