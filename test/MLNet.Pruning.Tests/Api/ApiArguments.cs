using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Tests.Compression.Pruning.Recoveries;
using MLNet.Pruning.Tests.Compression.Trees;
using Microsoft.ML;
using Microsoft.ML.Data;
using static TorchSharp.torch;

namespace MLNet.Pruning.Tests.Api;

/// <summary>Values that a parameter should not take, and ones that it does.</summary>
internal static class ApiArguments
{
    private static readonly MLContext s_ml = new(1);
    private static readonly Network s_network = Network.Mlp(4, 3, 2).Initialize(1);
    private static readonly IDataView s_rows = s_ml.Transforms.Conversion.MapValueToKey("Label").Fit(Rows()).Transform(Rows());
    private static readonly Lazy<ITransformer> s_model = new(() => s_ml.MulticlassClassification.Trainers.NeuralNetwork(Training()).Fit(s_rows));
    private static readonly Lazy<ConfusionMatrix> s_confusion
        = new(() => s_ml.MulticlassClassification.Evaluate(s_model.Value.Transform(s_rows)).ConfusionMatrix);

    private static readonly Lazy<SensitivityReport> s_sensitivity = new(() => s_ml.Compression().Sensitivity(s_model.Value, s_rows, Sensitivity()));
    private static readonly Lazy<ITransformer> s_trees = new(() => s_ml.Fit("FastTree", s_ml.View(TreeTables.Make(60, 1)), trees: 3));
    private static readonly Lazy<ITransformer> s_prunedTrees = new(() =>
        s_ml.Transforms.PruneTrees(s_trees.Value, Trees()).Fit(s_ml.View(TreeTables.Make(60, 1))));

    /// <summary>Where files are written.</summary>
    public static DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("arguments");

