using MLNet.Pruning.Scoring.Native;

/// <summary>
/// Started by .NET before an application's own code, as build/MLNet.Pruning.targets asks in its runtimeconfig.json: an application may touch
/// TorchSharp before this library, and has to find its native library all the same. The name is the runtime's.
/// </summary>
internal sealed class StartupHook
{
    /// <summary>Nothing to do: to get here, .NET has run the module initializer of <see cref="TorchLibrary"/>.</summary>
    public static void Initialize()
    {
    }
}
