using System.IO.Compression;
using System.Security.Cryptography;

namespace MLNet.Pruning.Files;

/// <summary>
/// A zip whose manifest lists the steps of a model and the SHA-256 of every other entry, so that damage is found and named before anything is used.
/// </summary>
internal sealed class ModelArchive
{
    /// <summary>Entry of the schema of the rows that a model was fitted on.</summary>
    public const string Schema = "schema.json";

    /// <summary>The entry in its place where the schema has more than names and types: a file of ML.NET's own.</summary>
    public const string FullSchema = "schema.zip";

    private const string Format = "MLNet.Pruning model";
    private const int Version = 1;
    private const string ManifestName = "manifest.json";

    // A file may hold 64 MB, and beyond that a hundred bytes for each of its own.
    private const long SmallContent = 1 << 26;
    private const long MostRatio = 100;

    private readonly string _name;
    private readonly Dictionary<string, byte[]> _entries = [];

    /// <param name="name">Names the archive in messages.</param>
    private ModelArchive(string name) => _name = name;

    /// <summary>An empty one.</summary>
    public ModelArchive() : this("The model")
    {
    }

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

    public bool Has(string name)
    {
        lock (_entries)
        {
            return _entries.ContainsKey(name);
        }
    }

    /// <summary>Lets go of an entry that nobody will ask for again: what reads others later keeps the archive.</summary>
    public void Drop(string name)
    {
        lock (_entries)
        {
            _entries.Remove(name);
        }
    }

    /// <exception cref="ModelFileException">There is no such entry.</exception>
    public byte[] this[string name]
    {
        get
        {
            lock (_entries)
            {
                return _entries.TryGetValue(name, out var content) ? content : throw Damaged($"entry '{name}' is missing");
            }
        }
    }

    /// <exception cref="ModelFileException">There is no such entry, or it does not hold what is expected.</exception>
    public T ReadJson<T>(string name) => Parse(name, this[name], content => JsonSerializer.Deserialize<T>(content, Json));

    /// <summary>Runs what reads the JSON of an entry, see <see cref="JsonPart"/>.</summary>
    /// <exception cref="ModelFileException">There is no such entry, or it does not hold what is expected.</exception>
    public T ReadJson<T>(string name, Func<JsonPart, T> read) where T : class
        => Read(name, content => Parse(name, content, json => read(JsonPart.Parse(json))));

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

    /// <summary>Runs what reads an entry that is a zip itself.</summary>
    public T ReadZip<T>(string name, Func<Stream, T> read) => Read(name, content =>
    {
        using (var zip = new ZipArchive(new MemoryStream(content), ZipArchiveMode.Read))
        {
            CheckSize(zip, content.Length);
        }

        return read(new MemoryStream(content));
    });

    /// <summary>Writes it as a file: beside, and renamed.</summary>
    public void Save(string path) => AtomicFile.Write(path, Write);

    /// <summary>Writes it where a stream is, with the very bytes of a file: a zip of places that are known only at its end is made in memory.</summary>
    public void Save(Stream stream)
    {
        using var whole = new MemoryStream();
        Write(whole);
        whole.WriteTo(stream);
    }

    private void Write(Stream stream)
    {
        using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        var manifest = new Manifest(Format, Version, Steps, _entries.ToDictionary(entry => entry.Key, entry => Hash(entry.Value)));
        Write(zip, ManifestName, JsonSerializer.SerializeToUtf8Bytes(manifest, Json));
        foreach (var (name, content) in _entries)
        {
            Write(zip, name, content);
        }
    }

    /// <exception cref="ModelFileException">The file is damaged, incomplete, or none of its kind.</exception>
    public static ModelArchive Load(string path)
    {
        if (FileKind.NotRegular(path) is { } kind)
        {
            throw new ModelArchive(path).Damaged($"it is {kind}; expected a regular file");
        }

        using var stream = File.OpenRead(path);
        return Load(stream, new(path));
    }

    /// <summary>Reads one from where a stream is to its end.</summary>
    /// <exception cref="ModelFileException">It is damaged, incomplete, or none of its kind.</exception>
    public static ModelArchive Load(Stream stream)
    {
        var archive = new ModelArchive("The stream");
        using var content = new MemoryStream(OpenStream.Read(stream) ?? throw archive.Damaged($"it has more than {Array.MaxLength} bytes"));
        return Load(content, archive);
    }

