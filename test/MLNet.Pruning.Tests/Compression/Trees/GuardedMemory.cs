using System.Runtime.InteropServices;

namespace MLNet.Pruning.Tests.Compression.Trees;

/// <summary>
/// Numbers whose memory ends at a page that traps, so that a read beyond them ends the process. Linux and macOS; elsewhere <see cref="IsAvailable"/> is false.
/// </summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int ReadWrite = 1 | 2;
    private const int Private = 2;

    private readonly nint _start;
    private readonly nint _length;
    private readonly nint _end;

    public GuardedMemory(int most)
    {
        var page = Environment.SystemPageSize;
        var body = (most * sizeof(float) + page - 1) / page * page;
        _length = body + page;
        var anonymous = OperatingSystem.IsMacOS() ? 0x1000 : 0x20;
        _start = Map(0, _length, ReadWrite, Private | anonymous, -1, 0);
        Assert.AreNotEqual(-1, _start, $"mmap: {Marshal.GetLastPInvokeError()}");
        _end = _start + body;
        Assert.AreEqual(0, Protect(_end, page, 0), $"mprotect: {Marshal.GetLastPInvokeError()}");
    }

    public static bool IsAvailable => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS();

    /// <summary>The last numbers before the page that traps.</summary>
    public Span<float> Last(int count) => new((float*)_end - count, count);

    public void Dispose() => Assert.AreEqual(0, Unmap(_start, _length));

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nint length);
}
