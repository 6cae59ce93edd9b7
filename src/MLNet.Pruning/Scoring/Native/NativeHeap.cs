namespace MLNet.Pruning.Scoring.Native;

/// <summary>
/// The C library's heap, on Linux with glibc: left alone it gives the memory of a training step back to the system after each, to get it again,
/// page by page, in the next, which takes longer than some convolutions.
/// </summary>
internal static partial class NativeHeap
{
    // The parameters of mallopt, as malloc.h numbers them.
    private const int TrimThreshold = -1, MmapThreshold = -3;
    private const int Kept = 256 << 20, Largest = 32 << 20;

    /// <summary>Keeps up to 256 MB of freed memory, and blocks of up to 32 MB in the heap, unless the variables of glibc say otherwise.</summary>
    public static void KeepFreed()
    {
        string[] variables = ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"];
        if (OperatingSystem.IsLinux() && variables.All(name => Environment.GetEnvironmentVariable(name) is null))
        {
            IfThere(() => _ = SetOption(TrimThreshold, Kept) + SetOption(MmapThreshold, Largest));
        }
    }

    /// <summary>Gives freed memory back: after a training, when nothing is about to use it again.</summary>
    public static void GiveBack()
    {
        if (OperatingSystem.IsLinux())
        {
            IfThere(() => _ = Trim(0));
        }
    }

    /// <summary>Other C libraries have no such functions, and no such habit.</summary>
    private static void IfThere(Action call)
    {
        try
        {
            call();
        }
        catch (EntryPointNotFoundException)
        {
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOption(int option, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Trim(nuint keep);
}
