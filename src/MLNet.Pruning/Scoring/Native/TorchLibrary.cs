using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using TorchSharp;

namespace MLNet.Pruning;

/// <summary>
/// Loads libtorch and TorchSharp's library over it: from the application's own folders, from the packages where they lie (notebooks), or from
/// the PyTorch that <see cref="FolderVariable"/> names. TorchSharp's own search would copy libtorch, write its trace to standard output, and
/// give up on Debian 12 and Ubuntu 22.04.
/// </summary>
internal static class TorchLibrary
{
    /// <summary>Names the folder <c>torch/lib</c> of a Python installation of PyTorch (or <c>lib</c> of a libtorch archive) to use instead of a package.</summary>
    public const string FolderVariable = "MLNET_PRUNING_LIBTORCH";

    private const string Name = "LibTorchSharp";

    // TorchSharp's library for Linux was linked with GCC 13.2 and asks for this version of the C++ library, of which it uses no symbol
    // (ios_base_library_init is a marker without a relocation). All else that it needs is in GCC 12, which Debian 12 and Ubuntu 22.04 have.
    private static ReadOnlySpan<byte> UnusedVersion => "GLIBCXX_3.4.32"u8;

    // In the order in which they need each other.
    private static readonly string[] s_torch = ["c10", "torch_cpu", "torch"];
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<string, nint> s_handles = [];

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
        AssemblyLoadContext.GetLoadContext(typeof(TorchLibrary).Assembly)!.ResolvingUnmanagedDll += (_, name) => name == Name ? Handle(name) : 0;
        AppDomain.CurrentDomain.AssemblyLoad += (_, loaded) => LoadInNotebook(loaded.LoadedAssembly);
        Array.ForEach(AppDomain.CurrentDomain.GetAssemblies(), LoadInNotebook);
    }

    /// <summary>Loads both, once a process.</summary>
    /// <exception cref="DllNotFoundException">One is missing or does not load; the message says which, what was found and what to do.</exception>
    public static void Require()
    {
        lock (s_lock)
        {
            if (s_handles.ContainsKey(Name))
            {
                return;
            }

            string[] folders = [.. Folders()];
            if (Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named)
            {
                if (TorchVersion.Refusal(named) is { } refusal)
                {
                    throw new DllNotFoundException($"{FolderVariable} is '{named}': {refusal}");
                }

                folders = [named, .. folders];
            }

            var library = Find(folders, Name) ?? throw new DllNotFoundException($"{Missing(Name, folders)} {TorchVersion.Platforms}");
            var parts = s_torch.Select(name => (Name: name, Path: Find(folders, name) ?? throw new DllNotFoundException($"{Missing(name, folders)} {TorchVersion.Advice}"))).ToArray();
            try
            {
                foreach (var (name, path) in parts)
                {
                    s_handles[name] = NativeLibrary.Load(path);
                }

                s_handles[Name] = LoadOver(library);
            }
            catch (DllNotFoundException e)
            {
                throw new DllNotFoundException($"{e.Message} {TorchVersion.System}", e);
            }
        }
    }

    private static nint Handle(string name)
    {
        try
        {
            Require();
            return s_handles[name];
        }
        catch (DllNotFoundException)
        {
            return 0;
        }
    }

    /// <summary>
    /// In notebooks, where packages lie in folders of their own, TorchSharp's search would come upon a libtorch of the system (Debian's
    /// libtorch-dev): the package's is loaded as soon as TorchSharp is there. The dynamic loader then takes it for the name.
    /// </summary>
    private static void LoadInNotebook(Assembly assembly)
    {
        if (assembly.GetName().Name == "TorchSharp" && Directory.Exists(Path.Combine(Path.GetDirectoryName(assembly.Location) ?? "", "..", "..", "runtimes")))
        {
            Handle(Name);
        }
    }

    /// <summary>Loads TorchSharp's library; on Linux, where the system lacks a version that it asks for and does not use, a copy in memory that does not insist.</summary>
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
        return WeakVersion.Mark(copy, UnusedVersion) && NativeLibrary.TryLoad(MemoryFile.Create(FileName(Name), copy), out handle) ? handle : NativeLibrary.Load(library);
    }

    private static string Missing(string name, IEnumerable<string> folders) => $"{FileName(name)} is in none of: {string.Join(", ", folders)}.";

    private static string? Find(IEnumerable<string> folders, string name) => folders.Select(folder => Path.Combine(folder, FileName(name))).FirstOrDefault(File.Exists);

    private static string FileName(string name) => OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";

    /// <summary>Where the libraries of the packages may lie: in the application's folders, or in the packages themselves.</summary>
    private static IEnumerable<string> Folders()
    {
        foreach (var folder in (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            yield return folder;
        }

        // Empty in an application of a single file, whose libraries are in the folders above.
        if (Path.GetDirectoryName(typeof(torch).Assembly.Location) is not { Length: > 0 } own)
        {
            yield break;
        }

        var native = Path.Combine("runtimes", TorchVersion.Runtime, "native");
        yield return own;
        yield return Path.Combine(own, native);
        // <packages>/torchsharp/<version>/lib/<framework>/TorchSharp.dll
        var package = Path.GetFullPath(Path.Combine(own, "..", ".."));
        yield return Path.Combine(package, native);
        yield return Path.GetFullPath(Path.Combine(package, "..", "..", $"libtorch-cpu-{TorchVersion.Runtime}", TorchVersion.Wanted, native));
    }
}
