using MLNet.Pruning.Files;

namespace MLNet.Pruning.Compression.Automation.Search;

/// <summary>
/// The candidates of a search in a file, so that a later run answers from it what it holds. A search is a function of its settings, its seed and what
/// candidates measure, so that it goes through the same candidates again and then on.
/// </summary>
internal sealed class SearchState
{
    private const string Format = "MLNet.Pruning search";
    private const int Version = 2;

    /// <summary>Options had names in words, and not all were there.</summary>
    private const int FormerVersion = 1;

    private readonly string? _path;
    private readonly List<Setting> _settings;
    private readonly List<Candidate> _candidates = [];

    /// <param name="path">The file; null to keep nothing.</param>
    /// <param name="settings">What has to be the same, by name.</param>
    /// <exception cref="SearchStateException">The file is damaged, or of other settings.</exception>
    public SearchState(string? path, IEnumerable<(string Name, string Value)> settings)
    {
        (_path, _settings) = (path, [.. settings.Select(setting => new Setting(setting.Name, setting.Value))]);
        if (path is not null && FileKind.NotRegular(path) is { } kind)
        {
            throw new SearchStateException($"{path} cannot be gone on from: it is {kind}; expected a regular file.");
        }

        if (path is not null && File.Exists(path))
        {
            _candidates.AddRange(Read(path));
        }
    }

    /// <summary>The layer times that the search went by; null where it went by none, or they were not measured yet.</summary>
    public LatencyTable? Latency { get; set; }

    /// <summary>What was measured of a candidate; null where it was not.</summary>
    public Candidate? Find(IReadOnlyList<int> levels) => _candidates.Find(candidate => candidate.Levels.SequenceEqual(levels));

    /// <summary>Notes a candidate and writes the file beside and renames it.</summary>
    public void Add(Candidate candidate)
    {
        _candidates.Add(candidate);
        if (_path is not null)
        {
            var content = new Content(Format, Version, _settings, _candidates, Latency);
            AtomicFile.Write(_path, stream => JsonSerializer.Serialize(stream, content, JsonText.Options));
        }
    }

    private List<Candidate> Read(string path)
    {
        Content? content;
        try
        {
            using var stream = File.OpenRead(path);
            content = JsonSerializer.Deserialize<Content>(stream, JsonText.Options);
        }
        catch (JsonException e)
        {
            throw new SearchStateException($"{path} cannot be gone on from: it is not the JSON that a search writes: {e.Message}", e);
        }

        if (content is not { Format: Format, Version: Version or FormerVersion } || content.Settings.Contains(null!) || content.Candidates.Contains(null!))
        {
            throw new SearchStateException($"{path} cannot be gone on from: it is of format '{content?.Format}', version {content?.Version}; "
                + $"expected '{Format}', version {FormerVersion} or {Version}.");
        }

        var written = content.Settings.DistinctBy(setting => setting.Name).ToDictionary(setting => setting.Name, setting => setting.Value);
        if (content.Version == FormerVersion)
        {
            written = FormerSearch.Upgrade(written, _settings.Select(setting => (setting.Name, setting.Value)))
                .ToDictionary(setting => setting.Name, setting => setting.Value);
        }

        var here = _settings.ToDictionary(setting => setting.Name, setting => setting.Value);
        var other = here.Keys.Concat(written.Keys).FirstOrDefault(name => here.GetValueOrDefault(name) != written.GetValueOrDefault(name));
        Latency = content.Latency;
        return other is null ? content.Candidates : throw new SearchStateException(
            $"{path} is of another search: its {other} is '{written.GetValueOrDefault(other, "null")}', here it is '{here.GetValueOrDefault(other, "null")}'. "
            + "Give another file, or remove it to begin anew.");
    }

    /// <summary>A candidate that was measured.</summary>
    /// <param name="Levels">The level of each layer.</param>
    /// <param name="Milliseconds">What a batch took; null where the network was not timed as a whole.</param>
    /// <param name="Metric">The validation metric.</param>
    /// <param name="Loss">The validation loss.</param>
    internal sealed record Candidate(List<int> Levels, double? Milliseconds, double Metric, double Loss);

    private sealed record Setting(string Name, string Value);

    private sealed record Content(string Format, int Version, List<Setting> Settings, List<Candidate> Candidates, LatencyTable? Latency = null);
}
