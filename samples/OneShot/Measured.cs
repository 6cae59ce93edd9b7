using System.Diagnostics;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Samples.OneShot;

/// <summary>Writes beside the model of a stage what its fit took.</summary>
internal sealed class Measured(StageRun run, IEstimator<ITransformer> steps) : IEstimator<ITransformer>
{
    public ITransformer Fit(IDataView input)
    {
        var watch = Stopwatch.StartNew();
        var model = steps.Fit(input);
        var path = Beside(run.Model);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var process = Process.GetCurrentProcess();
        File.WriteAllText(path, JsonSerializer.Serialize(new Cost(watch.Elapsed.TotalSeconds, process.PeakWorkingSet64)));
        return model;
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => steps.GetOutputSchema(inputSchema);

    public static Cost Read(string model) => JsonSerializer.Deserialize<Cost>(File.ReadAllText(Beside(model)))!;

    private static string Beside(string model) => Path.ChangeExtension(model, ".json");
}

/// <summary>What a fit took.</summary>
/// <param name="Seconds">From the rows to the pruned network.</param>
/// <param name="PeakBytes">Most of the process's memory up to its end, the rows of MNIST included.</param>
internal sealed record Cost(double Seconds, long PeakBytes);
