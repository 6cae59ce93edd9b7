using Google.Protobuf;
using MLNet.Pruning.Files;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Pipeline.Files;

/// <summary>
/// The networks of a model file, each an ONNX model and the names of the parameters that are trained. Those that score are read beside what else there is to
/// load, and what scores them is compiled meanwhile: most of the time that a first model takes is that of compiling code. Who needs a network reads it, or
/// waits for it; those that only steps that go on from here need are read when one asks.
/// </summary>
internal sealed class ArchivedNetworks
{
    /// <summary>What a step has networks for.</summary>
    private static readonly string[] s_kinds = ["network", "initial", "early", "dense", "teacher"];

    private static readonly Lazy<Task> s_compiled = new(() =>
    {
        var compiled = Task.Run(() => Ahead(CompileScoring));
        // A process that ends while another thread is in ONNX Runtime crashes there.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => compiled.Wait();
        return compiled;
    });

    private readonly Dictionary<string, Lazy<Network>> _networks = [];

    public ArchivedNetworks(ModelArchive archive)
    {
        foreach (var name in archive.Steps.Where(step => step.IsNetwork).SelectMany(step => s_kinds.Select(kind => step.Name + kind))
            .Where(name => archive.Has(name + ".onnx")))
        {
            _networks.Add(name, new(() => Read(archive, name)));
        }

        if (_networks.Count > 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ => Ahead(ReadScored), null);
            _ = s_compiled.Value;
        }
    }

    public static void Write(ModelArchive archive, string name, Network network)
    {
        if (network.Parameters.Sum(parameter => 4L * parameter.Count) is var bytes && bytes >= Array.MaxLength)
        {
            throw new NotSupportedException($"The network's parameters take {bytes} bytes; a model file holds networks of at most {Array.MaxLength}.");
        }

        archive.Add(name + ".onnx", OnnxWriter.Write(network).ToByteArray());
        archive.AddJson(name + ".json", network.Parameters.Where(parameter => parameter.Trainable).Select(parameter => parameter.Name).ToArray());
    }

    /// <summary>A network; null where the file has none of that name.</summary>
    /// <param name="name">Of the step and of its kind.</param>
    /// <exception cref="ModelFileException">It is damaged.</exception>
    public Network? Find(string name) => _networks.TryGetValue(name, out var network) ? network.Value : null;

    private static Network Read(ModelArchive archive, string name)
    {
        var trained = archive.ReadJson(name + ".json", json => json.Items().Select(parameter => parameter.Text()).ToHashSet());
        var network = archive.Read(name + ".onnx", content =>
        {
            var network = OnnxImport.Read(OnnxFile.Parse(content, name), name, null);
            return network.WithParameters(network.Parameters.Where(parameter => parameter.Trainable != trained.Contains(parameter.Name))
                .Select(parameter => parameter.WithTrainable(trained.Contains(parameter.Name))));
        });
        archive.Drop(name + ".onnx");
        return network;
    }

    /// <summary>Reads the networks that score.</summary>
    private void ReadScored()
    {
        foreach (var (name, network) in _networks)
        {
            if (name.EndsWith(s_kinds[0], StringComparison.Ordinal))
            {
                _ = network.Value;
            }
        }
    }

    /// <summary>Scores with a network of one weight, which loads ONNX Runtime and compiles what scores with any.</summary>
    private static void CompileScoring()
    {
        using var scorer = OnnxScorer.Create(Network.Mlp(1, 1).Initialize(1), softmax: true, batch: 1, out _);
        scorer?.Run(1);
    }

    private static void Ahead(Action action)
    {
        try
        {
            action();
        }
        catch (Exception)
        {
            // Thrown again where the network is asked for, and where the first session is made.
        }
    }
}
