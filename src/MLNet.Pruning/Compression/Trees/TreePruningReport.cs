using System.Globalization;

namespace MLNet.Pruning;

/// <summary>What a pruning of trees did; prints as a table.</summary>
/// <param name="Method">The method.</param>
/// <param name="Before">The ensemble as it was.</param>
/// <param name="After">The ensemble as it is.</param>
/// <param name="MetricName">What was measured: "AUC" or "R²".</param>
/// <param name="MetricBefore">The metric on the validation rows before.</param>
/// <param name="MetricAfter">The metric on the validation rows after.</param>
/// <param name="TrainingRows">Rows that leaves were refitted and counted on.</param>
/// <param name="ValidationRows">Rows that choices were made on.</param>
public sealed record TreePruningReport(TreePruningMethod Method, TreeCost Before, TreeCost After, string MetricName, double MetricBefore, double MetricAfter,
    int TrainingRows, int ValidationRows)
{
    /// <inheritdoc/>
    public override string ToString() => TextTable.Format(["trees", "before", "after"],
    [
        Row("trees", Before.Trees, After.Trees),
        Row("nodes", Before.Nodes, After.Nodes),
        Row("leaves", Before.Leaves, After.Leaves),
        Row("depth", Before.Depth, After.Depth),
        Row("bytes", Before.Bytes, After.Bytes),
        [$"validation {MetricName}", MetricBefore.ToString("F4", CultureInfo.InvariantCulture), MetricAfter.ToString("F4", CultureInfo.InvariantCulture)],
    ]);

    private static string[] Row(string name, long before, long after) => [name, before.ToString("N0", CultureInfo.InvariantCulture), after.ToString("N0", CultureInfo.InvariantCulture)];
}
