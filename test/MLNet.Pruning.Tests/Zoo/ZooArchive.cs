using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text.Json;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Tests;

/// <summary>Graphs without weights, and their list; whole files of them are written to artifacts/zoo, where later runs find them.</summary>
internal sealed class ZooArchive
{
    private readonly string _archive;
    private readonly string _folder;
    private readonly Dictionary<string, ZooModel> _models;
    private readonly ConcurrentDictionary<string, Lazy<ZooModel>> _written = new();

    /// <param name="name">Of the archive and its list in the folder Zoo of the tests.</param>
    public ZooArchive(string name)
    {
        _archive = Path.Combine(AppContext.BaseDirectory, "Zoo", name + ".zip");
        _folder = Path.Combine(Path.GetDirectoryName(Repository.Find())!, "artifacts", "zoo", name);
        using var list = JsonDocument.Parse(File.ReadAllText(Path.ChangeExtension(_archive, ".json")));
        ZooModel[] models = [.. list.RootElement.GetProperty("models").EnumerateArray().Select(model => ZooModel.Read(model, _folder))];
        Names = [.. models.Select(model => model.Name)];
        _models = models.ToDictionary(model => model.Name);
    }

    /// <summary>Of the models, in the order of the list.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Names of the graphs in the archive.</summary>
    public IReadOnlyList<string> Graphs()
    {
        using var archive = ZipFile.OpenRead(_archive);
        return [.. archive.Entries.Select(entry => Path.GetFileNameWithoutExtension(entry.Name))];
    }

    /// <summary>A model whose file is there, and was drawn by these tests from this archive.</summary>
    public ZooModel Get(string name) => _written.GetOrAdd(name, _ => new(() => Write(_models[name]))).Value;

    /// <summary>A graph with weights, drawn by the names of the model and of the weights: equal whenever and wherever it is done.</summary>
    public ModelProto Draw(string name)
    {
        using var archive = ZipFile.OpenRead(_archive);
        using var stream = archive.GetEntry(name + ".onnx")!.Open();
        var model = ModelProto.Parser.ParseFrom(stream);
        foreach (var tensor in model.Graph.Initializer.Where(tensor => tensor.HasDocString))
        {
            ZooWeights.Draw(tensor, name);
        }

        return model;
    }

    private ZooModel Write(ZooModel model)
    {
        Directory.CreateDirectory(_folder);
        using var alone = Lock();
        if (File.GetLastWriteTimeUtc(model.Path) < Changed())
        {
            OnnxFile.Write(Draw(model.Name), model.Path);
        }

        return model;
    }

    /// <summary>When the archive or the way weights are drawn last changed. A file that is not there has the year 1601.</summary>
    private DateTime Changed() => new[] { _archive, typeof(ZooArchive).Assembly.Location }.Max(File.GetLastWriteTimeUtc);

    /// <summary>Keeps other test processes from writing the same files.</summary>
    private FileStream Lock()
    {
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(_folder, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                Thread.Sleep(20);
            }
        }
    }
}
