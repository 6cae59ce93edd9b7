namespace Microsoft.ML.Runtime;

/// <summary>
/// An environment of a tree: every Register draws the seed of the child's Random from the parent's, so that the same
/// seed and the same order of calls give the same numbers.
/// </summary>
internal class LocalEnvironment : IHostEnvironmentInternal
{
    private readonly object _lock = new();
    private readonly LocalEnvironment? _parent;
    private readonly LocalEnvironment _root;
    private readonly string? _fullName;
    private readonly Random _random;
    private readonly Dictionary<string, object?> _options = [];
    private Action<string, ChannelMessage>? _listener;

    public LocalEnvironment(int? seed = null)
    {
        Seed = seed;
        _root = this;
        _random = seed is int value ? new Random(value) : new Random();
        ComponentCatalog = new ComponentCatalog();
    }

    protected LocalEnvironment(LocalEnvironment parent, string name, Random random)
    {
        _parent = parent;
        _root = parent._root;

        // As in the real package: names of hosts leave out the host that registered them.
        _fullName = parent._parent?._fullName is string outer ? $"{outer}; {name}" : name;
        _random = random;
        Seed = parent.Seed;
        ComponentCatalog = parent.ComponentCatalog;
        TempFilePath = parent.TempFilePath;
        GpuDeviceId = parent.GpuDeviceId;
        FallbackToCpu = parent.FallbackToCpu;
    }

    public int? Seed { get; }

    public string TempFilePath { get; set; } = Path.GetTempPath();

    public int? GpuDeviceId { get; set; }

    public bool FallbackToCpu { get; set; }

    public ComponentCatalog ComponentCatalog { get; }

    public Random Rand => _random;

    public string ContextDescription => _fullName ?? "HostEnvironment";

    public void AddListener(Action<string, ChannelMessage> listener) => _listener += listener;

    public IHost Register(string name, int? seed = null, bool? verbose = null)
    {
        Contracts.CheckNonEmpty(name);
        lock (_lock)
        {
            return new LocalHost(this, name, new Random(seed ?? _random.Next()));
        }
    }

    public IChannel Start(string name) => new Channel(_fullName, name, _root.Dispatch);

    public IPipe<TMessage> StartPipe<TMessage>(string name) => new Pipe<TMessage>(_fullName, name, send: null);

    public IProgressChannel StartProgressChannel(string name)
    {
        Contracts.CheckNonEmpty(name);
        return SilentProgressChannel.Instance;
    }

    public TException Process<TException>(TException ex)
        where TException : Exception
    {
        if (ex is not null)
        {
            ex.Data["Throwing component"] = _fullName ?? "Environment";
        }

        return ex!;
    }

    public bool TryAddOption<T>(string name, T value) => _options.TryAdd(Checked(name), value);

    public void SetOption<T>(string name, T value) => _options[Checked(name)] = value;

    public bool TryGetOption<T>(string name, out T value)
    {
        bool found = _options.TryGetValue(Checked(name), out object? boxed);
        value = found ? (T)boxed! : default!;
        return found;
    }

    public T GetOptionOrDefault<T>(string name) => TryGetOption(name, out T value) ? value : default!;

    public bool RemoveOption(string name) => _options.Remove(Checked(name));

    private static string Checked(string name) =>
        string.IsNullOrWhiteSpace(name) ? throw new ArgumentNullException(nameof(name)) : name;

    private void Dispatch(string source, ChannelMessage message) => _listener?.Invoke(source, message);
}

internal sealed class LocalHost : LocalEnvironment, IHost
{
    public LocalHost(LocalEnvironment parent, string name, Random random)
        : base(parent, name, random)
    {
    }
}
