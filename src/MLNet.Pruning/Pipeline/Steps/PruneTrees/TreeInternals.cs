using System.Collections;
using System.Reflection;
using MLNet.Pruning.Compression.Trees.Ensembles;
using Microsoft.ML.Trainers;
using Microsoft.ML.Trainers.FastTree;

namespace MLNet.Pruning.Pipeline.Steps.PruneTrees;

/// <summary>What ML.NET's models of trees score with and no public member tells, read in this one place from fields that are not public.</summary>
internal static class TreeInternals
{
    /// <summary>What stands in for a missing value at each node; null where nothing does. LightGBM's trees have such values.</summary>
    /// <exception cref="NotSupportedException">This version of ML.NET has other fields.</exception>
    public static float[]? MissingValues(RegressionTreeBase tree)
        => (float[]?)Field(Field(tree, typeof(RegressionTreeBase), "_tree"), "DefaultValueForMissing");

    /// <summary>The models of the classes, and what becomes of their scores.</summary>
    /// <exception cref="NotSupportedException">This version of ML.NET has other fields.</exception>
    public static (object[] Models, ClassScores? Scores) Classes(OneVersusAllModelParameters model)
    {
        var way = Field(model, "_impl")!;
        var predictors = way.GetType().GetProperty("Predictors")?.GetValue(way) as IEnumerable ?? throw Unknown(way.GetType(), "Predictors");
        return ([.. predictors.Cast<object>()], way.GetType().Name switch
        {
            "ImplDist" => ClassScores.Probabilities,
            "ImplSoftmax" => ClassScores.Softmax,
            "ImplRaw" => ClassScores.Raw,
            var name => throw Unknown(way.GetType(), name),
        });
    }

    private static object? Field(object? instance, string name) => Field(instance, instance?.GetType(), name);

    private static object? Field(object? instance, Type? type, string name)
        => (type?.GetField(name, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic) ?? throw Unknown(type, name)).GetValue(instance);

    private static NotSupportedException Unknown(Type? type, string name)
        => new($"{type} of {type?.Assembly.GetName()} does not have the member '{name}': this version of ML.NET is not supported by MLNet.Pruning.");
}
