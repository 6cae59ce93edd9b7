using System.IO.Compression;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>
/// One directory of a model file. Its main stream starts with the signature and assembly of the loader; nested models
/// and named streams lie below.
/// </summary>
public sealed class ModelSaveContext : IDisposable
{
    internal const string MainStream = "Model.key";

    private readonly IDictionary<string, byte[]> _entries;
    private readonly string _directory;
    private readonly MemoryStream _main = new();
    private bool _signed;

    internal ModelSaveContext(IDictionary<string, byte[]> entries, string directory)
    {
        _entries = entries;
        _directory = directory;
        Writer = new BinaryWriter(_main, Encoding.UTF8);
    }

    internal BinaryWriter Writer { get; }

    public void Dispose()
    {
        Writer.Dispose();
        _main.Dispose();
    }

    /// <summary>Saves a model below a directory of the file whose entries are given.</summary>
    internal static void Save(IDictionary<string, byte[]> entries, ICanSaveModel model, string directory)
    {
        using var ctx = new ModelSaveContext(entries, directory);
        model.Save(ctx);
        if (!ctx._signed)
        {
            throw new InvalidOperationException($"{model.GetType()} saved nothing that could be loaded");
        }

        ctx.Writer.Flush();
        entries[Join(directory, MainStream)] = ctx._main.ToArray();
    }

    internal static void WriteZip(IEnumerable<KeyValuePair<string, byte[]>> entries, Stream stream)
    {
        using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        foreach ((string path, byte[] content) in entries)
        {
            ZipArchiveEntry entry = zip.CreateEntry(path);
            using Stream target = entry.Open();
            target.Write(content);
        }
    }

    internal static string Join(string directory, string name) => directory.Length == 0 ? name : $"{directory}/{name}";

    /// <summary>Comes before anything is written: which loader, of the calling assembly, reads this directory.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal void SetSignature(string loaderSignature)
    {
        Contracts.CheckNonEmpty(loaderSignature);
        if (_signed || _main.Length > 0)
        {
            throw new InvalidOperationException($"The signature of '{_directory}' has been written already");
        }

        _signed = true;
        Writer.Write(loaderSignature);
        Writer.Write(Assembly.GetCallingAssembly().FullName!);
    }

    /// <summary>Saves a stream beside the main one.</summary>
    internal void SaveBinaryStream(string name, Action<BinaryWriter> action)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        action(writer);
        writer.Flush();
        _entries[Join(_directory, name)] = stream.ToArray();
    }

    internal void SaveModel(ICanSaveModel model, string name) => Save(_entries, model, Join(_directory, name));
}
