using System.Security.Cryptography;
using System.Text;

namespace MLNet.Pruning.Files;

/// <summary>Files that are there as a whole or not at all.</summary>
internal static class AtomicFile
{
    // That a file exists or is locked: EEXIST, EWOULDBLOCK of Linux and of macOS, ERROR_FILE_EXISTS, ERROR_SHARING_VIOLATION.
    private static readonly int[] s_taken = [17, 11, 35, unchecked((int)0x80070050), unchecked((int)0x80070020)];

    // A file is made and then locked: nothing of this process may take it for one that was left in between.
    private static readonly Lock s_opening = new();

    /// <summary>
    /// Writes beside the file, to the disk, and renames: whatever happens, an older file is whole until the new one is. Links are followed, the permissions
    /// of an older file are kept, and what a killed process left beside the file is removed.
    /// </summary>
    /// <param name="path">The file; one that exists is replaced.</param>
    /// <param name="write">Writes the contents.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="IOException">It is a folder, a pipe or a device, which are left alone, or the disk is full.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written to.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        if (FileKind.NotRegular(path) is { } kind)
        {
            throw new IOException($"{path} cannot be written: it is {kind}; expected a regular file or a free name.");
        }

        var target = LinkedPath.Resolve(path);
        var folder = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"{path} cannot be written: there is no folder '{folder}'.");
        }

        var beside = "";
        try
        {
            using var stream = Open(folder, Path.GetFileName(target), target, out beside);
            try
            {
                write(stream);
                stream.Flush(flushToDisk: true);
                // Still open, and so locked: none takes it for one that was left.
                File.Move(beside, target, overwrite: true);
            }
            catch
            {
                File.Delete(beside);
                throw;
            }
        }
        catch (IOException e) when (e is not DirectoryNotFoundException && beside.Length > 0 && e.Message.Contains(beside))
        {
            throw new IOException(e.Message.Replace(beside, path), e);
        }
        catch (UnauthorizedAccessException e) when (beside.Length > 0 && e.Message.Contains(beside))
        {
            throw new UnauthorizedAccessException(e.Message.Replace(beside, path), e);
        }
    }

    /// <summary>
    /// A new file beside the target, locked as long as it is open. Its name is short, for that of the target may be as long as names can be, and follows from
    /// it, so that one that is not locked is known to be left by a process that was killed.
    /// </summary>
    private static FileStream Open(string folder, string name, string target, out string beside)
    {
        var stem = Path.Combine(folder, ".mlnet-pruning-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 8)));
        lock (s_opening)
        {
            for (var i = 0; ; i++)
            {
                beside = $"{stem}-{i}";
                RemoveLeft(beside);
                try
                {
                    var stream = Create(beside, target);
                    if (File.Exists(beside))
                    {
                        return stream;
                    }

                    // Another process took it for one that was left, before it was locked.
                    stream.Dispose();
                }
                catch (IOException e) when (s_taken.Contains(e.HResult))
                {
                    // Another save of the same file is writing it, or was until now.
                }
            }
        }
    }

    private static FileStream Create(string beside, string target)
    {
        // Shared with readers, who may come as soon as it is renamed; not with RemoveLeft, which asks for it alone. Windows renames an open file only where
        // others may delete it.
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read | FileShare.Delete };
        if (OperatingSystem.IsWindows() || !File.Exists(target))
        {
            return new FileStream(beside, options);
        }

        var mode = File.GetUnixFileMode(target);
        options.UnixCreateMode = mode;
        var stream = new FileStream(beside, options);
        // What the process's mask took away.
        File.SetUnixFileMode(stream.SafeFileHandle, mode);
        return stream;
    }

    private static void RemoveLeft(string beside)
    {
        if (!File.Exists(beside) || FileKind.NotRegular(beside) is not null)
        {
            return;
        }

        try
        {
            // It opens only if none has it locked, and goes before another can make one of that name.
            using var left = new FileStream(beside, FileMode.Open, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is being written, or is another user's.
        }
    }
}
