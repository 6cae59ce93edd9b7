using System.Runtime.InteropServices;

namespace MLNet.Pruning.Tests.Scoring;

/// <summary>Floats whose end is the end of what may be touched: a page that traps follows.</summary>
internal sealed unsafe partial class GuardedFloats : IDisposable
{
    private const int NoAccess = 0;
    private readonly nint _start;
    private readonly nuint _bytes;

    /// <param name="length">Floats; all are not numbers at first.</param>
    public GuardedFloats(int length)
    {
        var page = (nuint)Environment.SystemPageSize;
        var content = ((nuint)length * sizeof(float) + page - 1) / page * page;
        _bytes = content + page;
        if (OperatingSystem.IsWindows())
        {
            const uint Reserved = 0x3000, ReadWrite = 4, None = 1;
            _start = VirtualAlloc(0, _bytes, Reserved, ReadWrite);
            Assert.IsTrue(_start != 0 && VirtualProtect(_start + (nint)content, page, None, out _));
        }
        else
        {
            // Private and anonymous, which macOS numbers otherwise.
            const int ReadWrite = 3;
            _start = Map(0, _bytes, ReadWrite, OperatingSystem.IsMacOS() ? 0x1002 : 0x22, -1, 0);
            Assert.IsTrue(_start != -1 && Protect(_start + (nint)content, page, NoAccess) == 0);
        }

        Pointer = (float*)(_start + (nint)content) - length;
        Length = length;
        Values.Fill(float.NaN);
    }

    public int Length { get; }

    public float* Pointer { get; }

    public Span<float> Values => new(Pointer, Length);

    /// <summary>The last numbers before the page that traps.</summary>
    public Span<float> Last(int count) => Values[^count..];

    public void Dispose()
    {
        if (OperatingSystem.IsWindows())
        {
            const uint Release = 0x8000;
            VirtualFree(_start, 0, Release);
        }
        else
        {
            Unmap(_start, _bytes);
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint bytes, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint bytes, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint bytes);

    [LibraryImport("kernel32")]
    private static partial nint VirtualAlloc(nint address, nuint bytes, uint type, uint protection);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualProtect(nint address, nuint bytes, uint protection, out uint before);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualFree(nint address, nuint bytes, uint type);
}
