using System.Globalization;
using Microsoft.ML;

namespace MLNet.Pruning.Samples;

/// <summary>The stages of a recipe with one seed; those whose model is there already are not run again.</summary>
internal static class SeedRun
{
    public static void Run(Recipe recipe, int seed, DirectoryInfo? data, ResultFolder results, int? gpu, TextWriter log)
    {
        var ml = new MLContext(seed) { GpuDeviceId = gpu, FallbackToCpu = false };
        var all = recipe.Rows(ml, data, seed);
        var rows = all;
        var done = 0;
        for (var i = 0; i < recipe.Stages.Count; i++)
        {
            var stage = recipe.Stages[i];
            var path = results.Model(seed, i);
            ITransformer model;
            if (File.Exists(path))
            {
                model = ml.Compression().Load(path, out _);
            }
            else
            {
                var before = done;
                Network After(string name)
                    => Network(ml.Compression().Load(results.Model(seed, recipe.Stages.ToList().FindIndex(one => one.Name == name)), out _));
                model = stage.Create(ml, new(seed, new Report(epoch => Line(log, before + epoch.Epoch, $"{stage.Name}, {epoch}")), After, path)).Fit(rows);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                ml.Compression().Save(model, all.Schema, path);
            }

            rows = recipe.IsChain ? model.Transform(all) : all;
            done += stage.Epochs;
            var total = ml.Compression().Measure(model).Total;
            Line(log, done, string.Create(CultureInfo.InvariantCulture,
                $"{stage.Name} done: {total.LiveNonZeros:N0} live non-zeros of {total.Parameters:N0}, {total.LiveMultiplyAdds:N0} multiply-adds"));
        }
    }

    /// <summary>The last network of a model.</summary>
    public static Network Network(ITransformer model)
        => (model as NeuralNetworkTransformer ?? ((IEnumerable<ITransformer>)model).OfType<NeuralNetworkTransformer>().Last()).Network;

    /// <summary>Epochs done of the recipe, a space, what happened.</summary>
    private static void Line(TextWriter log, int done, string text) => log.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done} {text}"));

    private sealed class Report(Action<EpochResult> action) : IProgress<EpochResult>
    {
        void IProgress<EpochResult>.Report(EpochResult value) => action(value);
    }
}
