using System.Runtime.InteropServices;

namespace MLNet.Pruning.Tests;

/// <summary>
/// LightGBM's native library for Linux needs libgomp.so.1, which a machine without a compiler may lack: libtorch's own counts for it, once it is loaded.
/// </summary>
[TestClass]
public static class OpenMP
{
    [AssemblyInitialize]
    public static void Load(TestContext context)
    {
        if (OperatingSystem.IsLinux() && !NativeLibrary.TryLoad("libgomp.so.1", out _))
        {
            NativeLibrary.Load(Directory.EnumerateFiles(AppContext.BaseDirectory, "libgomp-*.so.1", SearchOption.AllDirectories).First());
        }
    }
}
