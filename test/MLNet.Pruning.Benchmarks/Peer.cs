using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace MLNet.Pruning.Benchmarks;

/// <summary>Where the Python peers are.</summary>
internal sealed record PeerScripts(string Python, DirectoryInfo Folder)
{
    public Peer Start(string script, IReadOnlyDictionary<string, string>? environment = null, params string[] arguments)
        => new(Python, [Path.Combine(Folder.FullName, script), .. arguments], environment);
}

/// <summary>A process that answers a line of words with a line of numbers, so that its start is never measured.</summary>
internal sealed class Peer : IDisposable
{
    // Variables that decide how fast the linear algebra runs: a peer gets what this process runs with.
    private static readonly string[] s_inherited = ["OPENBLAS_CORETYPE"];
    private readonly Process _process;

    public Peer(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var name in s_inherited)
        {
            if (NativeVariable(name) is { } value)
            {
                start.Environment[name] = value;
            }
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException($"Could not start {program}.");
    }

    /// <summary>Asks and waits for the answer.</summary>
    public double[] Ask(params object[] words)
    {
        _process.StandardInput.WriteLine(string.Join(' ', words));
        _process.StandardInput.Flush();
        return Answer();
    }

    /// <summary>The next line of numbers.</summary>
    public double[] Answer()
    {
        var line = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"The peer {string.Join(' ', _process.StartInfo.ArgumentList)} ended without an answer.");
        return [.. line.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>A variable as native libraries see it; they may have set it themselves, which .NET does not notice.</summary>
    public static string? NativeVariable(string name) => OperatingSystem.IsLinux() ? Marshal.PtrToStringUTF8(getenv(name)) : Environment.GetEnvironmentVariable(name);

    [DllImport("libc", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint getenv(string name);
}
