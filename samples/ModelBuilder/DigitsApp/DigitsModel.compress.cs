using System.Diagnostics;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.Pruning;

namespace DigitsApp;

/// <summary>What a compressed model scores with.</summary>
public enum CompressedForm
{
    /// <summary>The trees that Model Builder chose, fewer of them.</summary>
    Trees,

    /// <summary>A network that is trained in their place and loses units.</summary>
    Network,
}

/// <summary>Makes a smaller DigitsModel.mlnet, which the code beside this file loads as it loads the one that Model Builder wrote.</summary>
public partial class DigitsModel
{
    /// <summary>Compresses the model to a budget.</summary>
    /// <param name="outputModelPath">The .mlnet to write.</param>
    /// <param name="form">What it scores with.</param>
    /// <param name="mostBytes">Bytes at most: of the trees' values, or of the network as an ONNX model.</param>
    /// <param name="metricFloor">The least that the metric of the .mbconfig may be on the rows to choose on, such as an accuracy of 0.95.</param>
    /// <param name="chooseFilePath">Rows to choose on, in the form of the training file: rows that Model Builder has not seen.</param>
    /// <param name="configFilePath">The configuration that Model Builder keeps.</param>
    /// <returns>What was done, as a table.</returns>
    /// <exception cref="InvalidOperationException">The budget or the floor cannot be kept, or the model has no trees.</exception>
    public static StepReport Compress(string outputModelPath, CompressedForm form, long mostBytes, double metricFloor, string chooseFilePath,
        string configFilePath = "DigitsModel.mbconfig")
    {
        var mlContext = new MLContext(seed: 1);
        var config = Config.Read(configFilePath);
        var (training, choosing) = (config.Load(mlContext, config.FilePath), config.Load(mlContext, chooseFilePath));
        // What Model Builder saved: transformers that make the features, the trainer's step, and the way back from the key to the label.
        ITransformer[] steps = [.. (IEnumerable<ITransformer>)mlContext.Model.Load(MLNetModelPath, out _)];
        var scorer = Array.FindIndex(steps, step => step is ISingleFeaturePredictionTransformer<object>);
        var features = new TransformerChain<ITransformer>(steps[..scorer]);
        var (compressed, report, metric) = form == CompressedForm.Trees
            ? PruneTrees(mlContext, config, steps[scorer], features.Transform(training), features.Transform(choosing), mostBytes)
            : TrainNetwork(mlContext, config, features.Transform(config.Load(mlContext, config.FilePath, chooseFilePath)), mostBytes);
        if (!(metric >= metricFloor))
        {
            throw new InvalidOperationException(FormattableString.Invariant(
                $"Within {mostBytes} bytes the model reaches {config.MetricName} {metric:0.0000} on the rows to choose on, which is below {metricFloor}."));
        }

        var model = new TransformerChain<ITransformer>([.. steps[..scorer], compressed, .. steps[(scorer + 1)..]]);
        SaveModel(mlContext, model.Compact(), training, outputModelPath);
        return report;
    }

    /// <summary>What models say of rows that neither Model Builder nor the compression has seen.</summary>
    /// <param name="testFilePath">The rows, in the form of the training file.</param>
    /// <param name="modelPaths">The models.</param>
    public static IReadOnlyList<CompressionFigures> EvaluateCompression(string testFilePath, params IEnumerable<string> modelPaths)
    {
        var mlContext = new MLContext(seed: 1);
        var config = Config.Read("DigitsModel.mbconfig");
        var rows = config.Load(mlContext, testFilePath);
        return [.. modelPaths.Select(path =>
        {
            var model = mlContext.Model.Load(path, out _);
            var metrics = mlContext.MulticlassClassification.Evaluate(model.Transform(rows), config.LabelColumn);
            return new CompressionFigures(path, new FileInfo(path).Length, config.MetricName == "MacroAccuracy" ? metrics.MacroAccuracy : metrics.MicroAccuracy,
                MicrosecondsPerRow(mlContext, model, rows));
        })];
    }

    private static (ITransformer Scorer, StepReport Report, double Metric) PruneTrees(MLContext mlContext, Config config, ITransformer trees,
        IDataView training, IDataView choosing, long mostBytes)
    {
        if (!config.HasTrees)
        {
            throw new InvalidOperationException($"Model Builder chose {config.Trainer}, which has no trees: compress the model to a network.");
        }

        var pruned = mlContext.Transforms.PruneTrees(trees, new TreePruningOptions
        {
            Budget = Budget.Bytes(mostBytes),
            Metric = config.Metric,
            LabelColumnName = config.LabelColumn,
            ValidationData = choosing,
        }).Fit(training);
        return (pruned, pruned.Report, pruned.Report.MetricAfter);
    }

