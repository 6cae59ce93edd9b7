using System.Reflection;
using System.Runtime.Loader;
using TorchSharp;

namespace MLNet.Pruning.Scoring.Native;

/// <summary>
/// Loads libtorch and TorchSharp's library over it: from the application's own folders, from the PyTorch that <see cref="FolderVariable"/> names,
/// or from the packages where they lie (notebooks). TorchSharp's own search would copy libtorch, write its trace to standard output, and
/// give up on Debian 12 and Ubuntu 22.04.
/// </summary>
internal static class TorchLibrary
{
    /// <summary>
    /// Names the folder <c>torch/lib</c> of a Python installation of PyTorch (or <c>lib</c> of a libtorch archive) to use in an application that
    /// brings no libtorch.
    /// </summary>
    public const string FolderVariable = "MLNET_PRUNING_LIBTORCH";

    private const string Name = "LibTorchSharp";

    // TorchSharp's library for Linux was linked with GCC 13.2 and asks for this version of the C++ library, of which it uses no symbol
    // (ios_base_library_init is a marker without a relocation). All else that it needs is in GCC 12, which Debian 12 and Ubuntu 22.04 have.
    private static ReadOnlySpan<byte> UnusedVersion => "GLIBCXX_3.4.32"u8;

    // In the order in which they need each other.
    private static readonly string[] s_torch = ["c10", "torch_cpu", "torch"];
    private static readonly Lock s_lock = new();
    private static nint s_handle;

    /// <summary>
    /// Before anything else of this assembly runs: sets what libtorch reads when it loads, and stands by for what the runtime's own search does
    /// not find in a form that loads.
    /// </summary>
#pragma warning disable CA2255 // A library's, but nothing of TorchSharp may have run before.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Register()
    {
        // MKL's sums depend on where operands lie in memory unless told otherwise, and the same seed has to give the same bits.
        NativeVariables.SetDefault("MKL_CBWR", "AUTO");
        // OpenMP's threads spin while they wait, for a core that another process may have.
        NativeVariables.SetDefault("OMP_WAIT_POLICY", "PASSIVE");
        AssemblyLoadContext.GetLoadContext(typeof(TorchLibrary).Assembly)!.ResolvingUnmanagedDll += (_, name) => name == Name ? Handle() : 0;
        AppDomain.CurrentDomain.AssemblyLoad += (_, loaded) => LoadWith(loaded.LoadedAssembly);
        Array.ForEach(AppDomain.CurrentDomain.GetAssemblies(), LoadWith);
    }

    /// <summary>Loads both, once a process.</summary>
    /// <exception cref="DllNotFoundException">One is missing or does not load; the message says which, what was found and what to do.</exception>
    public static void Require()
    {
        lock (s_lock)
        {
            if (s_handle != 0)
            {
                return;
            }

            var folders = Own().Concat(Named()).Concat(Packages());
            var library = Find(folders, Name) ?? throw new DllNotFoundException($"{Missing(Name, folders)} {TorchVersion.Platforms}");
            var parts = s_torch.Select(name => Find(folders, name)
                ?? throw new DllNotFoundException($"libtorch {TorchVersion.Wanted} is missing: {Missing(name, folders)} {TorchVersion.Advice}")).ToArray();
            try
            {
                Array.ForEach(parts, part => NativeLibrary.Load(part));
                (Folder, s_handle) = (Path.GetDirectoryName(parts[0])!, LoadOver(library));
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or IOException)
            {
                throw new DllNotFoundException($"{e.Message} {TorchVersion.System}", e);
            }
        }
    }

    /// <summary>The folder that libtorch was loaded from.</summary>
    public static string Folder { get; private set; } = "";

    private static nint Handle()
    {
        try
        {
            Require();
        }
        catch (DllNotFoundException)
        {
            // The runtime goes on searching; what trains says what is missing.
        }

        return s_handle;
    }

    /// <summary>
    /// Where the libraries do not lie in the application's folders, TorchSharp's search might come upon a libtorch of the system (Debian's
    /// libtorch-dev): ours is loaded as soon as TorchSharp is there. The dynamic loader then takes it for the name.
    /// </summary>
    private static void LoadWith(Assembly assembly)
    {
        if (assembly.GetName().Name == "TorchSharp" && Find(Own(), s_torch[0]) is null)
        {
            Handle();
        }
    }

    /// <summary>
    /// Loads TorchSharp's library; on Linux, where the system lacks a version that it asks for and does not use, a copy in memory that does not
    /// insist.
    /// </summary>
    private static nint LoadOver(string library)
    {
        if (!OperatingSystem.IsLinux())
        {
            return NativeLibrary.Load(library);
        }

        if (NativeLibrary.TryLoad(library, out var handle))
        {
            return handle;
        }

        var copy = File.ReadAllBytes(library);
        return WeakVersion.Mark(copy, UnusedVersion) && NativeLibrary.TryLoad(MemoryFile.Create(FileName(Name), copy), out handle)
            ? handle : NativeLibrary.Load(library);
    }

    private static string Missing(string name, IEnumerable<string> folders) => $"{FileName(name)} is in none of: {string.Join(", ", folders.Distinct())}.";

    private static string? Find(IEnumerable<string> folders, string name)
        => folders.Select(folder => Path.Combine(folder, FileName(name))).FirstOrDefault(File.Exists);

    private static string FileName(string name)
        => OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";

    /// <summary>The application's folders: what it brings comes first, since TorchSharp's own search would load it as well.</summary>
    private static IEnumerable<string> Own()
    {
        var searched = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        foreach (var folder in searched.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            yield return Path.TrimEndingDirectorySeparator(folder);
        }

        // Empty in an application of a single file, whose libraries are in the folders above.
        if (Path.GetDirectoryName(typeof(torch).Assembly.Location) is { Length: > 0 } own)
        {
            yield return own;
            yield return Path.Combine(own, "runtimes", TorchVersion.Runtime, "native");
        }
    }

    /// <summary>The folder of <see cref="FolderVariable"/>, where it is set.</summary>
    /// <exception cref="DllNotFoundException">It cannot be used.</exception>
    private static IEnumerable<string> Named()
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named)
        {
            yield return TorchVersion.Refusal(named) is { } refusal ? throw new DllNotFoundException($"{FolderVariable} is '{named}': {refusal}") : named;
        }
    }

    /// <summary>The packages' folders beside TorchSharp.dll of a notebook: packages/torchsharp/version/lib/framework/TorchSharp.dll.</summary>
    private static IEnumerable<string> Packages()
    {
        var native = Path.Combine("runtimes", TorchVersion.Runtime, "native");
        if (Path.GetDirectoryName(typeof(torch).Assembly.Location) is { Length: > 0 } own && Path.GetFullPath(Path.Combine(own, "..", "..")) is var package
            && Directory.Exists(Path.Combine(package, native)))
        {
            yield return Path.Combine(package, native);
            yield return Path.GetFullPath(Path.Combine(package, "..", "..", $"libtorch-cpu-{TorchVersion.Runtime}", TorchVersion.Wanted, native));
        }
    }
}
