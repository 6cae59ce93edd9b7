namespace MLNet.Pruning.Cli.Commands;

/// <summary>Importances as the command line names them.</summary>
internal static class ImportanceNames
{
    /// <summary>Criteria that look at weights alone, by a seed.</summary>
    private static readonly Dictionary<string, Func<int, Importance>> s_weights = new()
    {
        ["magnitude"] = _ => Importance.L1, ["l2"] = _ => Importance.L2, ["random"] = Importance.Random, ["synflow"] = _ => Importance.SynFlow,
        ["batch-norm"] = _ => Importance.BatchNormScale, ["geometric-median"] = _ => Importance.GeometricMedian,
    };

    /// <summary>Criteria measured on so many rows.</summary>
    private static readonly Dictionary<string, Func<int, Importance>> s_rows = new()
    {
        ["gradient"] = Importance.Gradient, ["taylor"] = Importance.Taylor, ["absolute-taylor"] = Importance.AbsoluteTaylor, ["snip"] = Importance.Snip, ["grasp"] = Importance.Grasp,
        ["movement"] = rows => Importance.Movement(rows), ["fisher"] = Importance.Fisher, ["diagonal-hessian"] = rows => Importance.DiagonalHessian(rows), ["brain-surgeon"] = rows => Importance.OptimalBrainSurgeon(rows),
        ["wanda"] = Importance.Wanda, ["activation-mean"] = Importance.ActivationMean, ["activation-variance"] = Importance.ActivationVariance,
        ["nonzero-activations"] = Importance.NonzeroActivations, ["loss-change"] = Importance.LossChange,
    };

    public static string[] All { get; } = [.. s_weights.Keys, .. s_rows.Keys];

    /// <summary>What the command line takes, in words.</summary>
    public static string Expected => $"{string.Join(", ", s_weights.Keys)}; measured on rows: {string.Join(", ", s_rows.Keys)}";

    /// <summary>Whether the criterion of that name needs rows.</summary>
    public static bool NeedsRows(string name) => s_rows.ContainsKey(name);

    /// <summary>The criterion of that name.</summary>
    public static Importance Create(string name, int seed, int rows) => s_weights.TryGetValue(name, out var weights) ? weights(seed) : s_rows[name](rows);
}
