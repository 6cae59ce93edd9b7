using System.Diagnostics;

namespace MLNet.Pruning.Benchmarks;

/// <summary>What another process that keeps a core busy does to samples/Digits: threads that spin while they wait would wait for that core.</summary>
internal static class BusyBenchmark
{
    private const double Aim = 2;
    private const string Sample = "samples/Digits/bin/Release/net10.0/Digits.dll";

    public static void Run(Report report)
    {
        report.Section("samples/Digits beside a busy core, seconds", "beside nothing", "times as long",
            "The whole sample, started and run to its end, in turns beside a process that keeps one core busy and beside none.");
        var output = Directory.CreateTempSubdirectory("digits");
        double Seconds()
        {
            var watch = Stopwatch.StartNew();
            using var sample = Process.Start(new ProcessStartInfo("dotnet", [Sample, "--output", output.FullName]) { RedirectStandardOutput = true })
                ?? throw new InvalidOperationException("Could not start dotnet.");
            sample.StandardOutput.ReadToEnd();
            sample.WaitForExit();
            return sample.ExitCode == 0 ? watch.Elapsed.TotalSeconds : throw new InvalidOperationException($"{Sample} ended with {sample.ExitCode}.");
        }

        var (busy, quiet) = report.Interleave(() =>
        {
            using var other = Peer.Self(null, BusyProcess.Name);
            other.Answer();
            return Seconds();
        }, Seconds);
        output.Delete(recursive: true);
        report.Add(new("samples/Digits", busy, quiet, seconds => FormattableString.Invariant($"{seconds:0.0} s"), (our, their) => our / their, Aim,
            AimIsLargest: true));
    }
}

/// <summary>Keeps a core busy until its standard input ends.</summary>
internal static class BusyProcess
{
    public const string Name = "busy-process";

    public static void Run()
    {
        var ended = false;
        new Thread(() =>
        {
            while (Console.ReadLine() is not null)
            {
            }

            Volatile.Write(ref ended, true);
        }) { IsBackground = true }.Start();
        Console.WriteLine(1);
        while (!Volatile.Read(ref ended))
        {
        }
    }
}
