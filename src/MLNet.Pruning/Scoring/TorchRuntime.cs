using MLNet.Pruning.Scoring.Native;
using TorchSharp;

namespace MLNet.Pruning.Scoring;

/// <summary>Whether the native libtorch is there, and which device to use.</summary>
internal static class TorchRuntime
{
    private static bool s_loaded;

    /// <summary>Loads libtorch, which takes some hundred milliseconds the first time in a process.</summary>
    /// <param name="cancellation">Ends the wait for it; it goes on loading for whoever needs it next.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">It cannot be loaded; the message says what is missing, what there is and what to do.</exception>
    public static void Require(CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        if (s_loaded)
        {
            return;
        }

        if (cancellation.CanBeCanceled)
        {
            Task.Run(Load, CancellationToken.None).WaitAsync(cancellation).GetAwaiter().GetResult();
        }
        else
        {
            Load();
        }
    }

    private static void Load()
    {
        try
        {
            TorchLibrary.Require();
            using var probe = torch.zeros(1);
            s_loaded = true;
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or NotSupportedException or EntryPointNotFoundException)
        {
            throw new InvalidOperationException($"The native library of TorchSharp could not be loaded. {e.GetBaseException().Message}", e);
        }
    }

    /// <summary>
    /// The device that <c>MLContext.GpuDeviceId</c> asks for: the CPU where it is null, or, with a warning, where there is no
    /// such GPU and <c>MLContext.FallbackToCpu</c> is set.
    /// </summary>
    /// <exception cref="InvalidOperationException">The GPU is requested, absent, and falling back is off.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static torch.Device Device(int? gpuDeviceId, bool fallbackToCpu, IChannel channel, CancellationToken cancellation)
    {
        Require(cancellation);
        if (gpuDeviceId is not { } gpu)
        {
            return torch.CPU;
        }

        var count = torch.cuda.is_available() ? torch.cuda.device_count() : 0;
        if (gpu >= 0 && gpu < count)
        {
            return torch.device(DeviceType.CUDA, gpu);
        }

        var problem = $"MLContext.GpuDeviceId is {gpu}, but libtorch finds {(count == 0 ? "no CUDA device" : $"only the CUDA devices 0 to {count - 1}")} (it "
            + $"is that of {TorchLibrary.Folder})";
        if (!fallbackToCpu)
        {
            throw new InvalidOperationException($"{problem}, and MLContext.FallbackToCpu is false.");
        }

        channel.Warning(MessageSensitivity.None, "{0}: the CPU is used.", problem);
        return torch.CPU;
    }
}
