using MLNet.Pruning.Evaluation;

namespace MLNet.Pruning.Scoring.Native;

/// <summary>
/// The energy counter of an NVIDIA GPU: <c>nvmlDeviceGetTotalEnergyConsumption</c> of the driver's NVML, millijoules since the driver was loaded, from
/// Volta on.
/// </summary>
internal sealed unsafe class GpuCounters : IEnergyCounters
{
    /// <summary>"0000:01:00.0" with room to spare, as NVML takes it.</summary>
    private const int BusIdLength = 32;

    private static readonly (string Windows, string Linux) s_nvml = ("nvml.dll", "libnvidia-ml.so.1");
    private static readonly (string Windows, string Linux) s_driver = ("nvcuda.dll", "libcuda.so.1");

    private readonly delegate* unmanaged<nint, ulong*, int> _energy;
    private readonly nint _device;

    private GpuCounters(delegate* unmanaged<nint, ulong*, int> energy, nint device)
    {
        _energy = energy;
        _device = device;
    }

    public string Source => "measured by NVML: the GPU, with all else that ran on it meanwhile; not the processor and memory that feed it";

    /// <summary>The counter of a GPU; null where there is none, or it has no counter.</summary>
    /// <param name="gpu">Its number, as CUDA counts those that it shows to this process.</param>
    /// <param name="refusal">Why there is none; null else.</param>
    public static GpuCounters? Open(int gpu, out string? refusal)
    {
        if (!TryLoad(s_driver, out var driver, out refusal) || !TryLoad(s_nvml, out var nvml, out refusal))
        {
            return null;
        }

        // NVML has an order of its own, and shows what CUDA_VISIBLE_DEVICES hides: both know a GPU by its place on the bus.
        var bus = stackalloc byte[BusIdLength];
        int ordinal;
        nint device;
        var energy = (delegate* unmanaged<nint, ulong*, int>)Export(nvml, "nvmlDeviceGetTotalEnergyConsumption");
        ulong now;
        if (Refuses("cuInit", ((delegate* unmanaged<uint, int>)Export(driver, "cuInit"))(0), out refusal)
            || Refuses("cuDeviceGet", ((delegate* unmanaged<int*, int, int>)Export(driver, "cuDeviceGet"))(&ordinal, gpu), out refusal)
            || Refuses("cuDeviceGetPCIBusId",
                ((delegate* unmanaged<byte*, int, int, int>)Export(driver, "cuDeviceGetPCIBusId"))(bus, BusIdLength, ordinal), out refusal)
            || Refuses("nvmlInit_v2", ((delegate* unmanaged<int>)Export(nvml, "nvmlInit_v2"))(), out refusal)
            || Refuses("nvmlDeviceGetHandleByPciBusId_v2",
                ((delegate* unmanaged<byte*, nint*, int>)Export(nvml, "nvmlDeviceGetHandleByPciBusId_v2"))(bus, &device), out refusal)
            || Refuses("nvmlDeviceGetTotalEnergyConsumption", energy(device, &now), out refusal))
        {
            return null;
        }

        return new(energy, device);
    }

    public long[] Read()
    {
        ulong now;
        return Refuses("nvmlDeviceGetTotalEnergyConsumption", _energy(_device, &now), out var refusal) ? throw new IOException(refusal) : [(long)now];
    }

    public double Joules(long[] before, long[] after) => (after[0] - before[0]) / 1e3;

    private static bool TryLoad((string Windows, string Linux) names, out nint library, out string? refusal)
    {
        var name = OperatingSystem.IsWindows() ? names.Windows : names.Linux;
        var found = NativeLibrary.TryLoad(name, out library);
        refusal = found ? null : $"there is no {name}, which comes with NVIDIA's driver";
        return found;
    }

    private static nint Export(nint library, string name) => NativeLibrary.GetExport(library, name);

    private static bool Refuses(string call, int code, out string? refusal)
    {
        refusal = code == 0 ? null : $"the GPU's counter cannot be read: {call} gives {code}";
        return code != 0;
    }
}