    /// <summary>Made anew for each call, as setters change them.</summary>
    private static readonly Dictionary<Type, Func<object>> s_samples = new()
    {
        [typeof(int)] = () => 2,
        [typeof(long)] = () => 1L,
        [typeof(double)] = () => 0.5,
        [typeof(float)] = () => 0.5f,
        [typeof(bool)] = () => true,
        [typeof(string)] = () => "fc1",
        [typeof(Network)] = () => s_network,
        [typeof(Layer)] = () => Layer.Relu(),
        [typeof(Amount)] = () => Amount.Fraction(0.5),
        [typeof(Importance)] = () => Importance.L1,
        [typeof(Granularity)] = () => Granularity.Weight,
        [typeof(Scope)] = () => Scope.Network,
        [typeof(Schedule)] = () => Schedule.OneShot,
        [typeof(Recovery)] = () => Recovery.MergeNearest(),
        [typeof(SparseTraining)] = () => SparseTraining.Soft(),
        [typeof(Distillation)] = () => Distillation.Response(),
        [typeof(Regularization)] = () => Regularization.L1(1e-4),
        [typeof(Budget)] = () => Budget.MetricLoss(0.5),
        [typeof(Distribution)] = () => Distribution.Global,
        [typeof(Optimizer)] = () => Optimizer.Sgd(),
        [typeof(LearningRateSchedule)] = () => LearningRateSchedule.Constant,
        [typeof(SearchStrategy)] = () => SearchStrategy.SensitivityGuided,
        [typeof(Augmentation)] = () => Augmentation.Shift(1),
        [typeof(LayerRule)] = () => LayerRule.Named("fc1"),
        [typeof(PruningOptions)] = () => new PruningOptions(),
        [typeof(Quantizer)] = () => Quantizer.Weights(4),
        [typeof(QuantizationRange)] = () => QuantizationRange.MinMax,
        [typeof(WeightRounding)] = () => WeightRounding.Nearest,
        [typeof(QuantizationPreparation)] = () => QuantizationPreparation.Equalize,
        [typeof(QuantizationTarget)] = () => QuantizationTarget.Any,
        [typeof(QuantizationOptions)] = () => new QuantizationOptions(),
        [typeof(QuantizationReport)] = () => new QuantizationReport("", "", null, null, 1, 1, [], []),
        [typeof(QuantizeEstimator)] = () => new MLContext(1).Transforms.Quantize(),
        [typeof(Factorizer)] = () => Factorizer.Svd,
        [typeof(Rank)] = () => Rank.Fixed(1),
        [typeof(FactorizationOptions)] = () => new FactorizationOptions { Factorizer = Factorizer.Svd },
        [typeof(FactorizeEstimator)] = () => new MLContext(1).Transforms.Factorize(),
        [typeof(SelectionOptions)] = () => new SelectionOptions(),
        [typeof(CriterionOptions)] = () => new SelectionOptions(),
        [typeof(TrainingOptions)] = () => new TrainingOptions(),
        [typeof(AutoPruneOptions)] = () => new AutoPruneOptions { Budget = Budget.Parameters(5) },
        [typeof(SensitivityOptions)] = Sensitivity,
        [typeof(TreePruningOptions)] = Trees,
        [typeof(TargetedDropout)] = () => new TargetedDropout(0.5, 0.5),
        [typeof(NeuralNetworkOptions)] = Training,
        [typeof(LoadNetworkOptions)] = () => new LoadNetworkOptions { Network = s_network },
        [typeof(StructureOptions)] = () => new StructureOptions(),
        [typeof(NetworkStructure)] = () => s_network.Groups(),
        [typeof(PruningGroup)] = () => s_network.Groups()[0],
        [typeof(PrunedNetwork)] = () => s_network.Prune(Amount.Fraction(0.5)),
        [typeof(WeightMask)] = () => s_network.Prune(Amount.Fraction(0.5)).Masks["fc1.weight"],
        [typeof(Parameter)] = () => s_network["fc1.weight"],
        [typeof(Teacher)] = () => Teacher.Columns(),
        [typeof(PruningReport)] = () => new PruningReport(null, []),
        [typeof(DiagnosisOptions)] = () => new DiagnosisOptions { Kinds = [FindingKind.ZerosStored] },
        [typeof(SensitivityReport)] = () => s_sensitivity.Value,
        [typeof(CompressionReport)] = () => s_ml.Compression().Report(s_model.Value),
        [typeof(CompressionReportOptions)] = () => new CompressionReportOptions(),
        [typeof(CompressionCatalog)] = () => s_ml.Compression(),
        [typeof(Stream)] = () => new MemoryStream(System.IO.File.ReadAllBytes(File())),
        [typeof(MLContext)] = () => s_ml,
        [typeof(TransformsCatalog)] = () => s_ml.Transforms,
        [typeof(IDataView)] = () => s_rows,
        [typeof(DataViewSchema)] = () => s_rows.Schema,
        [typeof(SchemaShape)] = () => new SchemaShape([]),
        [typeof(MulticlassClassificationCatalog.MulticlassClassificationTrainers)] = () => s_ml.MulticlassClassification.Trainers,
        [typeof(BinaryClassificationCatalog.BinaryClassificationTrainers)] = () => s_ml.BinaryClassification.Trainers,
        [typeof(RegressionCatalog.RegressionTrainers)] = () => s_ml.Regression.Trainers,
        [typeof(IEstimator<ISingleFeaturePredictionTransformer<object>>)] = () => s_ml.Regression.Trainers.FastTree(),
        [typeof(ITransformer)] = () => s_model.Value,
        [typeof(NeuralNetworkTransformer)] = () => s_model.Value,
        [typeof(PrunedTreesTransformer)] = () => s_prunedTrees.Value,
        [typeof(NeuralNetworkTrainer)] = () => s_ml.MulticlassClassification.Trainers.NeuralNetwork(Training()),
        [typeof(OneShotOptions)] = () => new OneShotOptions(),
        [typeof(PruneOneShotEstimator)] = () => s_ml.Transforms.PruneOneShot(0.5),
        [typeof(PruneEstimator)] = () => s_ml.Transforms.Prune(0.5),
        [typeof(FineTuneEstimator)] = () => s_ml.Transforms.FineTune(1),
        [typeof(DistillEstimator)] = () => s_ml.Transforms.Distill(s_network),
        [typeof(PruneTreesEstimator)] = () => s_ml.Transforms.PruneTrees(s_trees.Value, Trees()),
        [typeof(AutoPruneEstimator)] = () => s_ml.Transforms.AutoPrune(Budget.Parameters(5)),
        [typeof(LoadNetworkEstimator)] = () => s_ml.Transforms.LoadNetwork(s_network),
        [typeof(Tolerance)] = () => Tolerance.Of(0.1),
        [typeof(Metric)] = () => Metric.Accuracy,
        [typeof(ObjectBox)] = () => new ObjectBox(0, 1, 2, 3, 4),
        [typeof(Func<int, IEnumerable<ObjectBox>>)] = () => (Func<int, IEnumerable<ObjectBox>>)(_ => []),
        [typeof(Func<IReadOnlyDictionary<string, float[]>, IEnumerable<ObjectBox>>)]
            = () => (Func<IReadOnlyDictionary<string, float[]>, IEnumerable<ObjectBox>>)(_ => []),
        [typeof(Perturbation)] = () => Perturbation.GaussianNoise(0.1),
        [typeof(EvaluationOptions)] = () => new EvaluationOptions { Metrics = [Metric.Accuracy] },
        [typeof(ConfusionMatrix)] = () => s_confusion.Value,
        [typeof(ClassConfusion)] = () => ClassConfusion.Of(s_confusion.Value),
        [typeof(EvaluationReport)] = () => s_ml.Compression().Evaluate(s_model.Value, s_rows, Metric.Accuracy),
        [typeof(Predictions)] = () => new Predictions(LearningTask.Multiclass, [1, 2, 3, 4, 5, 6, 7, 8, 9], [0, 1, 2]),
        [typeof(LearningTask)] = () => LearningTask.Regression,
        [typeof(Func<Predictions, double>)] = () => (Func<Predictions, double>)(_ => 1),
        [typeof(Func<Predictions, int, double>)] = () => (Func<Predictions, int, double>)((_, _) => 1),
        [typeof(Func<int, double>)] = () => (Func<int, double>)(row => row),
        [typeof(Func<Network, Network>)] = () => (Func<Network, Network>)(network => network),
        [typeof(ImportanceContext)] = () => Context(),
        [typeof(ImportanceScores)] = () => Importance.L1.Measure(Context()),
        [typeof(CalibrationRun)] = () => Context().Start("sample", 4),
        [typeof(RecoveryStep)] = () => new RecoveryStep(s_network.Prune(Amount.Count(0)), s_network.Prune(Amount.Fraction(0.5)), null, Calibration()),
        [typeof(WeightScorer)] = () => (WeightScorer)((_, _, scores) => scores.Clear()),
        [typeof(Func<PruningGroup, double>)] = () => (Func<PruningGroup, double>)(_ => 1),
        [typeof(Func<PrunedNetwork, PrunedNetwork>)] = () => (Func<PrunedNetwork, PrunedNetwork>)(network => network),
        [typeof(Func<double, double, IEnumerable<double>>)] = () => (Func<double, double, IEnumerable<double>>)((_, target) => [target]),
        [typeof(Func<float, float, float>)] = () => (Func<float, float, float>)((weight, gradient) => weight * gradient),
        [typeof(Action<Tensor, Tensor, double>)] = () => (Action<Tensor, Tensor, double>)((_, _, _) => { }),
        [typeof(Tensor)] = () => zeros(2, 4),
        [typeof(TorchSharp.Modules.Sequential)] = () => nn.Sequential(nn.Linear(4, 2)),
    };

