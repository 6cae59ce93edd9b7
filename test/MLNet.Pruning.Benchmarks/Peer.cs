using System.Diagnostics;
using System.Globalization;

namespace MLNet.Pruning.Benchmarks;

/// <summary>Where the Python peers are.</summary>
internal sealed record PeerScripts(string Python, DirectoryInfo Folder)
{
    /// <summary>Version and linear algebra of the PyTorch, as it tells them.</summary>
    public string Describe()
    {
        const string Program = """
            import re, torch
            torch.rand(64, 64) @ torch.rand(64, 64)
            loaded = sorted(set(re.findall(r"[^/\n]*(?:blas|mkl|lapack)[^/\n]*\.so[^/\n]*", open("/proc/self/maps").read())))
            print("PyTorch", torch.__version__, "with", " ".join(loaded) or "MKL" if torch.backends.mkl.is_available() else " ".join(loaded))
            """;
        using var process = Process.Start(new ProcessStartInfo(Python, ["-c", Program]) { RedirectStandardOutput = true })!;
        return process.StandardOutput.ReadToEnd().Trim();
    }

    public Peer Start(string script, IReadOnlyDictionary<string, string>? environment = null, params string[] arguments)
        => new(Python, [Path.Combine(Folder.FullName, script), .. arguments], environment);
}

/// <summary>A process that answers a line of words with a line of numbers, so that its start is never measured.</summary>
internal sealed class Peer : IDisposable
{
    private readonly Process _process;

    public Peer(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException($"Could not start {program}.");
    }

    /// <summary>This program once more.</summary>
    public static Peer Self(IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        // Where the process is the dotnet command, the assembly comes before the arguments.
        string[] program = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
        return new(Environment.ProcessPath!, [.. program, .. arguments], environment);
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
        var line = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"The peer {string.Join(' ', _process.StartInfo.ArgumentList)} "
            + "ended without an answer.");
        return [.. line.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
