using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime.Interop;

/// <summary>A native session, and the names of its inputs and outputs as C has them.</summary>
internal sealed unsafe class SessionHandle : SafeHandle
{
    private readonly Dictionary<string, nint> _names = [];

    public SessionHandle(nint session)
        : base(0, ownsHandle: true) => SetHandle(session);

    public override bool IsInvalid => handle == 0;

    public void Add(string name)
    {
        if (!_names.ContainsKey(name))
        {
            _names.Add(name, Marshal.StringToCoTaskMemUTF8(name));
        }
    }

    /// <summary>A name that was added, valid until the session is released.</summary>
    public nint NameOf(string name) => _names[name];

    protected override bool ReleaseHandle()
    {
        NativeApi.ReleaseSession(handle);
        foreach (nint name in _names.Values)
        {
            Marshal.FreeCoTaskMem(name);
        }

        return true;
    }
}
