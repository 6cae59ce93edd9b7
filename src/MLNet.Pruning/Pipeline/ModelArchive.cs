using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MLNet.Pruning;

/// <summary>A zip whose manifest lists the steps of a model and the SHA-256 of every other entry, so that damage is found and named before anything is used.</summary>
internal sealed class ModelArchive
{
    private const string Format = "MLNet.Pruning model";
    private const int Version = 1;
    private const string ManifestName = "manifest.json";

    private readonly string _path;
    private readonly Dictionary<string, byte[]> _entries = [];

    public ModelArchive(string path) => _path = path;

    public static JsonSerializerOptions Json { get; } = new()
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The steps in turn: a name of a kind and of what its entries start with.</summary>
    public List<Step> Steps { get; } = [];

    /// <summary>The time of every entry, the first that the format knows: the same content gives the same file.</summary>
    public static DateTimeOffset Epoch { get; } = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public void Add(string name, byte[] content) => _entries.Add(name, content);

    public void AddJson<T>(string name, T content) => Add(name, JsonSerializer.SerializeToUtf8Bytes(content, Json));

    public bool Has(string name) => _entries.ContainsKey(name);

    /// <exception cref="ModelFileException">There is no such entry.</exception>
    public byte[] this[string name] => _entries.TryGetValue(name, out var content) ? content : throw Damaged($"entry '{name}' is missing");

    /// <exception cref="ModelFileException">There is no such entry, or it does not hold what is expected.</exception>
    public T ReadJson<T>(string name) => Parse<T>(name, this[name]);

    /// <summary>Runs what reads an entry; whatever it cannot make of it is damage.</summary>
    public T Read<T>(string name, Func<byte[], T> read)
    {
        var content = this[name];
        try
        {
            return read(content);
        }
        catch (Exception e) when (e is not ModelFileException)
        {
            throw Damaged($"entry '{name}' cannot be read: {e.Message}", e);
        }
    }

    public void Save() => AtomicFile.Write(_path, stream =>
    {
        using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        var manifest = new Manifest(Format, Version, Steps, _entries.ToDictionary(entry => entry.Key, entry => Hash(entry.Value)));
        Write(zip, ManifestName, JsonSerializer.SerializeToUtf8Bytes(manifest, Json));
        foreach (var (name, content) in _entries)
        {
            Write(zip, name, content);
        }
    });

    /// <exception cref="ModelFileException">The file is damaged, incomplete, or none of its kind.</exception>
    public static ModelArchive Load(string path)
    {
        var archive = new ModelArchive(path);
        if (FileKind.NotRegular(path) is { } kind)
        {
            throw archive.Damaged($"it is {kind}; expected a regular file");
        }

        using var stream = File.OpenRead(path);
        Manifest manifest;
        try
        {
            using var zip = new ZipArchive(stream, ZipArchiveMode.Read);
            manifest = archive.Parse<Manifest>(ManifestName, Read(zip.GetEntry(ManifestName) ?? throw archive.Damaged($"it has no {ManifestName}: it was not written by ml.Compression().Save")));
            if (manifest.Format != Format || manifest.Version != Version)
            {
                throw archive.Damaged($"it is of format '{manifest.Format}', version {manifest.Version}; expected '{Format}', version {Version}");
            }

            foreach (var (name, hash) in manifest.Hashes)
            {
                var content = Read(zip.GetEntry(name) ?? throw archive.Damaged($"entry '{name}' is missing"));
                archive._entries[name] = Hash(content) == hash ? content : throw archive.Damaged($"entry '{name}' is not what was written: its SHA-256 differs");
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or NotSupportedException or ArgumentException or IOException)
        {
            throw archive.Damaged($"it is not a whole zip file: {e.Message}", e);
        }

        archive.Steps.AddRange(manifest.Steps);
        return archive;
    }

    public ModelFileException Damaged(string problem, Exception? inner = null) => new($"{_path} cannot be loaded: {problem}.", inner);

    private T Parse<T>(string name, byte[] content)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(content, Json) ?? throw Damaged($"entry '{name}' is empty");
        }
        catch (JsonException e)
        {
            throw Damaged($"entry '{name}' is not what is expected: {e.Message}", e);
        }
    }

    private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static void Write(ZipArchive zip, string name, byte[] content)
    {
        // The same model gives the same bytes.
        var entry = zip.CreateEntry(name, CompressionLevel.Fastest);
        entry.LastWriteTime = Epoch;
        using var stream = entry.Open();
        stream.Write(content);
    }

    private static byte[] Read(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }

    /// <summary>A step of the model.</summary>
    /// <param name="IsNetwork">Whether it is a network; else it is one of ML.NET's own model files.</param>
    /// <param name="Name">Its entry, or for a network or trees what the names of its entries start with.</param>
    /// <param name="IsTrees">Whether it is an ensemble of trees that was pruned.</param>
    internal sealed record Step(bool IsNetwork, string Name, bool IsTrees = false);

    private sealed record Manifest(string Format, int Version, List<Step> Steps, Dictionary<string, string> Hashes);
}
