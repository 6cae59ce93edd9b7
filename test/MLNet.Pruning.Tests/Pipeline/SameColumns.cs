using Microsoft.ML;
using UnitAssert = Microsoft.VisualStudio.TestTools.UnitTesting.Assert;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>Compares the columns a network appends with those of one of ML.NET's own trainers.</summary>
internal static class SameColumns
{
    private static readonly string[] s_names = ["PredictedLabel", "Score", "Probability"];

    /// <summary>Same names in the same order, types, and annotations with their types; but for the network or the trees themselves.</summary>
    public static void Assert(DataViewSchema theirs, DataViewSchema ours)
    {
        var (expected, actual) = (Visible(theirs), Visible(ours));
        CollectionAssert.AreEqual(expected.Select(column => column.Name).ToArray(), actual.Select(column => column.Name).ToArray());
        foreach (var (their, our) in expected.Zip(actual))
        {
            UnitAssert.AreEqual(their.Type, our.Type, their.Name);
            CollectionAssert.AreEquivalent(Annotations(their), Annotations(our)
                .Where(annotation => !annotation.StartsWith("NeuralNetwork") && !annotation.StartsWith("DecisionTrees")).ToArray(), their.Name);
        }
    }

    private static DataViewSchema.Column[] Visible(DataViewSchema schema) => [.. schema.Where(column => !column.IsHidden && s_names.Contains(column.Name))];

    private static string[] Annotations(DataViewSchema.Column column)
        => [.. column.Annotations.Schema.Select(annotation => $"{annotation.Name}: {annotation.Type}")];
}
