using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace MLNet.Pruning.Cli;

/// <summary>What users want to do, and the line that does it: help shows those of the command, and at the top the first of each.</summary>
internal static class Examples
{
    private const string Tool = "mlnet-prune";

    private static readonly (string Command, string Task, string Line)[] s_all =
    [
        ("inspect", "See what is in a model and what can go", "inspect model.onnx"),
        ("inspect", "See what goes together with channel 3 of a layer, and why", "inspect model.onnx --explain fc1:3"),
        ("inspect", "See how few bytes each tensor takes, and how encoded", "inspect model.onnx --encodings"),
        ("prune", "Make it smaller and faster", "prune model.onnx -o small.onnx --sparsity 0.5"),
        ("prune", "The same, trained again in three steps", "prune model.onnx -o small.onnx --sparsity 0.7 --data rows.csv --label y --schedule cubic:3"),
        ("prune", "Lose at most a hundredth of accuracy", "prune model.onnx -o small.onnx --data rows.csv --label y --schedule linear:5 --tolerance 0.01"),
        ("prune", "Remove units, then round what is left to integers", "prune model.onnx -o int8.onnx --data rows.csv --label y --quantize int8"),
        ("prune", "Set weights to zero and store only the others", "prune model.onnx -o sparse.onnx --granularity weight --sparsity 0.9 --sparse"),
        ("distil", "Train a smaller model on what it says", "distil model.onnx -o student.onnx --width 0.25 --data rows.csv --label y"),
        ("distil", "Teach a model of your own", "distil model.onnx -o taught.onnx --student small.onnx --data rows.csv --label y --epochs 5"),
        ("quantize", "Make its file a quarter as large", "quantize model.onnx -o int8.onnx --data rows.csv --label y"),
        ("quantize", "Weights of 4 bits, rounded with care", "quantize model.onnx -o w4.onnx --to \"weights(4)\" --rounding gptq --data rows.csv --label y"),
        ("factorize", "Take dense layers apart", "factorize model.onnx -o factors.onnx --rank \"energy(0.95)\""),
        ("evaluate", "Measure models side by side", "evaluate model.onnx small.onnx --data rows.csv --label y"),
        ("evaluate", "Time them, and how they stand noise",
            "evaluate model.onnx small.onnx --data rows.csv --label y --metrics \"latency-p95,accuracy under gaussianNoise(0.1, 1)\""),
        ("verify", "Check that a pruned model is exactly what the larger one computes without the rest", "verify small.onnx model.onnx --masked"),
        ("bench", "Time two models in turns", "bench model.onnx small.onnx"),
        ("diagnose", "See why it is not faster or smaller", "diagnose model.onnx"),
        ("diagnose", "The same as an application scores that gets 32 rows at a time", "diagnose model.onnx --batch 32 --threads 1"),
        ("report", "Show what became of it", "report model.onnx small.onnx -o report.html"),
        ("completion", "Complete commands and options in bash", "completion bash"),
    ];

    /// <summary>Help that ends with examples.</summary>
    /// <param name="help">Help without.</param>
    public static CommandLineAction Behind(HelpAction help) => new ExampleHelp(help);

    /// <summary>The lines that help shows, as they are typed behind the tool's name.</summary>
    public static IEnumerable<string> Lines => s_all.Select(example => example.Line);

    private sealed class ExampleHelp(HelpAction help) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var code = help.Invoke(parseResult);
            var command = parseResult.CommandResult.Command;
            var shown = command is RootCommand ? s_all.DistinctBy(example => example.Command).ToArray()
                : s_all.Where(example => example.Command == command.Name).ToArray();
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine(command is RootCommand ? "Tasks:" : "Examples:");
            foreach (var (_, task, line) in shown)
            {
                output.WriteLine($"  {task}:");
                output.WriteLine($"    {Tool} {line}");
            }

            output.WriteLine();
            return code;
        }
    }
}