    /// <summary>A value that a parameter takes; null where none is known.</summary>
    public static object? Sample(ParameterInfo parameter)
        => parameter.Name is "path" ? File() : parameter is { Name: "parameter", ParameterType: var type } && type == typeof(string) ? "fc1.weight"
        : parameter.ParameterType == typeof(ITransformer) && parameter.Member.DeclaringType == typeof(TreePruningCatalog) ? s_trees.Value
        : Sample(parameter.ParameterType);

    /// <summary>A value of a type; null where none is known.</summary>
    public static object? Sample(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return s_samples.TryGetValue(type, out var make) ? make()
            : type.IsEnum ? Enum.GetValues(type).GetValue(0)
            : typeof(ITuple).IsAssignableFrom(type) ? Activator.CreateInstance(type, [.. type.GetGenericArguments().Select(Sample)])
            : Value(type) is { } value ? Table(value, Sample(value))
            : Item(type) is { } item ? Sample(item) is { } one ? List(item, one) : null
            : type.IsValueType ? Activator.CreateInstance(type) : null;
    }

    /// <summary>Values out of range for most parameters of that type; not all are for all.</summary>
    public static IEnumerable<object?> Bad(ParameterInfo parameter)
    {
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        if (!type.IsValueType && !TakesNull(parameter))
        {
            yield return null;
        }

        foreach (var value in Value(type) is { } held ? Bad(held).Select(value => (object)Table(held, value)) : Item(type) is { } item
            ? Bad(item).Select(value => (object)List(item, value)) : Bad(type).OfType<object>())
        {
            yield return value;
        }
    }

