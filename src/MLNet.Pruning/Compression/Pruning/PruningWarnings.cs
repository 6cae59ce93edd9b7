using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>What a pruning did otherwise than one would expect of its options.</summary>
internal static class PruningWarnings
{
    /// <summary>Parts of the weights out of scope that are worth a word.</summary>
    private const double LeastOutside = 0.01;

    private const int Shown = 5;

    /// <summary>Adds them to a report.</summary>
    /// <param name="report">What the plan says.</param>
    /// <param name="options">The options.</param>
    /// <param name="start">The network before.</param>
    /// <param name="after">The network after.</param>
    public static PruningReport AddTo(PruningReport report, SelectionOptions options, PrunedNetwork start, PrunedNetwork after)
    {
        var (before, left) = (start.Network, after.Network);
        return report with { Warnings = [.. report.Warnings, .. Emptied(before, left), .. Constant(before, left), .. Outside(options, start),
            .. Nothing(report, options, start, after)] };
    }

    private static IEnumerable<string> Emptied(Network before, Network after) =>
        from layer in after.Layers
        from weight in layer.Weights
        where after[weight].Count > 0 && !after[weight].Values.ContainsAnyExcept(0f)
            && !(before.TryGetParameter(weight, out var old) && old.Values.ContainsAnyExcept(0f) is false)
        select string.Create(CultureInfo.InvariantCulture, $"Layer '{layer.Node.Name}' has nothing left: all {after[weight].Count:N0} values of '{weight}' "
            + $"are zero, "
            + $"so that nothing passes through it. Set {nameof(SelectionOptions.MinimumKept)}, prune less, or compare weights or structures within layers.");

    private static IEnumerable<string> Constant(Network before, Network after)
    {
        foreach (var (old, output) in before.Outputs.Zip(after.Outputs))
        {
            var (varied, varies) = (new Liveness(before).FromInput(old.Name), new Liveness(after).FromInput(output.Name));
            if (varied.Contains(true) && varies.Count(unit => !unit) - varied.Count(unit => !unit) is > 0 and var constant)
            {
                yield return (varies.Contains(true) ? $"{constant} of the {varies.Count} values of output '{output.Name}' no longer depend"
                    : $"Output '{output.Name}' no longer depends")
                    + " on what the network reads: no path of weights that are left leads there.";
            }
        }
    }

    /// <summary>The amount is one of what is in scope.</summary>
    private static IEnumerable<string> Outside(SelectionOptions options, PrunedNetwork start)
    {
        var weights = start.Weights.Parameters.Where(parameter => parameter is { Trainable: true, Shape.Length: > 1 }).ToArray();
        var measured = options.Measured(start);
        var outside = weights.Where(parameter => !measured.Contains(parameter.Name)).ToArray();
        long left = outside.Sum(parameter => (long)parameter.Count), all = weights.Sum(parameter => (long)parameter.Count);
        if (left > LeastOutside * all)
        {
            var names = string.Join(", ", outside.Take(Shown).Select(parameter => $"'{parameter.Name}' ({Reason(options, start, parameter)})"));
            yield return string.Create(CultureInfo.InvariantCulture,
                $"The amount {options.Amount} is one of what is in scope: {left:N0} of the network's {all:N0} weights "
                + $"({100.0 * left / all:0.#} %) are not, and stay: {names}{(outside.Length > Shown ? $" and {outside.Length - Shown} more" : "")}.");
        }
    }

    private static string Reason(SelectionOptions options, PrunedNetwork start, Parameter parameter)
    {
        var member = start.Member(parameter.Name);
        return !start.Weights.Layers.Any(layer => layer.Weights.Contains(parameter.Name)) ? "no layer's weight"
            : options.Granularity.Removes ? $"nothing of granularity '{options.Granularity}' in scope is made or read by it"
            : options.Granularity.Fits(member.Parameter, member.Axes) ? "left out by the scope" : $"without structures of granularity '{options.Granularity}'";
    }

    private static IEnumerable<string> Nothing(PruningReport report, SelectionOptions options, PrunedNetwork start, PrunedNetwork after)
    {
        var went = after.Weights.ParameterCount < start.Weights.ParameterCount
            || after.Masks.Any(mask => mask.Value.Kept < (start.Masks.GetValueOrDefault(mask.Key)?.Kept ?? mask.Value.Count));
        if (went || report.StoppedEarly || options.Amount.Value == 0)
        {
            yield break;
        }

        var rounded = report.Widths.Where(width => width.After != width.Exact).Select(width => $"'{width.Layer}' to a multiple of {width.Alignment}").ToArray();
        yield return $"Nothing was pruned by {options.Amount} of granularity '{options.Granularity}': "
            + (options.Amount.IsThreshold ? "nothing is worth less than the threshold."
            : rounded.Length > 0 ? $"the widths were rounded, {string.Join(", ", rounded.Take(Shown))}. Set {nameof(SelectionOptions.Alignment)} to 1, or ask "
                + "for more."
            : (options.Granularity.Removes ? start.Network.Graph.Metadata.ContainsKey(DenseMetadata.Key) : start.IsPruned) ? "as much was pruned before."
            : options.Granularity.IsDepth ? Blocks(options, start.Network)
            : "that rounds to none, or one is left of every layer in scope. Ask for more, or widen the scope.");
    }

    private static string Blocks(SelectionOptions options, Network network)
    {
        var blocks = BlockRemoval.Find(network, options.Granularity.IncludesLayers);
        var names = string.Join(", ", blocks.Take(Shown).Select(block => $"'{block.Name}'"));
        return $"of the network's {blocks.Count} ({names}{(blocks.Count > Shown ? ", ..." : "")}) that rounds to 0 of those in scope. Ask for more.";
    }
}
