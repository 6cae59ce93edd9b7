using System.ComponentModel;
using Microsoft.Win32.SafeHandles;

namespace MLNet.Pruning.Scoring.Native;

/// <summary>A file of Linux that lies in memory only: nothing is left behind, and nobody can put another in its place.</summary>
internal static partial class MemoryFile
{
    private const uint CloseOnExec = 1;

    /// <summary>Makes one that stays for as long as the process.</summary>
    /// <returns>A path that opens it in this process.</returns>
    /// <exception cref="IOException">The system refuses.</exception>
    public static string Create(string name, ReadOnlySpan<byte> content)
    {
        var descriptor = Open(name, CloseOnExec);
        if (descriptor < 0)
        {
            throw new IOException($"No file in memory: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }

        // Not owned: the loader knows libraries by path, and a closed descriptor's number would name another file later.
        using var handle = new SafeFileHandle(descriptor, ownsHandle: false);
        RandomAccess.Write(handle, content, 0);
        return $"/proc/self/fd/{descriptor}";
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string name, uint flags);
}