    private static ModelArchive Load(Stream stream, ModelArchive archive)
    {
        Manifest manifest;
        try
        {
            using var zip = new ZipArchive(stream, ZipArchiveMode.Read);
            archive.CheckSize(zip, stream.Length);
            manifest = archive.Parse(ManifestName, Read(zip.GetEntry(ManifestName)
                ?? throw archive.Damaged($"it has no {ManifestName}: it was not written by ml.Compression().Save")), Manifest.Read);
            if (manifest.Format != Format || manifest.Version != Version)
            {
                throw archive.Damaged($"it is of format '{manifest.Format}', version {manifest.Version}; expected '{Format}', version {Version}");
            }

            archive.CheckSteps(manifest);
            foreach (var (name, hash) in manifest.Hashes)
            {
                var content = Read(zip.GetEntry(name) ?? throw archive.Damaged($"entry '{name}' is missing"));
                archive._entries[name] = Hash(content) == hash ? content
                    : throw archive.Damaged($"entry '{name}' is not what was written: its SHA-256 differs");
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or NotSupportedException or ArgumentException or IOException
            or OverflowException)
        {
            throw archive.Damaged($"it is not a whole zip file: {e.Message}", e);
        }

        archive.Steps.AddRange(manifest.Steps);
        return archive;
    }

    public ModelFileException Damaged(string problem, Exception? inner = null) => new($"{_name} cannot be loaded: {problem}.", inner);

    /// <summary>A few bytes can stand for any number: what <see cref="Save(string)"/> writes is never so small beside what it holds.</summary>
    private void CheckSize(ZipArchive zip, long length)
    {
        var (size, limit) = (zip.Entries.Sum(entry => entry.Length), SmallContent + (MostRatio * length));
        if (size > limit)
        {
            throw Damaged($"its {length} bytes hold {size}; expected at most {limit}");
        }
    }

    /// <summary>Every step has entries of its own, and every entry is read: else a few bytes could ask for any amount of work.</summary>
    private void CheckSteps(Manifest manifest)
    {
        var names = new HashSet<string>();
        foreach (var step in manifest.Steps)
        {
            if (step?.Name is not { Length: > 0 } name || !names.Add(name))
            {
                throw Damaged(step?.Name is { Length: > 0 } ? $"step '{step.Name}' occurs twice" : "a step has no name");
            }
        }

        if (manifest.Hashes.Keys.FirstOrDefault(entry => entry is not (Schema or FullSchema) && !names.Contains(entry)
            && !names.Contains(entry[..(entry.IndexOf('/') + 1)])) is { } stray)
        {
            throw Damaged($"entry '{stray}' is of none of its steps");
        }
    }

    private T Parse<T>(string name, byte[] content, Func<byte[], T?> read)
    {
        try
        {
            return read(content) ?? throw Damaged($"entry '{name}' is empty");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Damaged($"entry '{name}' is not what is expected: {e.Message}", e);
        }
    }

    private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static void Write(ZipArchive zip, string name, byte[] content)
    {
        // The same model gives the same bytes.
        var entry = zip.CreateEntry(name, ShrinksTooMuch(content) ? CompressionLevel.NoCompression : CompressionLevel.Fastest);
        entry.LastWriteTime = Epoch;
        using var stream = entry.Open();
        stream.Write(content);
    }

    private static byte[] Read(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        var content = new byte[entry.Length];
        stream.ReadExactly(content);
        return content;
    }

    /// <summary>Weights that are all but zeros would look like a file made to fill memory: they are stored as they are.</summary>
    private static bool ShrinksTooMuch(byte[] content)
    {
        if (content.Length < SmallContent / 64)
        {
            return false;
        }

        using var compressed = new MemoryStream();
        using (var deflate = new DeflateStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflate.Write(content);
        }

        return content.Length > MostRatio / 2 * compressed.Length;
    }

    /// <summary>A step of the model.</summary>
    /// <param name="IsNetwork">Whether it is a network; else it is one of ML.NET's own model files.</param>
    /// <param name="Name">Its entry, or for a network or trees what the names of its entries start with.</param>
    /// <param name="IsTrees">Whether it is an ensemble of trees that was pruned.</param>
    internal sealed record Step(bool IsNetwork, string Name, bool IsTrees = false);

    private sealed record Manifest(string Format, int Version, List<Step> Steps, Dictionary<string, string> Hashes)
    {
        public static Manifest Read(byte[] content)
        {
            var json = JsonPart.Parse(content);
            return new(json[nameof(Format)].Text(), json[nameof(Version)].Number(), [.. json[nameof(Steps)].Items().Select(step => step.IsNull ? null!
                : new Step(step[nameof(Step.IsNetwork)].Truth(), step[nameof(Step.Name)].Text(), step.Optional(nameof(Step.IsTrees))?.Truth() ?? false))],
                json[nameof(Hashes)].Texts());
        }
    }
}