    /// <summary>Whether no parameter at all should take the value.</summary>
    public static bool IsNeverLegal(object? value) => value is null or double.NaN or Enum || value is ITuple tuple
        && Enumerable.Range(0, tuple.Length).Any(i => IsNeverLegal(tuple[i]))
        || value is IDictionary table && table.Values.Cast<object?>().Any(IsNeverLegal) || value is IEnumerable list and not string and not IDictionary
        && list.Cast<object?>().Any(IsNeverLegal);

    public static bool TakesNull(ParameterInfo parameter) => new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable;

    private static IEnumerable<object?> Bad(Type type)
        => type == typeof(double) ? [double.NaN, double.PositiveInfinity, double.NegativeInfinity, -1.0, double.MaxValue, double.Epsilon]
        : type == typeof(float) ? [float.NaN, float.PositiveInfinity] : type == typeof(int) ? [-1, int.MinValue, int.MaxValue] : type == typeof(long)
        ? [-1L, long.MinValue, long.MaxValue] : type == typeof(string) ? [""]
        : type == typeof(TimeSpan) ? [TimeSpan.Zero, TimeSpan.MinValue, TimeSpan.MaxValue] : type.IsEnum ? [Enum.ToObject(type, 99)]
        : typeof(ITuple).IsAssignableFrom(type) ? type.GetGenericArguments()
            .SelectMany((part, i) => (part.IsValueType ? Bad(part)
                : [null]).Select(bad => Activator.CreateInstance(type, [.. type.GetGenericArguments().Select((other, j) => i == j ? bad : Sample(other))])))
        : type.IsValueType ? [] : [null];

    private static Type? Item(Type type) => type.IsArray ? type.GetElementType()
        : type.IsGenericType && type.GetGenericTypeDefinition() is var open && (open == typeof(IReadOnlyList<>) || open == typeof(IEnumerable<>))
        ? type.GetGenericArguments()[0] : null;

    private static Type? Value(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>)
        ? type.GetGenericArguments()[1] : null;

    private static Array List(Type item, object? one)
    {
        var list = Array.CreateInstance(item, 1);
        list.SetValue(one, 0);
        return list;
    }

    private static IDictionary Table(Type value, object? one)
    {
        var table = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(typeof(string), value))!;
        table.Add("fc1.weight", one);
        return table;
    }

    /// <summary>An ONNX file, a new one each time, as members write to it.</summary>
    private static string File()
    {
        var path = Path.Combine(Folder.FullName, Path.GetRandomFileName());
        s_network.SaveOnnx(path);
        return path;
    }

    private static IDataView Rows() => s_ml.Data.LoadFromEnumerable(Enumerable.Range(0, 40)
        .Select(i => new Row { Features = [i % 2, i % 3, i % 5, i % 7], Label = i % 2 }));

    private static ImportanceContext Context() => new(s_network.Prune(Amount.Fraction(0.5)), Calibration());

    private static CalibrationData Calibration() => RecoveryCase.Data(RecoveryCase.Rows(6, 4, seed: 1));

    private static NeuralNetworkOptions Training() => new() { Network = s_network, Epochs = 1 };

    private static SensitivityOptions Sensitivity() => new() { Sparsities = [0.5] };

    private static TreePruningOptions Trees() => new() { Budget = Budget.Trees(2) };

    private sealed class Row
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }
}
