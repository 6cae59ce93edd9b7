namespace MLNet.Pruning.Files;

/// <summary>
/// What lies at a path where a regular file belongs: opening a pipe waits for ever, reading some devices never ends, and a file in a device's place takes it
/// from the whole machine.
/// </summary>
internal static partial class FileKind
{
    // The file types of POSIX, in the bits of a file's mode above its permissions.
    private const int TypeBits = 0xF000;
    private const int Pipe = 0x1000;
    private const int Folder = 0x4000;
    private const int Regular = 0x8000;
    private const int Socket = 0xC000;

    /// <summary>Links are followed.</summary>
    /// <returns>"a folder", "a pipe", "a socket" or "a device"; null for a regular file, and where there is nothing.</returns>
    public static string? NotRegular(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return Directory.Exists(path) ? "a folder" : Path.GetFullPath(path).StartsWith(@"\\.\", StringComparison.Ordinal) ? "a device" : null;
        }

        return Stat(path, out var status) != 0 ? null : (status.Mode & TypeBits) switch
        {
            Regular => null,
            Folder => "a folder",
            Pipe => "a pipe",
            Socket => "a socket",
            _ => "a device",
        };
    }

    // The runtime's own call of stat(2), whose result is laid out alike on every Unix; .NET itself tells folders and links apart only.
    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Stat", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Stat(string path, out Status status);

    /// <summary>Flags, mode and what follows them: owner, size, times and numbers, 112 bytes in all.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    private struct Status
    {
        public int Flags;
        public int Mode;
    }
}
