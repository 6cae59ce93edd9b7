using System.Runtime.InteropServices;

namespace MLNet.Pruning.Cli.Runtime;

/// <summary>The native libraries that commands run on. There are none for some runtimes: the tool's package for these switches off what needs them.</summary>
internal static class NativeLibraries
{
    /// <exception cref="PlatformNotSupportedException">The tool comes without.</exception>
    public static void RequireLibTorch()
        => Require("LibTorch", "libtorch, which trains networks and measures importances on rows and by synflow,");

    /// <exception cref="PlatformNotSupportedException">The tool comes without.</exception>
    public static void RequireOnnxRuntime() => Require("OnnxRuntime", "ONNX Runtime, which runs models,");

    private static void Require(string library, string what)
    {
        if (AppContext.TryGetSwitch($"MLNet.Pruning.Cli.{library}", out var there) && !there)
        {
            throw new PlatformNotSupportedException($"There is no {what} for {RuntimeInformation.RuntimeIdentifier}.");
        }
    }
}
