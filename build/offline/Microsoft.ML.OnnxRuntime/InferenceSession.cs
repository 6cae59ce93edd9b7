using Microsoft.ML.OnnxRuntime.Interop;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>A model, ready to run. Runs on several threads at once are fine.</summary>
public unsafe partial class InferenceSession : IDisposable
{
    private readonly SessionHandle _handle;
    private readonly RunOptions _defaultRunOptions;
    private readonly Dictionary<string, NodeMetadata> _inputs;
    private readonly Dictionary<string, NodeMetadata> _outputs;
    private readonly Dictionary<string, NodeMetadata> _initializers;
    private readonly List<string> _inputNames = [];
    private readonly List<string> _outputNames = [];

    public InferenceSession(string modelPath)
        : this(WithDefaults(options => Create(modelPath, options)))
    {
    }

    public InferenceSession(string modelPath, SessionOptions options)
        : this(Create(modelPath, options))
    {
    }

    public InferenceSession(byte[] model)
        : this(WithDefaults(options => Create(model, options)))
    {
    }

    public InferenceSession(byte[] model, SessionOptions options)
        : this(Create(model, options))
    {
    }

    private InferenceSession(SessionHandle handle)
    {
        _handle = handle;
        try
        {
            using var session = new Lease(handle);
            _inputs = Describe(
                session, NativeApi.SessionGetInputCount, NativeApi.SessionGetInputName, NativeApi.SessionGetInputTypeInfo, _inputNames);
            _outputs = Describe(
                session, NativeApi.SessionGetOutputCount, NativeApi.SessionGetOutputName, NativeApi.SessionGetOutputTypeInfo, _outputNames);
            _initializers = Describe(
                session,
                NativeApi.SessionGetOverridableInitializerCount,
                NativeApi.SessionGetOverridableInitializerName,
                NativeApi.SessionGetOverridableInitializerTypeInfo,
                names: null);
            _defaultRunOptions = new RunOptions();
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public IReadOnlyDictionary<string, NodeMetadata> InputMetadata => _inputs;

    public IReadOnlyDictionary<string, NodeMetadata> OutputMetadata => _outputs;

    public IReadOnlyDictionary<string, NodeMetadata> OverridableInitializerMetadata => _initializers;

    public IReadOnlyList<string> InputNames => _inputNames;

    public IReadOnlyList<string> OutputNames => _outputNames;

    public ModelMetadata ModelMetadata
    {
        get
        {
            if (field is null)
            {
                using var session = new Lease(_handle);
                field = new ModelMetadata(session.Pointer);
            }

            return field;
        }
    }

    /// <summary>Ends profiling and gives the name of the file that was written.</summary>
    public string EndProfiling()
    {
        using var session = new Lease(_handle);
        byte* file;
        NativeApi.Check(NativeApi.SessionEndProfiling(session.Pointer, OrtAllocator.DefaultPointer, &file));
        return Utf8.Take(file);
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _handle.Dispose();
            _defaultRunOptions.Dispose();
        }
    }

    private static SessionHandle WithDefaults(Func<SessionOptions, SessionHandle> create)
    {
        using var options = new SessionOptions();
        return create(options);
    }

    private static SessionHandle Create(string modelPath, SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(modelPath);
        ArgumentNullException.ThrowIfNull(options);
        using var lease = new Lease(options);
        nint session;
        fixed (byte* path = Utf8.Bytes(modelPath))
        {
            NativeApi.Check(NativeApi.CreateSession(OrtEnv.Pointer, path, lease.Pointer, &session));
        }

        return new SessionHandle(session);
    }

    private static SessionHandle Create(byte[] model, SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        using var lease = new Lease(options);
        nint session;
        fixed (byte* bytes = model)
        {
            // An empty array has no first byte, and the runtime refuses a null pointer otherwise than it refuses no bytes.
            byte nothing = 0;
            NativeApi.Check(NativeApi.CreateSessionFromArray(
                OrtEnv.Pointer, bytes is null ? &nothing : bytes, (nuint)model.Length, lease.Pointer, &session));
        }

        return new SessionHandle(session);
    }

    private Dictionary<string, NodeMetadata> Describe(
        Lease session,
        delegate* unmanaged<nint, nuint*, nint> getCount,
        delegate* unmanaged<nint, nuint, nint, byte**, nint> getName,
        delegate* unmanaged<nint, nuint, nint*, nint> getType,
        List<string>? names)
    {
        nuint count;
        NativeApi.Check(getCount(session.Pointer, &count));
        var described = new Dictionary<string, NodeMetadata>((int)count);
        for (nuint i = 0; i < count; i++)
        {
            byte* text;
            NativeApi.Check(getName(session.Pointer, i, OrtAllocator.DefaultPointer, &text));
            string name = Utf8.Take(text);
            nint type;
            NativeApi.Check(getType(session.Pointer, i, &type));
            try
            {
                described[name] = new NodeMetadata(type);
            }
            finally
            {
                NativeApi.ReleaseTypeInfo(type);
            }

            names?.Add(name);
            _handle.Add(name);
        }

        return described;
    }
}
