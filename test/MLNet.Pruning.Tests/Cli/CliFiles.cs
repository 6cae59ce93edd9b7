namespace MLNet.Pruning.Tests.Cli;

/// <summary>A folder of small models for a test, gone afterwards.</summary>
internal sealed class CliFiles : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cli");

    public string this[string name] => Path.Combine(_folder.FullName, name);

    /// <summary>Convolutions of 16 and 32 filters over 12 x 12 pixels, and a dense layer: conv1, batchnorm1, conv2, fc1, fc2.</summary>
    public static Network Convolutional(int seed = 1) => Network.Sequential([1, 12, 12], Layer.Conv2d(16, 3), Layer.BatchNorm(), Layer.Relu(), Layer.MaxPool(2),
        Layer.Conv2d(32, 3), Layer.Relu(),
        Layer.Flatten(), Layer.Dense(20), Layer.Relu(), Layer.Dense(10)).Initialize(seed);

    public string Save(string name, Network network)
    {
        network.SaveOnnx(this[name]);
        return this[name];
    }

    public string Write(string name, params string[] lines)
    {
        File.WriteAllLines(this[name], lines);
        return this[name];
    }

    /// <summary>Names of the files in the folder.</summary>
    public string[] Names() => [.. _folder.GetFiles().Select(file => file.Name).Order()];

    public void Dispose() => _folder.Delete(recursive: true);
}
