using System.Reflection;
using System.Text.RegularExpressions;

namespace MLNet.Pruning.Scoring.Native;

/// <summary>Which libtorch TorchSharp's library runs on, and what to say where it is not there.</summary>
internal static partial class TorchVersion
{
    // Those it was run on: 2.10 is the one it was linked with. A symbol that is missing in another would end the process at its first call.
    private static readonly string[] s_fitting = ["2.10", "2.11"];

    /// <summary>The libtorch that TorchSharp was linked with.</summary>
    public static string Wanted { get; } = typeof(TorchVersion).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .First(metadata => metadata.Key == "LibTorchVersion").Value!;

    /// <summary>System and architecture as packages name them, whatever the distribution.</summary>
    public static string Runtime { get; } =
        $"{(OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux")}-"
        + $"{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";

    public static string Advice =>
        $"Reference the NuGet package libtorch-cpu-{Runtime} in version {Wanted} (TorchSharp-cpu brings it; for NVIDIA GPUs "
        + "TorchSharp-cuda-linux or TorchSharp-cuda-windows), "
        + $"or set the environment variable {TorchLibrary.FolderVariable} to the folder torch/lib of a Python installation of PyTorch "
            + $"{string.Join(" or ", s_fitting)}.";

    public static string Platforms => $"TorchSharp has native libraries for linux-x64, osx-arm64, win-arm64 and win-x64; this process runs on {Runtime}.";

    public static string System => !OperatingSystem.IsLinux() ? Platforms
        : $"It needs glibc 2.34 and the C++ library of GCC 12 or newer (Debian 12, Ubuntu 22.04, RHEL 9); this system has {Libc}.";

    /// <summary>Why a folder cannot be used; null where it can.</summary>
    public static string? Refusal(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return "there is no such folder.";
        }

        // PyTorch writes torch/version.py, an archive of libtorch build-version, both beside lib.
        var told = new[] { "version.py", "build-version" }.Select(name => Path.Combine(Path.GetFullPath(folder), "..", name)).FirstOrDefault(File.Exists);
        if (told is null)
        {
            return "expected the folder torch/lib of a Python installation of PyTorch, beside which there is a file version.py.";
        }

        var version = Number().Match(File.ReadAllText(told)).Value;
        return s_fitting.Any(fitting => version.StartsWith(fitting + ".", StringComparison.Ordinal)) ? null
            : $"its version is {(version.Length > 0 ? version : "unknown")}, TorchSharp needs {string.Join(" or ", s_fitting)}.";
    }

    private static string Libc
    {
        get
        {
            try
            {
                return $"glibc {Marshal.PtrToStringUTF8(GnuVersion())}";
            }
            catch (EntryPointNotFoundException)
            {
                return "another C library";
            }
        }
    }

    [GeneratedRegex(@"\d+\.\d+\.\d+\S*?(?=['""\s]|$)")]
    private static partial Regex Number();

    [LibraryImport("libc", EntryPoint = "gnu_get_libc_version")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint GnuVersion();
}
