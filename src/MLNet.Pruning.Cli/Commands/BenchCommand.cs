using System.CommandLine;
using MLNet.Pruning.Cli.Runtime;
using Spectre.Console;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>mlnet-prune bench: latency and throughput of two models in ONNX Runtime, measured in turns.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var a = new Argument<FileInfo>("a") { Description = "An ONNX file." };
        var b = new Argument<FileInfo>("b") { Description = "Another one." };
        var batch = new Option<int>("--batch") { Description = "Rows in a run, where the model leaves that open.", DefaultValueFactory = _ => 1 }.AtLeast(1);
        var rounds = new Option<int>("--rounds") { Description = "Rounds of at least 50 ms of each model, in turns.", DefaultValueFactory = _ => 20 }
            .AtLeast(1);
        var threads = new Option<int>("--threads") { Description = "Threads of the runtime.", DefaultValueFactory = _ => 1 }.AtLeast(1);
        var openSize = RandomInputOptions.OpenSize();
        var sizes = RandomInputOptions.Sizes("Sizes of open dimensions in the random rows, in place of --open-size");
        var command = new Command("bench", "Latency and throughput of two models side by side in ONNX Runtime.") { a, b, batch, rounds, threads, openSize,
            sizes };
        command.SetAnswer(arguments => Run(arguments, arguments.GetRequiredValue(a), arguments.GetRequiredValue(b), arguments.GetValue(batch),
            arguments.GetValue(rounds),
            arguments.GetValue(threads), new(arguments.GetValue(openSize), arguments.GetRequiredValue(sizes)), arguments.GetValue(Tool.Seed)));
        return command;
    }

    private static Bench Run(ParseResult arguments, FileInfo a, FileInfo b, int batch, int rounds, int threads, RandomSizes openSizes, int seed)
    {
        using var left = new BoundRun(Model.Read(a), batch, threads, openSizes, seed);
        using var right = new BoundRun(Model.Read(b), batch, threads, openSizes, seed);
        var (timesA, timesB) = Progress.Run(arguments, "warming up", progress =>
            SideBySide.Measure(left.Repeat, right.Repeat, rounds, round => progress.Say($"round {round} of {rounds}", (double)round / rounds)));
        return new(Timing.Of(a, batch, timesA), Timing.Of(b, batch, timesB), Spread.Of(timesA.Zip(timesB, (x, y) => x / y)), batch, rounds, threads);
    }
}

/// <summary>What bench measured.</summary>
/// <param name="A">The first model.</param>
/// <param name="B">The second.</param>
/// <param name="Ratio">Latency of the first over that of the second, round by round: how many times faster the second is.</param>
/// <param name="Batch">Rows in a run.</param>
/// <param name="Rounds">Rounds of each model.</param>
/// <param name="Threads">Threads of the runtime.</param>
internal sealed record Bench(Timing A, Timing B, Spread Ratio, int Batch, int Rounds, int Threads) : Answer
{
    public override void Print(IAnsiConsole console)
    {
        var table = Cells.Columns("model", "milliseconds a run", "rows a second");
        foreach (var timing in new[] { A, B })
        {
            table.Row(timing.File, timing.Milliseconds.ToString(), Cells.Number(timing.RowsPerSecond, "N0"));
        }

        console.Write(table);
        console.Line($"{B.File} is {Ratio} times as fast as {A.File}");
        console.Line($"median (10th to 90th percentile) of {Rounds} rounds in turns; batch {Batch}, {Threads} thread{(Threads > 1 ? "s" : "")}");
    }
}

/// <summary>How long runs of a model take.</summary>
/// <param name="File">Path as it was given.</param>
/// <param name="Milliseconds">Of one run.</param>
/// <param name="RowsPerSecond">At the median.</param>
internal sealed record Timing(string File, Spread Milliseconds, double RowsPerSecond)
{
    public static Timing Of(FileInfo file, int batch, double[] seconds)
    {
        var spread = Spread.Of(seconds.Select(second => second * 1e3));
        return new(file.ToString(), spread, batch / spread.Median * 1e3);
    }
}
