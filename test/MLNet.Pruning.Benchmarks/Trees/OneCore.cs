using System.Diagnostics;

namespace MLNet.Pruning.Benchmarks;

/// <summary>Binds this thread, and those that it starts, to one core: what is called one thread then is one. Only where the system can.</summary>
internal sealed class OneCore : IDisposable
{
    private readonly Process _process = Process.GetCurrentProcess();
    private readonly nint _before;

    public OneCore()
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
        {
            _before = _process.ProcessorAffinity;
            _process.ProcessorAffinity = _before & -_before;
        }
    }

    public void Dispose()
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
        {
            _process.ProcessorAffinity = _before;
        }

        _process.Dispose();
    }
}