    private static (ITransformer Scorer, StepReport Report, double Metric) TrainNetwork(MLContext mlContext, Config config, IDataView rows,
        long mostBytes)
    {
        var dense = mlContext.Transforms.NormalizeMinMax("Inputs", "Features").Append(mlContext.MulticlassClassification.Trainers.NeuralNetwork(new()
        {
            Network = Network.Mlp(config.Features, 64, 32, config.Classes(rows)),
            FeatureColumnName = "Inputs",
            LabelColumnName = config.LabelColumn,
            Metric = config.Metric,
            ValidationFraction = 0.25,
            Epochs = 60,
        })).Fit(rows);
        var pruned = mlContext.Transforms.AutoPrune(new AutoPruneOptions
        {
            Budget = Budget.Bytes(mostBytes),
            CandidateEpochs = 5,
            FineTuneEpochs = 20,
        }).Fit(dense.Transform(rows));
        var report = pruned.GetReport<AutoPruneReport>();
        return (new TransformerChain<ITransformer>(dense, pruned), report, report.After.Metric);
    }

    private static double MicrosecondsPerRow(MLContext mlContext, ITransformer model, IDataView rows)
    {
        using var engine = mlContext.Model.CreatePredictionEngine<ModelInput, ModelOutput>(model);
        ModelInput[] inputs = [.. mlContext.Data.CreateEnumerable<ModelInput>(rows, reuseRowObject: false)];
        double Pass()
        {
            var watch = Stopwatch.StartNew();
            foreach (var input in inputs)
            {
                engine.Predict(input);
            }

            return watch.Elapsed.TotalMicroseconds / inputs.Length;
        }

        return Enumerable.Range(0, 6).Select(_ => Pass()).Order().Take(3).Last();
    }

    /// <summary>What the compression has to know of the .mbconfig.</summary>
    private sealed record Config(string FilePath, char Delimiter, bool HasHeader, bool AllowQuoting, int Features, string LabelColumn, string MetricName,
        string Trainer)
    {
        public bool HasTrees => Trainer.StartsWith("LightGbm") || Trainer.StartsWith("FastTree") || Trainer.StartsWith("FastForest");

        public Metric Metric => MetricName switch
        {
            "MicroAccuracy" => Metric.Accuracy,
            "MacroAccuracy" => Metric.MacroRecall,
            _ => throw new NotSupportedException($"The .mbconfig measures by {MetricName}; expected MicroAccuracy or MacroAccuracy."),
        };

        public static Config Read(string path)
        {
            using var json = JsonDocument.Parse(File.ReadAllText(path));
            var (source, history) = (json.RootElement.GetProperty("DataSource"), json.RootElement.GetProperty("RunHistory"));
            return new(source.GetProperty("FilePath").GetString()!, source.GetProperty("Delimiter").GetString()![0],
                source.GetProperty("HasHeader").GetBoolean(), source.GetProperty("AllowQuoting").GetBoolean(),
                source.GetProperty("ColumnProperties").EnumerateArray().Count(column => column.GetProperty("ColumnPurpose").GetString() == "Feature"),
                json.RootElement.GetProperty("TrainingOption").GetProperty("LabelColumn").GetString()!, history.GetProperty("MetricName").GetString()!,
                history.GetProperty("Trials").EnumerateArray().MaxBy(trial => trial.GetProperty("Score").GetDouble()).GetProperty("TrainerName").GetString()!);
        }

        public IDataView Load(MLContext mlContext, params string[] files) => mlContext.Data.CreateTextLoader<ModelInput>(new TextLoader.Options
        {
            Separators = [Delimiter], HasHeader = HasHeader, AllowQuoting = AllowQuoting,
        }).Load(files);

        public int Classes(IDataView rows) => (int)((KeyDataViewType)rows.Schema[LabelColumn].Type).Count;
    }
}

/// <summary>What a model's file holds, and what it does on the test rows.</summary>
/// <param name="Path">The file.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Metric">The .mbconfig's metric.</param>
/// <param name="MicrosecondsPerRow">What a prediction engine takes for a row.</param>
public sealed record CompressionFigures(string Path, long Bytes, double Metric, double MicrosecondsPerRow);
