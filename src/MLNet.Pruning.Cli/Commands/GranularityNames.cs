using System.Globalization;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>Granularities as the command line names them.</summary>
internal static class GranularityNames
{
    private static readonly Dictionary<string, Granularity> s_plain = new()
    {
        ["weight"] = Granularity.Weight, ["row"] = Granularity.Row, ["column"] = Granularity.Column, ["kernel"] = Granularity.Kernel, ["filter"] = Granularity.Filter,
        ["neuron"] = Granularity.Neuron, ["head"] = Granularity.Head, ["hidden"] = Granularity.HiddenUnit, ["group"] = Granularity.ChannelGroup, ["unit"] = Granularity.Unit,
        ["unit-within-heads"] = Granularity.UnitWithinHeads, ["block"] = Granularity.Block, ["layer"] = Granularity.Layer,
    };

    public static string Expected { get; } = $"{string.Join(", ", s_plain.Keys)}, n:m such as 2:4 with n below m, or blocks of weights such as 16x1";

    /// <summary>The granularity; null for a text that names none.</summary>
    public static Granularity? Parse(string text) => s_plain.TryGetValue(text, out var plain) ? plain
        : Pair(text, ':') is var (n, m) && n < m ? Granularity.NToM(n, m)
        : Pair(text, 'x') is var (rows, columns) ? Granularity.WeightBlock(rows, columns) : null;

    private static (int First, int Second)? Pair(string text, char between) => text.Split(between) is [var first, var second]
        && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var one) && int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out var other)
        && one >= 1 && other >= 1 ? (one, other) : null;
}
