using System.Collections;
using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Api;

/// <summary>Values that a parameter should not take, and ones that it does.</summary>
internal static class ApiArguments
{
    private static readonly MLContext s_ml = new(1);
    private static readonly Network s_network = Network.Mlp(4, 3, 2).Initialize(1);

    private static readonly Dictionary<Type, object> s_samples = new object[]
    {
        2, 1L, 0.5, 0.5f, true, "fc1", s_network, Layer.Relu(), Amount.Fraction(0.5), Importance.L1, Granularity.Weight, Scope.Network, Schedule.OneShot, Recovery.MergeNearest(), SparseTraining.Soft(),
        Distillation.Response(), Regularization.L1(1e-4), TreeAmount.Trees(2), Budget.Parameters(5), Distribution.Global, Optimizer.Sgd(), LearningRateSchedule.Constant, SearchStrategy.SensitivityGuided,
        Augmentation.Shift(1), LayerRule.Named("fc1"), new PruningOptions(), new TrainingOptions(), new AutoPruneOptions { Budget = Budget.Parameters(5) }, new SensitivityOptions(), new TreePruningOptions(),
        new NeuralNetworkTrainer.Options { Network = s_network }, new LoadNetworkEstimator.Options { Network = s_network }, new TargetedDropout(0.5, 0.5), new StructureOptions(), s_network.Groups()[0],
        s_network.Prune(Amount.Fraction(0.5)), new WeightMask([true]), new PruningReport(null, []), s_ml.Compression(), s_ml,
    }.ToDictionary(value => value.GetType());

    /// <summary>A value that a parameter of that type takes; null where none is known.</summary>
    public static object? Sample(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return s_samples.GetValueOrDefault(type) ?? s_samples.Values.FirstOrDefault(type.IsInstanceOfType) ?? (type.IsEnum ? Enum.GetValues(type).GetValue(0)
            : type == typeof(TransformsCatalog) ? s_ml.Transforms
            : type == typeof(MulticlassClassificationCatalog.MulticlassClassificationTrainers) ? s_ml.MulticlassClassification.Trainers
            : type == typeof(BinaryClassificationCatalog.BinaryClassificationTrainers) ? s_ml.BinaryClassification.Trainers
            : type == typeof(RegressionCatalog.RegressionTrainers) ? s_ml.Regression.Trainers
            : type == typeof(IEstimator<ISingleFeaturePredictionTransformer<object>>) ? s_ml.Regression.Trainers.FastTree()
            : Item(type) is { } item && Sample(item) is { } one ? List(item, one) : null);
    }

    /// <summary>Values out of range for most parameters of that type; not all are for all.</summary>
    public static IEnumerable<object?> Bad(ParameterInfo parameter)
    {
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        if (!type.IsValueType && !TakesNull(parameter))
        {
            yield return null;
        }

        foreach (var value in type == typeof(double) ? [double.NaN, double.PositiveInfinity, double.NegativeInfinity, -1.0, double.MaxValue, double.Epsilon]
            : type == typeof(int) ? [-1, int.MinValue, int.MaxValue] : type == typeof(long) ? [-1L, long.MinValue, long.MaxValue] : type == typeof(string) ? [""]
            : type.IsEnum ? [Enum.ToObject(type, 99)] : Item(type) is { IsValueType: false } item ? new object[] { List(item, null) } : [])
        {
            yield return value;
        }
    }

    /// <summary>Whether no parameter at all should take the value.</summary>
    public static bool IsNeverLegal(object? value) => value is null or double.NaN or Enum || (value is IEnumerable list and not string && list.Cast<object?>().Contains(null));

    private static bool TakesNull(ParameterInfo parameter) => new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable;

    private static Type? Item(Type type) => type.IsArray ? type.GetElementType()
        : type.IsGenericType && type.GetGenericTypeDefinition() is var open && (open == typeof(IReadOnlyList<>) || open == typeof(IEnumerable<>)) ? type.GetGenericArguments()[0] : null;

    private static Array List(Type item, object? one)
    {
        var list = Array.CreateInstance(item, 1);
        list.SetValue(one, 0);
        return list;
    }
}
