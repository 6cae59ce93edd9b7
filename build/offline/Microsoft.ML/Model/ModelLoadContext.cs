using System.IO.Compression;
using System.Text;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>One directory of a model file that is being read.</summary>
internal sealed class ModelLoadContext
{
    private readonly IReadOnlyDictionary<string, byte[]> _entries;
    private readonly string _directory;

    private ModelLoadContext(IReadOnlyDictionary<string, byte[]> entries, string directory)
    {
        _entries = entries;
        _directory = directory;
        Reader = new BinaryReader(new MemoryStream(Entry(ModelSaveContext.MainStream), writable: false), Encoding.UTF8);
    }

    public BinaryReader Reader { get; }

    public static IReadOnlyDictionary<string, byte[]> ReadZip(Stream stream)
    {
        using ZipArchive zip = OpenZip(stream);
        var entries = new Dictionary<string, byte[]>();
        foreach (ZipArchiveEntry entry in zip.Entries)
        {
            using Stream source = entry.Open();
            using var content = new MemoryStream();
            source.CopyTo(content);
            entries[entry.FullName] = content.ToArray();
        }

        return entries;
    }

    public static T Load<T>(IHostEnvironment env, IReadOnlyDictionary<string, byte[]> entries, string directory)
        where T : class
    {
        var ctx = new ModelLoadContext(entries, directory);
        try
        {
            string signature = ctx.Reader.ReadString();
            string assembly = ctx.Reader.ReadString();
            object loaded = env.ComponentCatalog.Load(env, signature, assembly, ctx);
            return loaded as T ?? throw new FormatException($"'{directory}' of the model holds a {loaded.GetType()}, not a {typeof(T)}");
        }
        catch (Exception e) when (e is EndOfStreamException or OverflowException)
        {
            throw new FormatException($"'{directory}' of the model is cut short or damaged", e);
        }
    }

    /// <summary>Reads a stream beside the main one, where there is one of that name.</summary>
    public bool TryLoadBinaryStream(string name, Action<BinaryReader> action)
    {
        if (!_entries.TryGetValue(ModelSaveContext.Join(_directory, name), out byte[]? content))
        {
            return false;
        }

        using var reader = new BinaryReader(new MemoryStream(content, writable: false), Encoding.UTF8);
        action(reader);
        return true;
    }

    public T LoadModel<T>(IHostEnvironment env, string name)
        where T : class =>
        Load<T>(env, _entries, ModelSaveContext.Join(_directory, name));

    private static ZipArchive OpenZip(Stream stream)
    {
        try
        {
            return new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
        }
        catch (InvalidDataException e)
        {
            throw new FormatException("Failed to open a zip archive", e);
        }
    }

    private byte[] Entry(string name)
    {
        string path = ModelSaveContext.Join(_directory, name);
        return _entries.TryGetValue(path, out byte[]? content) ? content : throw new FormatException($"The model file has no '{path}'");
    }
}
