using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Samples.OnnxModel;

/// <summary>From an ONNX file to a smaller model that runs wherever ML.NET and ONNX Runtime do.</summary>
internal static class Journey
{
    public static int Run(int seed, DirectoryInfo output)
    {
        output.Create();
        string File(string name) => Path.Combine(output.FullName, name);
        var ml = new MLContext(seed);
        var digits = ml.Data.LoadFromTextFile(Path.Combine(AppContext.BaseDirectory, "optdigits.csv"),
            [new("Features", DataKind.Single, 0, 63), new("Label", DataKind.Single, 64)], separatorChar: ',');
        var split = ml.Data.TrainTestSplit(digits, testFraction: 0.2, seed: seed);
        WriteRows(ml, split.TestSet, File("test.csv"));

        // The file that somebody else would give us: a small residual network, trained on the digits.
        var inputs = ml.Transforms.Conversion.MapValueToKey("Label").Append(ml.Transforms.NormalizeMinMax("Features"));
        var trainer = ml.MulticlassClassification.Trainers.NeuralNetwork(new NeuralNetworkOptions
        {
            Network = ResidualNetwork(),
            Epochs = 12,
            LearningRateSchedule = LearningRateSchedule.Cosine(),
        });
        inputs.Append(trainer).Fit(split.TrainSet).LastTransformer.Network.SaveOnnx(File("digits.onnx"));

        var chain = inputs.Append(ml.Transforms.LoadNetwork(File("digits.onnx")));
        var dense = chain.Fit(split.TrainSet);
        var model = chain
            .Append(ml.Transforms.Prune(0.5, granularity: Granularity.Filter, scope: Scope.Layer, schedule: Schedule.Linear(4), fineTuneEpochs: 3))
            .Append(ml.Transforms.FineTune(epochs: 20))
            .Fit(split.TrainSet);

        var (before, after) = (ml.Compression().Measure(dense).Total, ml.Compression().Measure(model).Total);
        Print($"digits.onnx: test accuracy {Accuracy(ml, dense, split.TestSet):P2}, {before.Parameters:N0} parameters, {before.MultiplyAdds:N0} multiply-adds");
        foreach (var width in model.OfType<NeuralNetworkTransformer>().Select(step => step.Report).OfType<PruningReport>().Single().Widths)
        {
            Print($"  {width}");
        }

        Print($"half of the channels removed, fine-tuned: test accuracy {Accuracy(ml, model, split.TestSet):P2}, {after.Parameters:N0} parameters, "
            + $"{after.MultiplyAdds:N0} multiply-adds");
        model.LastTransformer.Network.SaveOnnx(File("small.onnx"));
        ml.Model.Save(dense.Compact(), split.TrainSet.Schema, File("dense.zip"));
        ml.Model.Save(model.Compact(), split.TrainSet.Schema, File("small.zip"));

        Print($"another process, which knows ML.NET and ONNX Runtime only:");
        return Score(File("test.csv"), File("dense.zip"), File("small.zip"));
    }

    private static Network ResidualNetwork() => Network.Sequential([1, 8, 8],
        Layer.Conv2d(64, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(),
        Layer.Residual(Layer.Conv2d(64, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(), Layer.Conv2d(64, 3, padding: 1), Layer.BatchNorm()), Layer.Relu(),
        Layer.MaxPool(2),
        Layer.Conv2d(96, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(),
        Layer.Residual(Layer.Conv2d(96, 3, padding: 1), Layer.BatchNorm(), Layer.Relu(), Layer.Conv2d(96, 3, padding: 1), Layer.BatchNorm()), Layer.Relu(),
        Layer.GlobalAveragePool(), Layer.Flatten(), Layer.Dense(10));

    private static double Accuracy(MLContext ml, ITransformer model, IDataView rows)
        => ml.MulticlassClassification.Evaluate(model.Transform(rows)).MicroAccuracy;

    private static void WriteRows(MLContext ml, IDataView rows, string path) => System.IO.File.WriteAllLines(path,
        rows.GetColumn<float[]>("Features").Zip(rows.GetColumn<float>("Label"),
            (features, label) => string.Join(",", features.Append(label).Select(value => value.ToString(CultureInfo.InvariantCulture)))));

    private static int Score(params string[] arguments)
    {
        var program = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().First(metadata => metadata.Key == "ScoreProgram").Value!;
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments]))!;
        process.WaitForExit();
        return process.ExitCode;
    }

    private static void Print(string text) => Console.WriteLine(text);
}
