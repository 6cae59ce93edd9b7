using System.CommandLine;
using MLNet.Pruning.Benchmarks;

// A process whose start is timed: before the command line is read, which takes as long. See StartBenchmark.
if (args is [StartRound.Name, var what, var path, var width])
{
    StartRound.Run(Enum.Parse<StartedBy>(what), path, int.Parse(width));
    return 0;
}

var which = new Argument<string[]>("benchmarks") { Description = "Which to run; all but gpu by default.", Arity = ArgumentArity.ZeroOrMore };
which.AcceptOnlyFromAmong("selection", "training", "gpu", "bits", "busy", "scoring", "sparse", "trees", "removal", "steps", "quantization", "start");
var peers = new Option<DirectoryInfo?>("--peers") { Description = "Folder of the Python peers; without it nothing is compared with PyTorch." };
var python = new Option<string>("--python") { Description = "Python that has PyTorch.", DefaultValueFactory = _ => "/usr/bin/python3" };
var rounds = new Option<int>("--rounds") { Description = "Rounds of each side, alternating.", DefaultValueFactory = _ => 7 };
var output = new Option<FileInfo?>("--output") { Description = "Markdown file to write the table to." };
var packaged = new Option<FileInfo?>("--packaged") { Description = "This program with the library as its package has it, whose start is timed, too." };
var torchPruning = new Option<DirectoryInfo?>("--torch-pruning") { Description = "Folder of the Python package torch_pruning, to compare a start with." };
var ahead = new Option<FileInfo?>("--compiled-ahead") { Description = "This program as published with PublishReadyToRun, whose start is timed, too." };

// A process of its own, for the memory it takes: see SelectionBenchmark.
var weights = new Argument<long>("weights");
var repeats = new Argument<int>("repeats");
var round = new Command(SelectionRound.Name) { Hidden = true, Arguments = { weights, repeats } };
round.SetAction(arguments => SelectionRound.Run(arguments.GetValue(weights), arguments.GetValue(repeats)));

// One for what native libraries read when they load: see BitsBenchmark.
var trainer = new Command(TrainingProcess.Name) { Hidden = true };
trainer.SetAction(_ => TrainingProcess.Run());

// And one that takes a core away: see BusyBenchmark.
var busy = new Command(BusyProcess.Name) { Hidden = true };
busy.SetAction(_ => BusyProcess.Run());

var command = new RootCommand("Benchmarks of MLNet.Pruning, interleaved with the same work in PyTorch where --peers is given.") { which, peers, python, rounds,
    output, packaged, torchPruning, ahead, round, trainer, busy };
command.SetAction(arguments =>
{
    var chosen = arguments.GetValue(which) is { Length: > 0 } some ? some
        : ["selection", "training", "bits", "busy", "scoring", "sparse", "trees", "removal", "steps", "quantization", "start"];
    var peer = arguments.GetValue(peers) is { } folder ? new PeerScripts(arguments.GetValue(python)!, folder) : null;
    var report = new Report(arguments.GetValue(rounds));
    foreach (var benchmark in chosen)
    {
        switch (benchmark)
        {
            case "selection":
                SelectionBenchmark.Run(report, peer);
                break;
            case "training":
                TrainingBenchmark.Run(report, peer);
                break;
            case "gpu":
                GpuTrainingBenchmark.Run(report, peer);
                break;
            case "bits":
                BitsBenchmark.Run(report);
                break;
            case "busy":
                BusyBenchmark.Run(report);
                break;
            case "scoring":
                ScoringBenchmark.Run(report);
                break;
            case "trees":
                TreesBenchmark.Run(report);
                break;
            case "sparse":
                SparseBenchmark.Run(report);
                break;
            case "removal":
                RemovalBenchmark.Run(report, peer);
                break;
            case "start":
                StartBenchmark.Run(report, peer, arguments.GetValue(torchPruning), arguments.GetValue(packaged), arguments.GetValue(ahead));
                break;
            case "quantization":
                QuantizationBenchmark.Run(report);
                break;
            default:
                StepsBenchmark.Run(report);
                break;
        }
    }

    Console.WriteLine();
    Console.WriteLine(report);
    if (arguments.GetValue(output) is { } file)
    {
        file.Directory!.Create();
        File.WriteAllText(file.FullName, report.ToString());
    }
});
return command.Parse(args).Invoke();
