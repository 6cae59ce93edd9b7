using MLNet.Pruning.Compression.Pruning.Importances;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>Takes the layers of a network apart.</summary>
internal static class FactorizationPlan
{
    /// <summary>The network with smaller layers, and what became of each that it had.</summary>
    /// <exception cref="ArgumentException">
    /// No layer can be factorised so, a weight is not finite, a name does not exist, or a given rank is above the layer's.
    /// </exception>
    /// <exception cref="UnreachableBudgetException">No ranks meet a budget.</exception>
    /// <exception cref="InvalidOperationException">Rows are needed and there are none, or they make values that are not finite.</exception>
    public static (Network Network, IReadOnlyList<FactorizedLayer> Layers) Run(Network network, Factorizer factorizer, Rank rank, FactorizationStep step)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var stays = new Dictionary<string, string>();
        var candidates = FactorizableLayer.Candidates(network).ToArray();
        var chosen = step.Scope.Choose(candidates, candidate => (candidate.Layer.Node.Name, candidate.Weight.Name)).Select(candidate => candidate.Weight.Name)
            .ToHashSet();
        var layers = new List<FactorizableLayer>();
        foreach (var (layer, weight) in candidates)
        {
            var reason = chosen.Contains(weight.Name) ? null : "it is out of scope";
            var found = reason is null ? FactorizableLayer.Of(network, layer, weight, out reason) : null;
            reason ??= step.Masks.TryGetValue(weight.Name, out var mask) && mask.Kept < mask.Count
                ? $"{mask.Count - mask.Kept:N0} of the {mask.Count:N0} values of its weight are pruned, and would not stay zero"
                : factorizer.Refusal(found!);
            if (reason is null)
            {
                Check(weight);
                layers.Add(found!);
            }
            else
            {
                stays[weight.Name] = reason;
            }
        }

        if (layers.Count == 0)
        {
            throw new ArgumentException($"No layer can be factorised by {factorizer}."
                + string.Concat(candidates.Select(candidate => $"{Environment.NewLine}'{candidate.Layer.Node.Name}': {stays[candidate.Weight.Name]}.")));
        }

        var ranked = Decompose(network, factorizer, layers, step);
        var choices = rank.Choose(ranked, new(network, step));
        var smaller = new List<(RankedLayer Layer, ImmutableArray<int> Ranks, Factors? Factors)>();
        foreach (var (layer, choice) in ranked.Zip(choices))
        {
            if (choice.Ranks is { } ranks && layer.IsSmaller(ranks))
            {
                smaller.Add((layer, ranks, layer.Factors(ranks, step.CancellationToken)));
            }
            else
            {
                stays[layer.Layer.Weight.Name] = choice.Ranks is { } wide ? Larger(layer, wide) : choice.Reason!;
            }
        }

        var after = smaller.Count > 0 ? FactorizedGraph.Write(network, smaller, out _) : network;
        var done = smaller.ToDictionary(layer => layer.Layer.Layer.Weight.Name);
        return (after, [.. candidates.Select(candidate => done.TryGetValue(candidate.Weight.Name, out var layer)
            ? new FactorizedLayer(candidate.Layer.Node.Name, layer.Layer.Method, RankedLayer.Text(layer.Ranks), layer.Layer.Parameters,
                layer.Layer.ParametersAt(layer.Ranks), layer.Factors!.Kept, null)
            : new FactorizedLayer(candidate.Layer.Node.Name, null, null, candidate.Weight.Count, candidate.Weight.Count, null,
                stays[candidate.Weight.Name]))]);
    }

    /// <summary>The decompositions of layers, with what their parts cost; tensors belong to the caller's dispose scope.</summary>
    public static IReadOnlyList<RankedLayer> Decompose(Network network, Factorizer factorizer, IReadOnlyList<FactorizableLayer> layers, FactorizationStep step)
    {
        var moments = Measure(network, factorizer, layers, step);
        RankedLayer[] ranked = [.. layers.Select(layer =>
        {
            step.CancellationToken.ThrowIfCancellationRequested();
            var term = factorizer.Terms.First(term => term.Refusal(layer) is null);
            return new RankedLayer(layer, term.ToString()!, term.Decompose(layer, moments.GetValueOrDefault(layer)));
        })];
        // The positions of each part do not depend on the rank.
        var sketch = FactorizedGraph.Write(network, [.. ranked.Select(layer => (layer, layer.Decomposition.Of(1), (Factors?)null))], out var nodes);
        var known = sketch.Layers.ToDictionary(layer => layer.Node);
        for (var l = 0; l < ranked.Length; l++)
        {
            ranked[l].Uses = [.. Enumerable.Range(0, ranked[l].Decomposition.Parts(layers[l].Node, ranked[l].Decomposition.Of(1)).Count)
                .Select(part => nodes[l].Sum(chain => known[chain[part]].PositionsPerWeight.AtOnes))];
        }

        return ranked;
    }

    private static Dictionary<FactorizableLayer, OutputMoments> Measure(Network network, Factorizer factorizer, IReadOnlyList<FactorizableLayer> layers,
        FactorizationStep step)
    {
        var measured = layers.Select(layer => (layer, Form: factorizer.Measured(layer))).Where(pair => pair.Form is not null).ToArray();
        if (measured.Length == 0)
        {
            return [];
        }

        var calibration = (step.Calibration ?? throw new InvalidOperationException($"{factorizer} goes by what layers put out on calibration rows, and there "
            + "are none: factorise in a chain, or give rows."))();
        // A run frees what was made while it lasts.
        var moments = measured.ToDictionary(pair => pair.layer, pair => new OutputMoments(pair.layer, pair.Form!, calibration.Device));
        using var run = new CalibrationRun(new PrunedNetwork(network, step.Masks), calibration, step.Count);
        OutputMoments.Measure(run, moments.Values);
        return moments;
    }

    private static void Check(Parameter weight)
    {
        if (Array.FindIndex(weight.Array, value => !float.IsFinite(value)) is >= 0 and var place)
        {
            throw new ArgumentException($"Value {place} of '{weight.Name}' is {weight.Array[place]}; expected finite numbers.");
        }
    }

    private static string Larger(RankedLayer layer, ImmutableArray<int> ranks) => layer.ParametersAt(ranks) >= layer.Parameters
        ? $"at rank {RankedLayer.Text(ranks)} it would have {layer.ParametersAt(ranks):N0} parameters in the place of {layer.Parameters:N0}"
        : $"at rank {RankedLayer.Text(ranks)} it would take {layer.MultiplyAddsAt(ranks):N0} multiply-adds in the place of {layer.MultiplyAdds:N0}";
}
