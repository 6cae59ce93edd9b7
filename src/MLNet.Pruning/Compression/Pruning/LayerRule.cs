using System.IO.Enumeration;
using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Networks;

namespace MLNet.Pruning;

/// <summary>Settings of its own for some layers: what it does not say is as in the <see cref="SelectionOptions"/> it is part of.</summary>
public sealed class LayerRule
{
    private readonly string _pattern;
    private readonly bool _byOperator;

    private LayerRule(string pattern, bool byOperator, Amount? amount, Granularity? granularity, Importance? importance, double? minimumKept)
    {
        ArgumentException.ThrowIfNullOrEmpty(pattern);
        if (amount?.Budget is not null)
        {
            throw new ArgumentException($"The amount {amount} is a share of the network's cost, which is one of all layers.", nameof(amount));
        }

        if (amount is not null && granularity is not null && !granularity.Removes)
        {
            MaskCandidates.Check(granularity, Scope.Network, amount);
        }

        (_pattern, _byOperator, Amount, Granularity, Importance) = (pattern, byOperator, amount, granularity, importance);
        MinimumKept = minimumKept is { } share ? Setting.Share(share, nameof(minimumKept)) : null;
    }

    internal Amount? Amount { get; }

    internal Granularity? Granularity { get; }

    internal Importance? Importance { get; }

    internal double? MinimumKept { get; }

    /// <summary>For layers of that name.</summary>
    /// <param name="pattern">Name of a layer (<c>conv1</c>) or of its weight (<c>conv1.weight</c>); * stands for any characters, ? for one.</param>
    /// <param name="amount">How much of them, which are compared with each other and not with other layers; null for as much as of the others.</param>
    /// <param name="granularity">What is pruned as one; null for as in the others.</param>
    /// <param name="importance">How important a weight or structure is; null for as in the others.</param>
    /// <param name="minimumKept">
    /// Share of their weights or structures that stays, as <see cref="SelectionOptions.MinimumKept"/>; null for as in the others.
    /// </param>
    /// <exception cref="ArgumentException">
    /// <paramref name="pattern"/> is empty, or the amount does not go with the granularity or with single layers.
    /// </exception>
    public static LayerRule Named(string pattern, Amount? amount = null, Granularity? granularity = null, Importance? importance = null,
        double? minimumKept = null)
        => new(pattern, false, amount, granularity, importance, minimumKept);

    /// <summary>For layers of that operator.</summary>
    /// <param name="operator">As ONNX and <see cref="Network.ToString"/> name it: Gemm, MatMul, Conv, ConvTranspose, LSTM, GRU, RNN.</param>
    /// <param name="amount">How much of them, which are compared with each other and not with other layers; null for as much as of the others.</param>
    /// <param name="granularity">What is pruned as one; null for as in the others.</param>
    /// <param name="importance">How important a weight or structure is; null for as in the others.</param>
    /// <param name="minimumKept">
    /// Share of their weights or structures that stays, as <see cref="SelectionOptions.MinimumKept"/>; null for as in the others.
    /// </param>
    /// <exception cref="ArgumentException">
    /// <paramref name="operator"/> is empty, or the amount does not go with the granularity or with single layers.
    /// </exception>
    public static LayerRule OfOperator(string @operator, Amount? amount = null, Granularity? granularity = null, Importance? importance = null,
        double? minimumKept = null)
        => new(Setting.Named(@operator, nameof(@operator)), true, amount, granularity, importance, minimumKept);

    /// <inheritdoc/>
    public override string ToString() => _byOperator ? $"operator {_pattern}" : _pattern;

    /// <exception cref="ArgumentException">A rule matches no layer at all.</exception>
    internal static void Check(IReadOnlyList<LayerRule> rules, Network network)
    {
        if (rules.FirstOrDefault(rule => !Layers(network).Any(rule.Matches)) is { } idle)
        {
            throw new ArgumentException($"The rule for '{idle}' matches no layer with weights."
                + NearestNames.Suggest(idle._pattern, Layers(network)
                    .SelectMany(layer => idle._byOperator ? [layer.Node.Operator] : layer.Weights.Add(layer.Node.Name))));
        }
    }

    /// <summary>For each rule the layers it is the first to match, and at the end those that none matches; layers without weights are left out.</summary>
    internal static IReadOnlyList<IReadOnlySet<string>> Divide(IReadOnlyList<LayerRule> rules, Network network)
    {
        var layers = Layers(network).ToArray();
        return [.. Enumerable.Range(0, rules.Count + 1).Select(rule =>
            layers.Where(layer => First(rules, layer) == rule).Select(layer => layer.Node.Name).ToHashSet())];
    }

    private static IEnumerable<LayerInfo> Layers(Network network) => network.Layers.Where(layer => layer.Weights.Length > 0);

    private static int First(IReadOnlyList<LayerRule> rules, LayerInfo layer)
        => Enumerable.Range(0, rules.Count).Where(rule => rules[rule].Matches(layer)).DefaultIfEmpty(rules.Count).First();

    private bool Matches(LayerInfo layer) => _byOperator ? layer.Node.Operator == _pattern
        : layer.Weights.Add(layer.Node.Name).Any(name => FileSystemName.MatchesSimpleExpression(_pattern, name, ignoreCase: false));
}
